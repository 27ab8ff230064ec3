"""`dropmerge status --check`: whether anything needs somebody, also where not all of it can be looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dropmerge.operations.connection import Connection
from dropmerge.operations.no_answer import NoAnswer
from dropmerge.operations.status import attention
from dropmerge.operations.status.attention import Attention
from dropmerge.operations.status.read import Reader


@dataclass(frozen=True)
class Check:
    as_of: datetime
    problems: list[Attention]

    @property
    def is_ok(self) -> bool:
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        """Keys ok, as_of, problems."""
        problems = [one.as_json() for one in self.problems]
        return {"ok": self.is_ok, "as_of": self.as_of.isoformat(), "problems": problems}


def check(connection: Connection, reader: Reader) -> Check:
    """A part that does not answer is a problem; what can be known without it is looked at all the same."""
    now = datetime.now(UTC)
    try:
        return Check(now, reader.read().attention)
    except NoAnswer as error:
        silent = error
    problems = [_silent(silent)]
    others: list[Callable[[], Iterable[Attention]]] = [
        lambda: list(attention.of_services(connection, reader.services())),
        lambda: list(attention.of_letters(reader.letters(), now)),
    ]
    for other in others:
        try:
            problems += other()
        except NoAnswer as error:
            problems += [] if error.api == silent.api else [_silent(error)]
    return Check(now, problems)


def _silent(error: NoAnswer) -> Attention:
    command = "dropmerge up --detach" if error.api.is_local else "dropmerge status"
    return Attention("no_answer", None, error.headline, command)
