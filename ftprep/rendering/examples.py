"""From an example and a template to what is trained on: which template holds, the rendering, the counting, the cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

from ftprep.errors import MissingExtra, UsageError
from ftprep.model import Example
from ftprep.rendering.lay_out import lay_out
from ftprep.rendering.layouts import LAYOUTS, Layout
from ftprep.rendering.local import render_all
from ftprep.rendering.measure import Vocabulary, count_exactly, count_words, cut_words
from ftprep.rendering.script import Plain, Script, Train, scripts_of
from ftprep.rendering.template_file import TemplateFile, read_template
from ftprep.rendering.values import Rendered, Segment
from ftprep.targets import Target
from ftprep.tokens import CHAT_RULES, Counter, family_of

AS_IT_STANDS: Final = "as it stands"
HIDDEN_LAYOUT: Final = frozenset(("openai", "azure"))
"""Targets that lay chats out themselves and do not say how."""


@dataclass(frozen=True)
class Template:
    """What conversations are rendered with: a layout of ours, or the files of a model. `rule` counts what a layout adds
    where another rule than its own holds; `vocabulary` counts exactly; `notes` hold for every example."""

    layout: Layout | None = None
    file: TemplateFile | None = None
    rule: str = ""
    vocabulary: Vocabulary | None = None
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The layout's name or the file's path."""
        return self.file.name if self.file else self.layout.name if self.layout else ""


def find_template(choice: str = "", target: Target | None = None, model: str | None = None) -> Template:
    """The template that `choice` (a layout's name or a path) names, else the one of the target and its model.

    Raises UsageError for a name that is neither, and for files without a template.
    """
    if choice in LAYOUTS:
        return Template(LAYOUTS[choice])
    if choice:
        return _of_files(choice)
    rule = str(target.value("overhead.rule", "")) if target else ""
    if target is None or target.name in HIDDEN_LAYOUT or rule in CHAT_RULES:
        return Template(LAYOUTS["openai-chat"], rule=rule if rule in CHAT_RULES else "")
    layout, measured = family_of(target.model or model)
    if not layout:
        told = (
            f"{target.name} renders chats with the model's own template, which is not known here: --template gives it"
        )
        return Template(LAYOUTS["openai-chat"], notes=(told,))
    told = f"the layout {layout} is that of the model's family; --template gives the model's own"
    return Template(LAYOUTS[layout], rule=measured, notes=(told,))


def _of_files(choice: str) -> Template:
    from difflib import get_close_matches

    path = Path(choice)
    if not path.exists() and "/" not in choice and "." not in choice:
        near = get_close_matches(choice, LAYOUTS, 1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(LAYOUTS)}; or give the path of a template"
        message = f"--template {choice}: no layout is called so, and there is no such file"
        raise UsageError(message, hint)
    file = read_template(path)
    lacks = file.lacks()
    notes = [f"{token} is not known and stands as <{token}>: no tokenizer_config.json says it" for token in lacks]
    file = replace(file, special={**file.special, **{token: f"<{token}>" for token in lacks}})
    vocabulary = None
    if file.vocabulary is None:
        notes.append("there is no tokenizer.json beside the template, so tokens are an estimate")
    else:
        try:
            vocabulary = Vocabulary(file.vocabulary)
        except MissingExtra as missing:
            notes.append(f"tokens are an estimate: the package tokenizers is not installed ({missing.hint})")
    return Template(file=file, vocabulary=vocabulary, notes=tuple(notes))


def render(
    example: Example,
    template: Template,
    counter: Counter,
    *,
    train: Train = "assistant",
    limit: int | None = None,
    today: date | None = None,
) -> tuple[Rendered, ...]:
    """The texts that one example is trained on as: one, or two for a preference. See `render_many`."""
    return render_many([example], template, counter, train=train, limit=limit, today=today)[0]


def render_many(
    examples: Sequence[Example],
    template: Template,
    counter: Counter,
    *,
    train: Train = "assistant",
    limit: int | None = None,
    today: date | None = None,
) -> list[tuple[Rendered, ...]]:
    """The texts of several examples, counted, and cut at `limit` tokens from the end.

    What a template refuses is said in `refused` of that text. Raises MissingExtra where a template needs a package that
    is not installed, and TemplateStopped for a template that does not end.
    """
    scripts = [scripts_of(example, train) for example in examples]
    talks = [s for each in scripts for s in each if isinstance(s, Script)]
    if template.file:
        told = iter(list(render_all(template.file, talks)))
    else:
        layout = template.layout or LAYOUTS["openai-chat"]
        told = iter([lay_out(layout, s, counter, template.rule, today) for s in talks])
    found = []
    for each in scripts:
        texts = [_plain(s, template) if isinstance(s, Plain) else next(told) for s in each]
        found.append(tuple(_measured(_learnt(text, train), template, counter, limit) for text in texts))
    return found


def _plain(plain: Plain, template: Template) -> Rendered:
    """Texts that go in as they stand: no template is used for them."""
    segments = list[Segment]()
    for number, (text, trained) in enumerate(zip(plain.texts, plain.trained, strict=True)):
        if number and len(plain.texts) > 2:
            segments.append(Segment("\n", "template", number, trained, tokens=1))
        if text:
            segments.append(Segment(text, "text", number, trained))
    notes = list(plain.notes)
    if template.file:
        notes.append("prompt and completion go in as they stand; trainers add the token that ends a text")
    return Rendered(AS_IT_STANDS, tuple(segments), plain.names, notes=tuple(notes))


def _learnt(rendered: Rendered, train: Train) -> Rendered:
    """With everything trained where that is asked for, what the template adds too."""
    if train != "all":
        return rendered
    return replace(rendered, segments=tuple(replace(s, trained=True) for s in rendered.segments))


def _measured(rendered: Rendered, template: Template, counter: Counter, limit: int | None) -> Rendered:
    if rendered.refused:
        return rendered
    if template.vocabulary:
        return count_exactly(rendered, template.vocabulary, limit)
    counted = cut_words(count_words(rendered, counter), counter, limit)
    is_own = template.layout is not None and template.layout.name == "openai-chat" and not template.notes
    if rendered.template == AS_IT_STANDS and not template.file:
        return replace(counted, exact=True)
    if is_own or rendered.template == AS_IT_STANDS:
        return counted
    told = f"{counter.encoding} is no vocabulary of an open model: the tokens are an estimate"
    return replace(counted, notes=(*counted.notes, told))
