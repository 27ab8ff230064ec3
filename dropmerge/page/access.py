"""Who asks, and what they may."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from flask import Request


class Role(StrEnum):
    VIEWER = "viewer"
    """Looks; changes nothing."""
    OPERATOR = "operator"
    """Also replays, discards and takes discards back."""


@dataclass(frozen=True)
class Person:
    name: str
    """The account: what the journal says of who did something."""
    role: Role
    session: str
    """What the forms of this person's pages are bound to: another person's forms are refused."""


class Refused(Exception):
    """Nobody we know asks; the text says what to do."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Access(Protocol):
    """One way to know who asks."""

    def person(self, request: Request) -> Person:
        """Raises Refused."""
