"""Replacing what bqemulator 1.4.0 does and keeps, and that of no other version without being told."""

from __future__ import annotations

import sys
from typing import Any


def replace(owner: Any, name: str, by: Any) -> Any:
    """The original. Ends the process when `owner` has no such function that takes what `by` takes."""
    original = getattr(owner, name, None)
    code = getattr(original, "__code__", None)
    if code is None or _arguments(code) != _arguments(by.__code__):
        _refuse(owner, name)
    setattr(owner, name, by)
    return original


def replace_store(module: Any, name: str, by: Any) -> None:
    """Ends the process when the module has no such dictionary, or has begun to fill it."""
    if getattr(module, name, None) != {}:
        _refuse(module, name)
    setattr(module, name, by)


def _arguments(code: Any) -> tuple[str, ...]:
    return tuple(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])


def _refuse(owner: Any, name: str) -> None:
    sys.exit(f"{owner.__name__} has no {name} as this expects: pin the bqemulator that requirements-dev.in names")
