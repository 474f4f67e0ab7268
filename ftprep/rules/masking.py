"""How findings show what must not be shown: its first characters, at most four, and its last, at most two."""

from __future__ import annotations


def mask(secret: str) -> str:
    """A private text so that one finds it again and nobody can use it: at most a third of its characters."""
    shown = min(6, len(secret) // 3)
    end = shown // 3
    return f"{secret[: shown - end]}…{secret[len(secret) - end :] if end else ''}"


def masked(count: int, what: str, first: str, whats: str = "") -> tuple[str, str]:
    """Message and excerpt of texts of a kind, of which the first is shown: `2 e-mail addresses (jane…om)`."""
    thing = what if count == 1 else whats or what + "s"
    shown = mask(first)
    return f"the text holds {count:,} {thing}: {shown}" + (" and others" if count > 1 else ""), shown
