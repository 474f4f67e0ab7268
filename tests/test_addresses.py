"""Addresses: which are remote, what is shown of them, what file:// means."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftprep.addresses import EXTRAS, is_remote, local_path, meant_as_address, scheme_of, shown
from ftprep.errors import ReadError


@pytest.mark.parametrize(
    ("name", "remote"),
    [
        ("s3://b/a.jsonl", True),
        ("S3://b/a.jsonl", True),
        ("https://h/a", True),
        ("file:///a", False),
        ("ftp://h/a", False),
        ("a.jsonl", False),
        ("C:/a.jsonl", False),
        ("C://a.jsonl", False),
        ("./s3://b", False),
        ("-", False),
    ],
)
def test_which_names_are_read_from_elsewhere(name: str, remote: bool) -> None:
    assert is_remote(name) is remote


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("s3://b/k/a?.jsonl", "s3://b/k/a?.jsonl"),
        ("S3://b/k", "s3://b/k"),
        ("s3://key:secret@b/k", "s3://b/k"),
        ("abfs://container@account.dfs.core.windows.net/k", "abfs://container@account.dfs.core.windows.net/k"),
        ("hf://datasets/o/n@main/a.jsonl", "hf://datasets/o/n@main/a.jsonl"),
        ("https://[::1]:80/@a", "https://[::1]:80/@a"),
        ("https://h:8080/@user/a.jsonl", "https://h:8080/@user/a.jsonl"),
        ("https://h/a.jsonl?X-Amz-Signature=secret", "https://h/a.jsonl"),
        ("https://h/a.jsonl#secret", "https://h/a.jsonl"),
        ("https://h?secret=a/b", "https://h"),
        ("https://secret@h/a.jsonl", "https://h/a.jsonl"),
        ("https://user:secret@h/a.jsonl", "https://h/a.jsonl"),
        ("https://user:sec/ret@h/a.jsonl", "https://h/a.jsonl"),
        ("https://user:sec@ret@h/a.jsonl", "https://h/a.jsonl"),
        ("a?b@c", "a?b@c"),
        ("/x/s3://y", "/x/s3://y"),
    ],
)
def test_an_address_is_shown_without_its_secrets(address: str, wanted: str) -> None:
    assert shown(address) == wanted


@given(
    st.sampled_from(["https", "http", "s3"]),
    st.text("ab:@.%", max_size=5) | st.text("ab:/.%", max_size=5),
    st.text("cd/.", max_size=8),
)
def test_no_password_is_ever_shown(scheme: str, around: str, path: str) -> None:
    assert "SECRET" not in shown(f"{scheme}://user:{around}SECRET{around}@host/{path}")
    assert "SECRET" not in shown(f"https://host/{path}?{around}SECRET")
    assert shown(shown(f"{scheme}://host/{path}")) == shown(f"{scheme}://host/{path}")


def test_a_file_address_is_a_path(tmp_path: Path) -> None:
    assert local_path("file:///a%20b.jsonl") == local_path("file://localhost/a%20b.jsonl") == "/a b.jsonl"
    assert local_path("a%20b") == "a%20b"
    with pytest.raises(ReadError, match="a file of another computer"):
        local_path("file://host/a")


def test_a_path_that_was_an_address_is_known() -> None:
    assert meant_as_address(str(Path("s3://b/a.jsonl"))) == "s3://b/a.jsonl"
    assert meant_as_address(str(Path("https://h/a"))) == "https://h/a"
    for path in ("a.jsonl", "c:/a", "/s3:/b", "s3:a", "x:/y"):
        assert meant_as_address(path) == ""


def test_every_scheme_has_an_extra_that_there_is() -> None:
    import tomllib

    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    assert set(EXTRAS.values()) <= set(extras)
    assert all(any(need.startswith("fsspec") for need in extras[extra]) for extra in EXTRAS.values())
    assert all(scheme_of(f"{scheme}://x") == scheme for scheme in EXTRAS)
