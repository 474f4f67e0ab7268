"""Result files in all the forms that are known, and what is drawn of them."""

from __future__ import annotations

import base64
import io
import sys
import xml.dom.minidom

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftprep.errors import MissingExtra, UsageError
from ftprep.jobs.plot import HEIGHT, WIDTH, png, spark, svg
from ftprep.jobs.results import Results, parse, together

pytest_plugins = ("job_fixtures",)
pytestmark = pytest.mark.usefixtures("own_place")

NEWER = "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n1,2.5,0.3,,\n2,1.5,N/A,1.75,0.4\n"
CLASSIC = (
    "step,elapsed_tokens,elapsed_examples,training_loss,training_sequence_accuracy,training_token_accuracy,"
    "validation_loss,validation_sequence_accuracy,validation_token_accuracy,classification/accuracy,"
    "classification/weighted_f1_score\n"
    "1,64,1,0.9,0.0,0.5,,,,,\n"
    "2,128,2,0.7,1.0,1.0,0.8,0.5,0.75,0.5,0.44\n"
)
BINARY = (
    "step,training_loss,classification/precision,classification/recall,classification/auroc,classification/f1.0\n"
    "1,2,0.5,1,0.9,0.66\n"
)


@pytest.mark.parametrize(
    "wrap", [str.encode, lambda text: base64.b64encode(text.encode()), lambda t: base64.encodebytes(t.encode())]
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_newer_form_with_and_without_base64(wrap: object, end: str) -> None:
    found = parse(wrap(NEWER.replace("\n", end)))  # type: ignore[operator]
    assert found is not None
    assert found.columns == ("step", "train_loss", "train_accuracy", "valid_loss", "valid_mean_token_accuracy")
    assert found.rows[0] == {"step": 1, "train_loss": 2.5, "train_accuracy": 0.3}
    assert found.rows[1] == {"step": 2, "train_loss": 1.5, "valid_loss": 1.75, "valid_mean_token_accuracy": 0.4}
    assert found.encoded == (wrap is not str.encode)


def test_the_classic_form_has_the_newer_names_and_keeps_its_own() -> None:
    found = parse(CLASSIC.encode())
    assert found is not None
    assert found.columns[:4] == ("step", "elapsed_tokens", "elapsed_examples", "train_loss")
    assert found.rows[1]["train_mean_token_accuracy"] == 1.0
    assert found.rows[1]["valid_sequence_accuracy"] == 0.5
    assert found.rows[1]["classification/weighted_f1_score"] == 0.44
    assert "valid_loss" not in found.rows[0]


def test_metrics_of_two_classes() -> None:
    found = parse(BINARY.encode())
    assert found is not None
    assert found.rows[0]["classification/auroc"] == 0.9
    assert found.last()["classification/f1.0"] == 0.66


@pytest.mark.parametrize(
    "data",
    [
        b'{"metrics": [{"train/global_step": 1.0, "train/loss": 2.0}]}',
        b'[{"global_step": 1, "loss": 2}]',
        b'{"step": 1, "train_loss": 2}\n{"step": 2, "train_loss": 1}\n',
    ],
)
def test_json(data: bytes) -> None:
    found = parse(data)
    assert found is not None
    assert found.rows[0] == {"step": 1, "train_loss": 2}


@pytest.mark.parametrize(
    "data", [b"", b"<html>", b"\xff\xfe\x00", b"a,b\n1,2\n", b"c3RlcA", b"[1, 2]", b"{}", b"[" * 5000]
)
def test_what_is_none_of_them(data: bytes) -> None:
    assert parse(data) is None


@given(
    st.binary(max_size=60)
    | st.text(max_size=60).map(str.encode)
    | st.text(max_size=60).map(lambda t: f"step,a\n{t}".encode())
)
def test_nothing_crashes(data: bytes) -> None:
    found = parse(data)
    if found is not None:
        xml.dom.minidom.parseString(svg(found.rows, "t"))
        found.to_csv(), found.to_jsonl(), found.last()


def test_both_names_in_one_file_stay_apart() -> None:
    found = parse(b"step,training_loss,train_loss\n1,5,6\n")
    assert found is not None
    assert found.rows[0] == {"step": 1, "training_loss": 5, "train_loss": 6}


def test_csv_and_back() -> None:
    found = parse(CLASSIC.encode())
    assert found is not None
    again = parse(found.to_csv().encode())
    assert again is not None
    assert (again.columns, again.rows) == (found.columns, found.rows)


def test_several_files() -> None:
    both = together([parse(NEWER.encode()), parse(BINARY.encode())])  # type: ignore[list-item]
    assert isinstance(both, Results)
    assert len(both.rows) == 3


@pytest.mark.parametrize(
    "rows", [[], [{"step": 1}], [{"step": 1, "train_loss": 2.0}], [{"train_loss": 1}, {"train_loss": 1}]]
)
def test_a_plot_of_little_is_a_document(rows: list[dict[str, float]]) -> None:
    document = xml.dom.minidom.parseString(svg(rows, "<a> & b"))
    assert document.documentElement is not None
    assert document.documentElement.tagName == "svg"


def test_a_line_of_blocks() -> None:
    assert spark([]) == ""
    assert spark([1, 1]) == "▁▁"
    assert spark([0, 7], blocks=True) == "▁█"
    assert len(spark(list(range(1000)), 40)) == 40
    assert spark([3, 2, 1], blocks=False).isascii()


@pytest.mark.parametrize(("text", "panels"), [(NEWER, 2), (BINARY, 1), ("step,a\n", 1)])
def test_a_png_opens_has_the_size_of_its_document_twice_and_shows_the_curves(text: str, panels: int) -> None:
    try:
        import cairosvg  # noqa: F401
        from PIL import Image
    except (ImportError, OSError):
        pytest.skip("pip install 'ftprep[png]', and the library cairo")
    found = parse(text.encode())
    assert found is not None
    with Image.open(io.BytesIO(png(svg(found.rows, "a job")))) as image:
        image.load()
        assert (image.format, image.size) == ("PNG", (2 * WIDTH, 2 * (panels * HEIGHT + 40)))
        # Its lines are in colours: a blank sheet, and one with the frame alone, have shades of grey.
        colours = {pixel for _, pixel in image.convert("RGB").getcolors(1 << 24) or ()}
        drawn = {colour for colour in ((0x1F, 0x77, 0xB4), (0xD6, 0x27, 0x28)) if colour in colours}
        lines = {name for row in found.rows for name in row if "loss" in name or "accuracy" in name}
    assert (255, 255, 255) in colours
    assert len(drawn) == min(2, len({name for name in lines if "loss" in name} or lines))


class Unusable:
    """Finds the package, and not the system's library that it needs."""

    def find_spec(self, name: str, *_: object) -> None:
        if name == "cairosvg":
            raise OSError("no library called cairo was found")


def test_a_png_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cairosvg", None)
    with pytest.raises(MissingExtra, match=r"ftprep\[png\]"):
        png(svg([], "t"))
    monkeypatch.delitem(sys.modules, "cairosvg")
    monkeypatch.setattr(sys, "meta_path", [Unusable(), *sys.meta_path])
    with pytest.raises(UsageError, match="the library cairo"):
        png(svg([], "t"))
