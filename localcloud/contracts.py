"""The contracts of a feeds folder, identified by their bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from deploy.topology import contract_files

Contracts = Mapping[str, str]
"""File name to the SHA-256 of what is in it."""


def read_contracts(feeds: Path) -> dict[str, str]:
    """The contracts on disk now."""
    return {path.name: _digest(path) for path in contract_files(feeds)}


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return "unreadable"


def differences(then: Contracts, now: Contracts) -> list[str]:
    """One line per file that is new, gone or changed, by name."""
    names = sorted(name for name in {*then, *now} if then.get(name) != now.get(name))
    return [f"{name} {_what(then.get(name), now.get(name))}" for name in names]


def _what(then: str | None, now: str | None) -> str:
    if then is None:
        return "is new"
    return "was removed" if now is None else "has changed"
