"""Submitting: each step is in the ledger before it is taken, and what may have happened is looked for, not repeated."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from ftprep.errors import UsageError
from ftprep.jobs.ledger import Entry, KeptFile, Ledger
from ftprep.jobs.model import TERMINAL, DataFile, FileRef, Job, JobSpec, Provider, Told
from ftprep.jobs.patience import LOOKS, patiently, pause_of
from ftprep.jobs.trouble import PASSING, OutcomeUnknown, ProviderError, Refused, Throttled, Unclear, Unreachable

CLOCKS_DIFFER = 900.0
"""Seconds by which a provider's clock may be behind ours."""

MOST_WAIT = 120.0
"""Seconds that are waited in all for a provider that says "not now"."""

FILE_WAIT = 1800.0
T = TypeVar("T")


@dataclass(frozen=True)
class Ways:
    """How a submit goes about it. `looks` are the pauses before each look for a job, in seconds; `attempt` is the one
    attempt that is meant, None for the first that is not over."""

    told: Told = lambda _line: None
    looks: Sequence[float] = LOOKS
    patience: float = MOST_WAIT
    file_wait: float = FILE_WAIT
    sleep: Callable[[float], None] = lambda seconds: time.sleep(seconds)  # noqa: PLW0108 - found when it is called
    new: bool = False
    resubmit: bool = False
    attempt: int | None = None


def submit(spec: JobSpec, provider: Provider, ledger: Ledger, entry: Entry, ways: Ways | None = None) -> Job:
    """Create the job, or find the one that there is: exactly one for its key.

    `entry` is what to write down of an attempt that is new. Raises Refused, Throttled or Unreachable where no job was
    made, OutcomeUnknown where one may have been.
    """
    ways = ways or Ways()
    with ledger.locked(entry.base):
        return _Submission(spec, provider, ledger, ways).run(entry)


