"""Holds every rule of the catalogue to its own card: codes, texts, and the bad and good example it shows."""

from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path

import pytest

import ftprep
from ftprep.errors import RecipeError, UsageError
from ftprep.recipe import Rules, merge
from ftprep.rule import CODE, Rule, Sample
from ftprep.rules import CATALOGUE, choose, find
from ftprep.targets import target_names

# It takes a second program that writes while the first one reads (tests/test_pipeline.py has that), or one that kills a
# worker (tests/test_executors.py); a large file, pictures of ten million bytes, fifty thousand of them, or a limit that
# no shipped target has (test_target_file.py, test_img.py, test_tok_lengths.py).
SHOWN_ELSEWHERE = {"IO118", "IO123", "FMT172", "IMG105", "IMG108", "IMG109", "TOK108"}
STABLE = [pytest.param(rule, id=rule.card.code) for rule in CATALOGUE]


def counts(sample: Sample, rule: Rule, folder: Path) -> dict[str, int]:
    """Findings of a check of the sample with this rule switched on."""
    target = sample.recipe.get("target")
    if target and target not in target_names():
        pytest.skip(f"no facts of {target} are shipped yet")
    path = folder / f"sample{sample.suffix}"
    data = sample.text if isinstance(sample.text, bytes) else sample.text.encode("utf-8")
    path.write_bytes(data)
    recipe = merge(sample.recipe, {"rules": {"extend-select": [rule.card.code]}})
    return ftprep.check(path, recipe).counts()


@pytest.mark.parametrize("rule", STABLE)
def test_the_bad_example_is_found(rule: Rule, tmp_path: Path) -> None:
    if rule.card.code not in SHOWN_ELSEWHERE:
        assert rule.card.code in counts(rule.card.bad, rule, tmp_path)


@pytest.mark.parametrize("rule", STABLE)
def test_the_good_example_is_not(rule: Rule, tmp_path: Path) -> None:
    assert rule.card.code not in counts(rule.card.good, rule, tmp_path)


@pytest.mark.parametrize("rule", STABLE)
def test_a_card_is_complete(rule: Rule) -> None:
    card = rule.card
    assert CODE.match(card.code)
    assert card.name == card.name.lower().replace(" ", "-").replace("_", "-")
    assert card.severity in ("error", "warning", "info")
    assert card.status in ("stable", "preview", "deprecated", "removed")
    for text in (card.finds, card.why):
        assert text[0].isupper() or not text[0].isalpha()
        assert text.endswith(".")
    assert bool(card.mended) == (card.fix is not None)


@pytest.mark.parametrize("rule", STABLE)
def test_a_rule_travels_to_workers(rule: Rule) -> None:
    assert pickle.loads(pickle.dumps(rule)) == rule


def test_codes_names_and_aliases_are_unique() -> None:
    codes = [r.card.code for r in CATALOGUE]
    names = [r.card.name for r in CATALOGUE]
    assert codes == sorted(set(codes))
    assert len(names) == len(set(names))
    assert not {a for r in CATALOGUE for a in r.card.aliases} & set(names)


@pytest.mark.parametrize("rule", [r for r in CATALOGUE if r.card.fix is not None], ids=lambda r: r.card.code)
def test_a_mended_bad_example_is_good(rule: Rule, tmp_path: Path) -> None:
    """The fix does what it says: after all fixes the rule finds nothing, and mending again changes nothing."""
    sample = rule.card.bad
    path = tmp_path / f"sample{sample.suffix}"
    path.write_bytes(sample.text if isinstance(sample.text, bytes) else sample.text.encode("utf-8"))
    recipe = merge(sample.recipe, {"split": {"valid": "none"}})
    once = ftprep.prepare(path, recipe, out=tmp_path / "once", unsafe=True)
    assert rule.card.code not in once.after.counts()
    assert once.train is not None
    again = ftprep.prepare(once.train, recipe, out=tmp_path / "twice", unsafe=True)
    assert again.train is not None
    assert again.train.read_bytes() == once.train.read_bytes()


def test_selectors() -> None:
    assert [r.card.code for r in find("DUP101")] == ["DUP101"]
    assert [r.card.code for r in find("exact-duplicate")] == ["DUP101"]
    assert {r.card.family for r in find("SEP")} == {"SEP"}
    assert len(find("ALL")) == len(CATALOGUE)
    with pytest.raises(UsageError, match="no rule is called 'exact-duplicat'") as raised:
        find("exact-duplicat")
    assert "exact-duplicate" in raised.value.hint


def test_choosing_and_options() -> None:
    chosen, silent = choose(Rules(select=("TOK",), ignore=("TOK103",), options={"over-limit": {}}))
    heard = {r.card.code for r in chosen} - silent
    assert "TOK102" in heard
    assert "TOK103" in silent
    assert "DUP101" in silent
    few = next(r for r in choose(Rules(options={"too-few": {"generation": 7}}))[0] if r.card.code == "SET101")
    assert dataclasses.asdict(few)["generation"] == 7
    with pytest.raises(RecipeError, match="has no option 'generatoin'"):
        choose(Rules(options={"SET101": {"generatoin": 7}}))
    with pytest.raises(RecipeError, match="must be of type int"):
        choose(Rules(options={"SET101": {"generation": "many"}}))
