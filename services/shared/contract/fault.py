"""What is wrong with a contract, and where: raised by a model's validator, read back from pydantic's error."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

Place = tuple[str | int, ...]
"""Names of keys and numbers of items, from the outermost."""
TYPE = "contract"
"""Of the error, in pydantic's terms."""


@dataclass(frozen=True)
class Fault:
    place: Place
    what: str


def refuse(model: str, faults: Iterable[Fault]) -> None:
    """Raises ValidationError, each fault with its place, if there is one: pydantic takes it for errors of its own."""
    errors = [
        InitErrorDetails(type=PydanticCustomError(TYPE, "{what}", {"what": one.what}), loc=one.place, input=None)
        for one in faults
    ]
    if errors:
        raise ValidationError.from_exception_data(model, errors)
