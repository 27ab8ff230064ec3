"""Every statement that the operations send: one file each, with what it answers and its parameters."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.shared.sql import Templates


def statement(name: str, **identifiers: Any) -> str:
    """A statement by its file's name. What is filled in is a contract, whose names are checked where it is read."""
    return _templates().render(name, **identifiers)


@cache
def _templates() -> Templates:
    # Help and completion need none.
    from services.shared.sql import Templates

    return Templates(Path(__file__).parent)
