"""A local look-alike of the providers' fine-tuning APIs, so that the whole road can be tried without an account.

with Sandbox(folder) as server: ...            in a thread of this process
running = start_sandbox(folder)                as a process of its own, found again by its folder
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ftprep.sandbox.background import Running, start_sandbox, stop_sandbox
    from ftprep.sandbox.clocks import ManualClock, Pace
    from ftprep.sandbox.server import Sandbox

__all__ = ["ManualClock", "Pace", "Running", "Sandbox", "start_sandbox", "stop_sandbox"]

_HOMES = {
    "ManualClock": "clocks",
    "Pace": "clocks",
    "Running": "background",
    "Sandbox": "server",
    "start_sandbox": "background",
    "stop_sandbox": "background",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        message = f"module 'ftprep.sandbox' has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module

    return getattr(import_module(f"ftprep.sandbox.{_HOMES[name]}"), name)
