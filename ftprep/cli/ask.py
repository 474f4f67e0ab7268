"""Questions on a terminal: each mending that may change what is learnt is put to the user once."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from ftprep.cli.outcomes import Stopped
from ftprep.cli.terminal import Bar, Terminal, is_terminal
from ftprep.views.plain import Paint, safe, wrap
from ftprep.views.wording import counted

if TYPE_CHECKING:
    from ftprep.rule import Proposal

CHOICES = "y/n/all/none/quit"

HELP = (
    "y     make this change",
    "n     leave it as it is",
    "all   make this change and all that follow",
    "none  leave this and all that follow as they are",
    "quit  stop here; nothing is written",
)

_MEANT = {"yes": "y", "no": "n", "a": "all", "q": "quit"}


def can_ask() -> bool:
    """Whether somebody is there to answer: both stdin and stderr are terminals."""
    return is_terminal(sys.stdin) and is_terminal(sys.stderr)


class Asker:
    """Decides on proposals by asking; `all` and `none` hold for the rest of the run."""

    def __init__(self, terminal: Terminal, bar: Bar | None) -> None:
        self._width = terminal.width
        self._bar = bar
        self._paint = Paint(terminal.color_aside)
        self._rest: bool | None = None
        self._asked = 0

    def __call__(self, proposal: Proposal) -> bool:
        """Whether the change is wanted; raises Stopped where the user wants to stop."""
        if self._rest is not None:
            return self._rest
        if self._bar:
            self._bar.hide()
        self._present(proposal)
        answer = self._answer()
        if answer == "quit":
            raise Stopped
        if answer in ("all", "none"):
            self._rest = answer == "all"
        return answer in ("y", "all")

    def _present(self, proposal: Proposal) -> None:
        from ftprep.rules import card_of

        if not self._asked:
            self._tell("Some changes may alter what the model learns. Say which ones you want.")
        self._asked += 1
        card = card_of(proposal.code)
        what = proposal.message.rstrip(".")
        self._tell("")
        self._tell(self._paint(f"{safe(proposal.code)} {safe(card.name)}, {counted(proposal.count, 'row')}", "bold"))
        for line in (*wrap(f"Change: {safe(what)}.", self._width - 2), *wrap(f"Why: {card.why}", self._width - 2)):
            self._tell(f"  {line}")

    def _answer(self) -> str:
        while True:
            click.echo(f"  Make this change? [{CHOICES}] ", file=sys.stderr, nl=False)
            line = sys.stdin.readline()
            if not line:
                self._tell("")
                self._tell("  no more answers: this and the rest stay as they are")
                return "none"
            word = line.strip().lower()
            word = _MEANT.get(word, word)
            if word in CHOICES.split("/"):
                return word
            for told in HELP:
                self._tell(f"    {told}")

    def _tell(self, line: str) -> None:
        click.echo(line, file=sys.stderr)
