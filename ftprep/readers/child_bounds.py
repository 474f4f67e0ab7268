"""What a child process may take of memory and time. Children import this file by itself, so it imports nothing."""

from __future__ import annotations


def bound(memory: int, seconds: int = 0) -> None:
    """Bounds addresses (bytes) and processor time (seconds, 0 for no bound) where the system can."""
    try:
        import resource
    except ImportError:  # Windows
        return
    limits = [(resource.RLIMIT_AS, memory), (resource.RLIMIT_CORE, 0)]
    for what, limit in [*limits, (resource.RLIMIT_CPU, seconds)] if seconds else limits:
        _, hard = resource.getrlimit(what)
        if hard == resource.RLIM_INFINITY or limit < hard:
            try:
                resource.setrlimit(what, (limit, limit))
            except (ValueError, OSError):  # macOS does not bound addresses
                continue
