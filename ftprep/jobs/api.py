"""Jobs from Python: submit, find again, watch, results. The command line does nothing that these do not."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftprep.errors import UsageError
from ftprep.jobs.capabilities import Capabilities, find_provider
from ftprep.jobs.connect import EMBEDDED, Connection, connect, offline, settle
from ftprep.jobs.files import look_at, method_of, sides_of
from ftprep.jobs.ledger import Entry, Ledger
from ftprep.jobs.model import DataFile, Job, JobSpec, Provider
from ftprep.jobs.patience import patiently
from ftprep.jobs.preflight import Preflight, look_over, target_of
from ftprep.jobs.submit import Ways, entry_for
from ftprep.jobs.submit import submit as carry_out
from ftprep.jobs.trouble import NotAccepted
from ftprep.jobs.watch import News, Watching, follow
from ftprep.redaction import Secret, without_keys_in_use

if TYPE_CHECKING:
    from ftprep.prepared import Prepared
    from ftprep.targets import Target


@dataclass(frozen=True)
class Request:
    """A job that is asked for, held against what is known; nothing is sent yet."""

    spec: JobSpec
    can: Capabilities
    connection: Connection
    target: Target
    preflight: Preflight
    entry: Entry

    def dry(self, ledger: Ledger) -> dict[str, Any]:
        """Exactly what would be sent, and what the ledger says of it. Opens no socket and needs no key."""
        provider = offline(self.can, self.connection)
        attempts = ledger.attempts(self.entry.base)
        live = next((e for e in attempts if e.state == "created" and not e.is_over), None)
        number = len(attempts) if attempts and all(e.is_over for e in attempts) else 0
        open_one = next((e for e in attempts if e.state != "created"), None)
        attempt = live or open_one
        key = attempt.key if attempt else self.spec.key(number)
        files = {"train": self.spec.train, "valid": self.spec.valid}
        body = provider.body(self.spec, _place(self.spec.train), _place(self.spec.valid), key)
        return {
            "request": provider.where(self.spec, key).replace("http://127.0.0.1:9", "(the sandbox)"),
            "body": body,
            "files": {k: {**vars(f), "sent_as": f.name} for k, f in files.items() if f},
            "key": key,
            "ledger": _verdict(live, open_one),
            "check": self.preflight.to_dict(),
        }


def _place(file: DataFile | None) -> str:
    return f"<id of {file.name}>" if file else ""


def _verdict(live: Entry | None, open_one: Entry | None) -> str:
    if live:
        return f"would adopt {live.job_id} ({live.status})"
    if open_one and open_one.state in ("sending", "unknown"):
        return "would look for the job of a request whose answer is not known"
    return "would create a job, unless the provider has one of this key"


def request(
    source: str | os.PathLike[str] | Prepared,
    *,
    provider: str,
    model: str,
    method: str | None = None,
    valid: str | os.PathLike[str] | None = None,
    hyper: Mapping[str, Any] | None = None,
    suffix: str = "",
    seed: int | None = None,
    wandb: Mapping[str, Any] | None = None,
    grader: Mapping[str, Any] | None = None,
    metadata: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
    classification: Mapping[str, Any] | None = None,
    base_url: str = "",
    api_version: str = "",
    account: str = "",
    organization: str = "",
    project: str = "",
    price: Decimal | None = None,
    checks: bool = True,
) -> Request:
    """Settle all of a job and hold it against its target, offline. Raises FtprepError; see `submit` for the rest."""
    can, connection = settle(provider, base_url, api_version, account, organization, project)
    if not model.strip():
        message = "a job needs a model"
        raise UsageError(message, "name the model to be tuned: --model")
    train, beside = sides_of(source)
    held_back = Path(valid) if valid is not None else beside
    files = look_at(train), look_at(held_back) if held_back else None
    official = can.name not in ("compatible", "sandbox")
    target = target_of(can, model, method, official)
    spec = JobSpec(
        provider=can.name,
        endpoint=connection.base_url,
        model=model.strip(),
        method=method or method_of(train) or target.method,
        train=files[0],
        valid=files[1],
        hyper=dict(hyper or {}),
        suffix=suffix,
        seed=seed,
        account=connection.who,
        wandb=dict(wandb or {}),
        grader=grader,
        metadata=dict(metadata or {}),
        extra=dict(extra or {}),
    )
    target = target.with_method(spec.method)
    preflight = look_over(spec, can, target, price=price, checks=checks)
    entry = entry_for(spec, connection.to_dict(), classification or {})
    return Request(spec, can, connection, target, preflight, entry)


def submit(
    source: str | os.PathLike[str] | Prepared,
    *,
    provider: str,
    model: str,
    ledger: str | os.PathLike[str] | None = None,
    api_key: str | None = None,
    api_key_file: str | os.PathLike[str] | None = None,
    new: bool = False,
    resubmit: bool = False,
    ways: Ways | None = None,
    **settings: Any,
) -> Job:
    """Create a fine-tuning job once: the same content and settings give the same job, however often this is called.

    `source` is what `prepare` returned, its manifest, or a JSONL file. `settings` are `method`, `valid`, `hyper`
    (`epochs`, `batch_size`, `learning_rate_multiplier` ...), `suffix`, `seed`, `wandb`, `grader`, `metadata`, `extra`
    (sent as they are), `classification` (kept for a later evaluation), `base_url`, `api_version`, `account`,
    `organization`, `project`, `price` (USD per million tokens) and `checks`. `new` makes one more of the same;
    `resubmit` sends again what may have been lost. The key is read from the environment, `api_key_file` or `api_key`.
    Raises NotAccepted where the target would refuse the set, Refused, Throttled or Unreachable where no job was made,
    OutcomeUnknown where one may have been.
    """
    asked = request(source, provider=provider, model=model, **settings)
    return send(asked, Ledger(ledger), api_key, api_key_file, new=new, resubmit=resubmit, ways=ways)


def send(
    asked: Request,
    ledger: Ledger,
    api_key: str | None = None,
    api_key_file: str | os.PathLike[str] | None = None,
    *,
    new: bool = False,
    resubmit: bool = False,
    ways: Ways | None = None,
) -> Job:
    """Carry out a request. Raises as `submit` does."""
    if not asked.preflight.ok:
        first = next(p for p in asked.preflight.problems if p.severity == "error")
        hint = f"`ftprep prepare --target {asked.target.selector}` writes what it takes, as far as that can be mended; "
        raise NotAccepted(first.message, f"{hint}--no-check (checks=False) goes on where you know better")
    key = Secret(api_key) if api_key else None
    provider = connect(asked.can, asked.connection, api_key_file, key, ledger.folder)
    said = json.dumps(asked.entry.spec)
    if without_keys_in_use(said) != said:
        message = "a key is among the settings of the job"
        raise UsageError(message, "keys come from the environment or a file, and are in no setting")
    ways = replace(ways or Ways(), new=new, resubmit=resubmit)
    return carry_out(asked.spec, provider, ledger, asked.entry, ways)


@dataclass(frozen=True)
class Found:
    """A job that was found again, with all that is needed to speak of it. `entry` is None for one made elsewhere."""

    id: str
    provider: Provider
    ledger: Ledger
    entry: Entry | None


def find(
    name: str | None,
    ledger: Ledger,
    provider: str = "",
    api_key_file: str | os.PathLike[str] | None = None,
    key: Secret | None = None,
    **address: str,
) -> Found:
    """A job by id, key or the beginning of one; the newest without a name; one that is not in the ledger by its id and
    its provider. Raises UsageError."""
    entry = ledger.find(name)
    if entry is not None:
        connection = Connection.kept(entry.connection)
        if address.get("base_url") and connection.base_url != EMBEDDED:
            connection = replace(connection, base_url=address["base_url"])
        can = find_provider(connection.provider)
        return Found(entry.job_id, connect(can, connection, api_key_file, key, ledger.folder), ledger, entry)
    if name is None or not provider:
        if name is None:
            message = f"no job is in the ledger {ledger.folder}"
            raise UsageError(message, "`ftprep jobs submit` makes one; --ledger names another ledger")
        message = f"no job {name!r} is in the ledger {ledger.folder}"
        hint = "`ftprep jobs list` has them, of whose names four characters are enough"
        raise UsageError(message, f"{hint}; give the --provider of a job that was made elsewhere")
    can, connection = settle(provider, **address)
    return Found(name, connect(can, connection, api_key_file, key, ledger.folder), ledger, None)


def spec_of(entry: Entry) -> JobSpec:
    """What an entry of the ledger asked for."""
    said = dict(entry.spec)
    for side in ("train", "valid"):
        said[side] = DataFile(**said[side]) if said.get(side) else None
    return JobSpec(**said)


def resolve(found: Found, ways: Ways) -> Job:
    """Look again for the job of a request whose answer is not known; raises OutcomeUnknown where there is none."""
    entry = found.entry
    if entry is None:
        message = "only what is in the ledger can be resolved"
        raise UsageError(message, "`ftprep jobs list` has it")
    if entry.state in ("intent", "refused") and not ways.resubmit:
        message = f"no request of {entry.key[:12]} was carried out: there is nothing to look for"
        raise UsageError(message, "submit the job again")
    spec = spec_of(entry)
    if ways.resubmit:
        for file in filter(None, (spec.train, spec.valid)):
            if look_at(file.path).sha256 != file.sha256:
                message = f"{file.path} is not what it was"
                raise UsageError(message, "submit the job anew")
    return carry_out(spec, found.provider, found.ledger, entry, replace(ways, attempt=entry.attempt))


def get(found: Found) -> Job:
    """The job as it is now; the ledger learns of it."""
    with_id(found)
    job = patiently(lambda: found.provider.get(found.id), Ways().sleep, lambda _line: None)
    if found.entry is not None:
        found.ledger.save(found.entry.seen(job))
        job = replace(job, key=found.entry.key)
    return replace(job, ledger=str(found.ledger.folder), connection=found.provider)


def news(found: Found, watching: Watching | None = None) -> Iterator[News]:
    """What happens to a job, until it is over."""
    with_id(found)
    return follow(found.id, found.provider, found.ledger, found.entry, watching)


def with_id(found: Found) -> Found:
    """The same job, which must have an id; raises UsageError for a request without a job."""
    if not found.id:
        key = found.entry.key[:12] if found.entry else ""
        message = f"no job is known of {key}: its request had no clear answer, or was not sent"
        raise UsageError(message, f"`ftprep jobs resolve {key}` looks for it")
    return found


def watch(job: Job, tell: Callable[[News], None] | None = None, timeout: float | None = None, **how: Any) -> Job:
    """Follow a job to its end, or for `timeout` seconds; `tell` gets the news (printed where left out).

    Network trouble is told and waited out. Raises ProviderError where the provider refuses to answer.
    """
    ledger = Ledger(job.ledger or None)
    if job.connection is not None:
        found = Found(job.id, job.connection, ledger, ledger.find(job.key) if job.key else None)
    else:
        found = find(job.id, ledger)
    tell = tell or _print
    for each in news(found, Watching(timeout=timeout, **how)):
        tell(each)
        job = each.job if each.kind == "status" and each.job else job
    return job


def _print(news: News) -> None:
    from ftprep.jobs.telling import line_of

    print(line_of(news), flush=True)  # noqa: T201 - a library call whose purpose it is
