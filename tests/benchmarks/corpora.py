"""Makes the files that benchmarks work on, of made-up text; the same rows and seed give the same bytes.

Words and characters are drawn by Zipf's law, as in real text: few stand everywhere, many hardly ever.
"""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path

SYLLABLES = ("ka", "lo", "mi", "ren", "tor", "va", "sel", "pin", "dra", "mo", "ki", "es", "ul", "ban", "cor")
COMMON = (
    "的一是不了在人有我他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小么心多天而能好都然"
    "没日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长"
)
STATEMENTS = (
    "    {a} = {b}.{c}({n})",
    "    for {a} in range({n}):",
    "        if {a} >= {n} and not {b}:",
    "            {b}[{a}] = {c}({a}, {d}={n})",
    "        {c} += {a} * {n} // 0x{n:x}",
    "    # {a} {b} {c}",
    '    raise ValueError(f"{{{a}}}: {b} {n}")',
    "    return {{'{a}': {b}, \"{c}\": [{n}, None]}}",
    "int {a}(const char *{b}, size_t {c}) {{ return {b}[{c} & {n}] ? {n} : -1; }}",
    "SELECT {a}, COUNT(*) AS {b} FROM {c} WHERE {d} <> {n} GROUP BY {a};",
    '<div class="{a}-{b}" data-{c}="{n}">{d}</div>',
)

Words = Callable[[int], list[str]]
Answered = tuple[str, str]


def pairs(rows: int, path: Path, seed: int = 1) -> None:
    """Prompts of 40 to 80 words and completions of 15 to 35; a tenth with line ends, three in a hundred twice."""
    rng = random.Random(seed)
    words = _prose(rng)
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["prompt", "completion"])
        last = ["", ""]
        for number in range(rows):
            if number % 33 or not number:
                last = [" ".join(words(rng.randint(40, 80))), " ".join(words(rng.randint(15, 35)))]
                if number % 10 == 0:
                    last[0] = last[0].replace(" ", "\n", 3)
            table.writerow(last)


def chat(rows: int, path: Path, seed: int = 1) -> None:
    """Conversations of one to three turns; three in a hundred twice, and of 4,000 rows one is broken and three have no
    assistant in them."""
    rng = random.Random(seed)
    words = _prose(rng)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        last = ""
        for number in range(rows):
            if number % 33 or not last:
                said = [(" ".join(words(30)) + "?", " ".join(words(40)) + ".") for _ in range(rng.randint(1, 3))]
                last = _line(said)
            if number % 4000 == 1999:
                file.write('{"messages": [{"role": "user", "content": "cut\n')
            elif number % 4000 in (999, 1499, 2999):
                talk = [{"role": "user", "content": " ".join(words(30))}]
                file.write(json.dumps({"messages": talk}, ensure_ascii=False) + "\n")
            else:
                file.write(last)


def chinese(rows: int, path: Path, seed: int = 1) -> None:
    """Conversations of about 250 Chinese characters, made of 30,000 words of one to three characters."""
    rng = random.Random(seed)
    words = _chinese(rng)

    def said(count: int) -> str:
        clauses = ("".join(words(rng.randint(3, 9))) for _ in range(count))
        return "".join(clause + rng.choice(",,,。。!?、") for clause in clauses)

    _write(path, ([(said(4), said(16))] for _ in range(rows)))


def code(rows: int, path: Path, seed: int = 1) -> None:
    """A question in words and an answer of 8 to 30 lines in the manner of Python, C, SQL and HTML."""
    rng = random.Random(seed)
    words, names = _prose(rng), _names(rng)

    def answer() -> str:
        a, b, c, d = names(4)
        lines = [f"def {a}({b}, {c}=None):"]
        for shape in rng.choices(STATEMENTS, k=rng.randint(8, 30)):
            a, b, c, d = names(4)
            lines.append(shape.format(a=a, b=b, c=c, d=d, n=rng.randrange(1 << rng.randint(1, 20))))
        return "\n".join(lines)

    _write(path, ([(" ".join(words(12)), answer())] for _ in range(rows)))


def long(rows: int, path: Path, seed: int = 1) -> None:
    """Documents of 20,000 to 40,000 characters in paragraphs, and an answer of 60 words."""
    rng = random.Random(seed)
    words = _prose(rng)

    def document() -> str:
        paragraphs, size, aim = [], 0, rng.randint(20_000, 40_000)
        while size < aim:
            sentences = (" ".join(words(rng.randint(6, 24))).capitalize() + ". " for _ in range(rng.randint(3, 9)))
            paragraphs.append("".join(sentences))
            size += len(paragraphs[-1]) + 2
        return "\n\n".join(paragraphs)

    _write(path, ([(document(), " ".join(words(60)))] for _ in range(rows)))


MAKERS: dict[str, Callable[[int, Path], None]] = {
    "pairs": pairs,
    "chat": chat,
    "chinese": chinese,
    "code": code,
    "long": long,
}


def _drawn(rng: random.Random, lexicon: list[str]) -> Words:
    """Draws words, the n-th of the lexicon about 1/n as often as the first."""
    weights = list(accumulate(1 / (rank + 2.7) for rank in range(len(lexicon))))
    return lambda count: rng.choices(lexicon, cum_weights=weights, k=count)


def _prose(rng: random.Random) -> Words:
    """Words of one to four syllables, the short ones in front."""
    lexicon = {"".join(rng.choices(SYLLABLES, k=rng.choice((1, 2, 2, 3, 3, 4)))) for _ in range(30_000)}
    shuffled = rng.sample(sorted(lexicon), len(lexicon))
    return _drawn(rng, sorted(shuffled, key=lambda word: len(word) // 4))


def _names(rng: random.Random) -> Words:
    """Names as programs have them: snake_case, camelCase, one letter."""

    def name() -> str:
        parts = ["".join(rng.choices(SYLLABLES, k=rng.randint(1, 3))) for _ in range(rng.randint(1, 3))]
        return rng.choice(("_".join(parts), parts[0] + "".join(p.title() for p in parts[1:]), parts[0][0]))

    return _drawn(rng, [name() for _ in range(20_000)])


def _chinese(rng: random.Random) -> Words:
    """Words of the 3,755 characters of everyday use (the first level of GB 2312), the commonest in front."""
    places = [(row, cell) for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF)][:3755]
    rest = [character for character in (bytes(place).decode("gb2312") for place in places) if character not in COMMON]
    rng.shuffle(rest)
    characters = _drawn(rng, [*COMMON, *rest])
    return _drawn(rng, [*COMMON, *("".join(characters(rng.choice((1, 2, 2, 2, 3)))) for _ in range(30_000))])


def _line(said: list[Answered]) -> str:
    talk = [
        {"role": role, "content": text} for turn in said for role, text in zip(("user", "assistant"), turn, strict=True)
    ]
    return json.dumps({"messages": talk}, ensure_ascii=False) + "\n"


def _write(path: Path, conversations: Iterator[list[Answered]]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(map(_line, conversations))
