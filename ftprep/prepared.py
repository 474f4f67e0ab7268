"""What `prepare` (and `split`, `convert`) did, as a value that shows itself."""

from __future__ import annotations

import glob
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ftprep.report import Report
from ftprep.rule import Proposal
from ftprep.splitter import Split

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Prepared:
    """What `prepare` did: reports before and after, the files, the account, and how to use the tuned model.

    Tokens are counted in `after`; in `before` only where there is a token limit.
    `train` is the only data file where nothing was held back; paths are None where no such file was written. `rows`
    has the account of records: read = written + rejected + skipped. Of shards, `train` and `valid` are the pattern that
    means them (`NAME_train-*-of-00012.jsonl`), which ftprep takes as an input too; `files` lists them.
    """

    before: Report
    after: Report
    train: Path | None
    valid: Path | None
    rejected: Path | None
    manifest: Path | None
    rows: dict[str, int]
    mended: dict[str, int]
    split: Split | None
    accepted: tuple[Proposal, ...] = ()
    declined: tuple[Proposal, ...] = ()
    notes: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether something was written and it has no error."""
        return self.train is not None and self.after.ok

    def files(self, side: str = "train") -> list[Path]:
        """The written files of one side (`train`, `valid`, `rejected`) in order: one, its shards, or none."""
        path: Path | None = {"train": self.train, "valid": self.valid, "rejected": self.rejected}[side]
        if path is None:
            return []
        head, star, tail = path.name.rpartition("-*-of-")
        if not star or path.is_file():
            return [path]
        return sorted(path.parent.glob(f"{glob.escape(head)}-[0-9][0-9][0-9][0-9][0-9]-of-{tail}"))

    def frame(self, side: str = "train") -> pd.DataFrame:
        """The written examples of one side (`train`, `valid`, `rejected`) as a frame; empty where there is no file."""
        import jsonlines
        import pandas as pd

        files = self.files(side)
        if files and files[0].suffix.lower() == ".parquet":
            from ftprep.readers import open_tables, reader_of

            (table,) = open_tables(files)
            reader = reader_of(table)
            rows = [row.record for chunk in reader.chunks(table) for row in reader.decode(table, chunk)]
            return pd.DataFrame(rows, dtype=object)
        rows = []
        for path in files:
            with jsonlines.open(path) as lines:
                rows.extend(lines)
        return pd.DataFrame(rows, dtype=object) if files else pd.DataFrame()

    def __repr__(self) -> str:
        from ftprep.views.prepared import summary

        return summary(self)

    def _repr_html_(self) -> str:
        from ftprep.views.prepared import fragment

        return fragment(self)
