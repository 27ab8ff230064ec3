"""Which dead letters a command is about: its filters."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from services.console.connection import fail
from services.console.letter import SERVICES, Letter
from services.console.mailbox import MOST_PULLED, Mailbox
from services.shared.errors import REASONS

Reason = Annotated[str | None, typer.Option("--reason")]
FeedName = Annotated[str | None, typer.Option("--feed")]
Object = Annotated[str | None, typer.Option("--object", help="A glob on the object's name.")]
OlderThan = Annotated[str | None, typer.Option("--older-than", help="Such as 90s, 30m, 12h, 7d.")]
Ids = Annotated[list[str] | None, typer.Option("--id", help="May be repeated.")]
Service = Annotated[str | None, typer.Option("--service", help="ingest or merge.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1)]


@dataclass(frozen=True)
class Choice:
    services: Sequence[str]
    reason: str | None
    feed: str | None
    glob: str | None
    before: datetime | None
    ids: frozenset[str]

    def wants(self, letter: Letter) -> bool:
        return (
            (self.reason is None or letter.reason == self.reason)
            and (self.feed is None or letter.feed == self.feed)
            and (self.glob is None or fnmatch.fnmatchcase(letter.object or "", self.glob))
            and (not self.ids or letter.id in self.ids)
            and (self.before is None or letter.at < self.before)
        )

    def batches(self, mailbox: Mailbox, most: int = MOST_PULLED) -> Iterator[list[Letter]]:
        """The letters wanted, as many at a time as `most` of each service."""
        count = 0
        for batch in mailbox.batches(most):
            wanted = [letter for letter in batch if self.wants(letter)]
            count += len(wanted)
            if wanted:
                yield wanted
            if self._is_all(count):
                return

    def _is_all(self, count: int) -> bool:
        # The others need not be read.
        return bool(self.ids) and count == len(self.ids)


def choose(
    reason: str | None,
    feed: str | None,
    glob: str | None,
    older: str | None,
    ids: list[str] | None,
    service: str | None,
) -> Choice:
    """From the command line's options; exit code 2 for what makes no sense."""
    if service is not None and service not in SERVICES:
        fail(f"--service {service!r} is not one of: {', '.join(SERVICES)}", 2)
    if reason is not None and reason not in REASONS:
        fail(f"--reason {reason!r} is not one of: {', '.join(REASONS)}", 2)
    before = datetime.now(UTC) - read_age("--older-than", older) if older else None
    return Choice((service,) if service else SERVICES, reason, feed, glob, before, frozenset(ids or []))


def read_age(option: str, text: str) -> timedelta:
    match = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    if match is None:
        fail(f"{option} {text!r} is not a number and s, m, h or d, such as 12h", 2)
    return timedelta(seconds=int(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]])
