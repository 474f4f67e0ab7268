"""Jobs and what happens to them in words: one line for each piece of news, the same in the terminal and in Python."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ftprep.jobs.model import Event, Job
from ftprep.jobs.watch import News
from ftprep.views.plain import safe


def time_of(seconds: float) -> str:
    """A time of day in UTC, blanks where it is not known."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S") if seconds else " " * 19
    except (ValueError, OverflowError, OSError):
        return " " * 19


def line_of(news: News) -> str:
    """A piece of news as one line that is safe to print."""
    if news.kind == "event" and news.event:
        return event_line(news.event)
    if news.kind == "status" and news.job:
        return status_line(news.job)
    return safe(news.message)


def event_line(event: Event) -> str:
    """An event as one line."""
    level = "" if event.level == "info" else f"{event.level}: "
    return safe(f"{time_of(event.created)}  {level}{event.message}")


def status_line(job: Job) -> str:
    """What a job is now, and what came of it."""
    told = f"{job.id}: {job.status}"
    told += f" ({job.raw_status})" if job.status == "unknown" and job.raw_status else ""
    told += f", the model is {job.model_out}" if job.model_out else ""
    told += f": {job.error}" if job.error else ""
    return safe(told)


def figures(data: Any) -> str:
    """The figures of a step in a few words."""
    known = (("train_loss", "loss"), ("valid_loss", "valid loss"), ("train_mean_token_accuracy", "accuracy"))
    return ", ".join(f"{word} {data[name]:.4g}" for name, word in known if isinstance(data.get(name), int | float))
