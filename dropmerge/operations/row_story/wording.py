"""Sentences about rows, with their values and without: some who may read the one may not read the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

HIDDEN = "●●●"
"""Stands for a value."""


@dataclass(frozen=True)
class Wording:
    full: str
    hidden: str
    """The same, with each value of a row hidden."""

    def __bool__(self) -> bool:
        return bool(self.full)

    def __str__(self) -> str:
        # Who forgets to say which one is meant shows no value.
        return self.hidden

    def shown(self, has_values: bool) -> str:
        return self.full if has_values else self.hidden


def value(text: object) -> Wording:
    """What a row has; None is NULL."""
    return Wording("NULL" if text is None else str(text), HIDDEN)


def say(form: str, *parts: object) -> Wording:
    """The form with a part for each `{}`. A part that is no wording is no value, and in both."""
    full = [part.full if isinstance(part, Wording) else part for part in parts]
    return Wording(form.format(*full), form.format(*(str(part) for part in parts)))


def joined(between: str, parts: Iterable[Wording]) -> Wording:
    """One after the other."""
    found = list(parts)
    return Wording(between.join(one.full for one in found), between.join(one.hidden for one in found))