@dataclass(frozen=True)
class _Submission:
    spec: JobSpec
    provider: Provider
    ledger: Ledger
    ways: Ways

    def run(self, fresh: Entry) -> Job:
        for known in self._attempts(fresh):
            entry = known
            if known.state == "created":
                if self.ways.new:
                    continue
                entry = self._refreshed(known)
                if entry.is_over and self.ways.attempt is None:
                    self.ways.told(f"{entry.job_id} {entry.status}: another one is made")
                    continue
                self.ways.told(f"this job is there already: {entry.job_id} ({entry.status})")
                return self._as_job(entry, adopted=True)
            return self._carried_out(entry)
        raise AssertionError("there is always one more attempt")

    def _attempts(self, fresh: Entry) -> Iterator[Entry]:
        """The attempts in order, then the one after them."""
        known = self.ledger.attempts(fresh.base)
        if self.ways.attempt is not None:
            yield known[self.ways.attempt]
            return
        for old in known:
            # What is sent stays as it was; what is only for us is that of now.
            yield replace(old, classification=fresh.classification or old.classification)
        number = known[-1].attempt + 1 if known else 0
        yield replace(fresh, attempt=number, key=self.spec.key(number), made_at=time.time())

    def _refreshed(self, entry: Entry) -> Entry:
        if entry.status in TERMINAL:
            return entry
        try:
            job = self.provider.get(entry.job_id)
        except Refused as error:
            if error.status != 404:
                raise
            message = f"{self.provider.host} does not know {entry.job_id}, which the ledger has for this"
            hint = "is the key one of another account? --new makes a job of its own there"
            raise Refused(message, hint, 404) from None
        except PASSING as error:
            self.ways.told(f"{error.message}: what is known of {entry.job_id} is from before")
            return entry
        return self.ledger.save(entry.seen(job))

    def _carried_out(self, entry: Entry) -> Job:
        entry = self.ledger.save(entry if entry.notes else replace(entry, state="intent").noted("intent"))
        if entry.state in ("sending", "unknown") and not self.provider.can.client_ids:
            if found := self._looked_for(entry):
                return found
            if not self.ways.resubmit:
                raise self._not_known(entry)
            entry = self.ledger.save(entry.noted("sent again, as asked for"))
        else:
            # The ledger may be new where the job is not: another computer, or a folder that was cleaned.
            found = self._adopted(entry, self._asked(lambda: self._found(entry, since=0.0)))
            if found is not None and not self._must_differ(found):
                return found
            if found is not None:
                return self.run(replace(entry, attempt=0, job_id="", state="intent", notes=()))
        entry = self._with_files(entry)
        return self._sent(entry)

    def _must_differ(self, found: Job) -> bool:
        """Whether the job that was found is not the one wanted: it failed, or a second one is asked for."""
        return self.ways.attempt is None and (self.ways.new or found.status in ("failed", "cancelled"))

    def _sent(self, entry: Entry) -> Job:
        body = self.provider.body(self.spec, entry.files["train"], entry.files.get("valid", ""), entry.key)
        waited = 0.0
        for tried in range(1000):
            sending = replace(entry, state="sending", sent_at=time.time(), sendings=entry.sendings + 1)
            entry = self.ledger.save(sending.noted("sending"))
            try:
                job = self.provider.create(self.spec, body, entry.key)
            except Refused as error:
                self.ledger.save(replace(entry, state="refused").noted(f"refused: {error.message}"))
                raise
            except (Throttled, Unreachable) as error:
                pause = pause_of(error, tried)
                entry = self.ledger.save(replace(entry, state="intent").noted(f"not sent: {error.message}"))
                waited += pause
                if waited > self.ways.patience or (isinstance(error, Unreachable) and tried >= 3):
                    raise
                self.ways.told(f"{error.message}; trying again in {pause:.0f} s")
                self.ways.sleep(pause)
            except Unclear as error:
                self.ways.told(f"{error.message}; looking whether the job was created")
                entry = self.ledger.save(entry.noted(f"no clear answer: {error.message}"))
                if found := self._looked_for(entry):
                    return found
                raise self._not_known(entry) from None
            else:
                return self._created(entry, job, "created")
        raise AssertionError("the deadline comes first")

    def _looked_for(self, entry: Entry) -> Job | None:
        """The job that the last request has made, if it can be found."""
        since = max(0.0, entry.sent_at - CLOCKS_DIFFER)
        for number, pause in enumerate(self.ways.looks):
            if number:
                self.ways.told(f"no job yet; looking again in {pause:.0f} s")
            self.ways.sleep(pause)
            try:
                found = self._found(entry, since)
            except ProviderError as error:  # whatever it is, it does not tell that there is no job
                self.ways.told(error.message)
                continue
            if job := self._adopted(entry, found):
                return job
        return None

    def _found(self, entry: Entry, since: float) -> list[Job]:
        """Jobs of this key that no other entry has."""
        train = entry.files.get("train", "")
        if not train and self.provider.can.metadata != "kept" and not self.provider.can.client_ids:
            known = self.provider.find_file(self.spec.train)
            train = known.id if known else ""
        # Without metadata only what was made since our own request can be ours: nothing was, where none was sent.
        if self.provider.can.metadata == "perhaps" and not entry.sent_at:
            train = ""
        others = {e.job_id for e in self.ledger.entries() if e.job_id and e.key != entry.key}
        return [j for j in self.provider.find_jobs(self.spec, entry.key, train, since) if j.id not in others]

    def _adopted(self, entry: Entry, found: list[Job]) -> Job | None:
        if not found:
            return None
        for other in found[1:]:
            self.ways.told(f"there is one more job of this key, {other.id}: `ftprep jobs cancel {other.id}` ends it")
        return self._created(entry, found[0], "adopted", adopted=True)

    def _created(self, entry: Entry, job: Job, how: str, adopted: bool = False) -> Job:
        saved = replace(entry, state="created", job_id=job.id).seen(job).noted(f"{how}: {job.id}")
        self.ledger.save(saved)
        if adopted:
            self.ways.told(f"the job is there: {job.id} ({job.status})")
        return replace(job, key=entry.key, adopted=adopted, ledger=str(self.ledger.folder), connection=self.provider)

    def _as_job(self, entry: Entry, adopted: bool) -> Job:
        job = entry.job(str(self.ledger.folder))
        return replace(job, adopted=adopted, connection=self.provider)

    def _not_known(self, entry: Entry) -> OutcomeUnknown:
        self.ledger.save(replace(entry, state="unknown").noted("not found"))
        message = f"whether {self.provider.host} has created the job is not known (key {entry.key})"
        hint = (
            f"`ftprep jobs resolve {entry.key[:12]}` looks again; when you are sure that there is none (look at your "
            f"account), `ftprep jobs resolve {entry.key[:12]} --resubmit` sends it once more"
        )
        return OutcomeUnknown(message, hint, entry.key)

    def _with_files(self, entry: Entry) -> Entry:
        files = {}
        for side in ("train", "valid"):
            file: DataFile | None = getattr(self.spec, side)
            if file is not None:
                files[side] = self._uploaded(file)
        return self.ledger.save(replace(entry, files=files).noted("files are ready"))

    def _uploaded(self, file: DataFile) -> str:
        kept = self.ledger.file(f"{self.spec.provider} {self.spec.endpoint} {self.spec.account}", file.sha256)
        ref = self._kept(kept) or self._asked(lambda: self.provider.find_file(file))
        if ref is None:
            size = f"{file.bytes:,} bytes"
            self.ways.told(f"uploading {Path(file.path).name}: {size}")
            ref = self._send_file(file, kept)
        else:
            self.ways.told(f"{Path(file.path).name} is there already: {ref.id}")
        kept.save({"id": ref.id})
        ref = self._ready(ref)
        if ref.state == "error":
            kept.save({})
            raise Refused(f"{self.provider.host} cannot use {file.path}: {ref.reason}", "`ftprep check` says more")
        return ref.id

    def _kept(self, kept: KeptFile) -> FileRef | None:
        known = kept.load().get("id")
        if not isinstance(known, str) or not known:
            return None
        try:
            ref = self._asked(lambda: self.provider.file_state(FileRef(known)))
        except Refused:
            return None  # it was deleted there
        return None if ref.state == "error" else ref

    def _send_file(self, file: DataFile, kept: KeptFile) -> FileRef:
        """Send it; a second copy would cost nothing, but what may have arrived is looked for first."""
        for tried in range(4):
            try:
                ref = self.provider.upload(file, kept, self.ways.told)
            except PASSING as error:
                if tried == 3:
                    raise
                self.ways.told(error.message)
                self.ways.sleep(pause_of(error, tried))
                if found := self._asked(lambda: self.provider.find_file(file)):
                    return found
            else:
                from ftprep.jobs.files import look_at

                if look_at(file.path).sha256 != file.sha256:
                    message = f"{file.path} changed while it was sent"
                    raise UsageError(message, "submit again when it is complete")
                return ref
        raise AssertionError("the last try raises")

    def _ready(self, ref: FileRef) -> FileRef:
        """The file when the provider has looked at it: jobs on others are refused by some."""
        deadline, pause = time.monotonic() + self.ways.file_wait, 1.0
        while ref.state == "waiting" and time.monotonic() < deadline:
            self.ways.told(f"waiting until {ref.id} is ready")
            self.ways.sleep(pause)
            pause = min(pause * 1.5, 15.0)
            asked = ref
            ref = self._asked(lambda asked=asked: self.provider.file_state(asked))  # type: ignore[misc]
        if ref.state == "waiting":
            raise Throttled(f"{ref.id} is not ready after {self.ways.file_wait:.0f} s", "submit again: it is not lost")
        return ref

    def _asked(self, call: Callable[[], T]) -> T:
        """What a request that changes nothing answers, asked again where that may help."""
        return patiently(call, self.ways.sleep, self.ways.told)


def entry_for(spec: JobSpec, connection: Mapping[str, Any], classification: Mapping[str, Any]) -> Entry:
    """What to write down of a job that is asked for."""
    key = spec.key()
    return Entry(
        key, 0, key, "intent", spec.provider, dict(connection), asdict(spec), classification=dict(classification)
    )
