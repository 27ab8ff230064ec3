"""Everything that `dropmerge status` shows, read at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from dropmerge.operations.connection import Connection
from dropmerge.operations.deployed import Deployed, read_deployed
from dropmerge.operations.loads.in_flight import InFlight
from dropmerge.operations.loads.landing import in_part
from dropmerge.operations.status import attention
from dropmerge.operations.status.attention import Attention
from dropmerge.operations.status.feeds import LATELY, FeedStatus, read_feeds
from dropmerge.operations.status.letters import Letters, WaitingLetters
from dropmerge.operations.status.services import ServiceHealth, read_services
from dropmerge.operations.status.totals import read_totals

MAX_AGE = timedelta(minutes=30)
"""As the alert has it: how long a file may be on its way."""


@dataclass(frozen=True)
class Ignored:
    """Objects of the landing bucket that no feed wants and none has to, in the last 24 h."""

    last_day: int
    example: str | None


@dataclass(frozen=True)
class Status:
    as_of: datetime
    feeds: Mapping[str, FeedStatus]
    letters: Letters
    messages_in_flight: int
    contracts: Deployed
    services: Mapping[str, ServiceHealth]
    ignored: Ignored
    attention: list[Attention]
    """What needs somebody, the most urgent first."""
    in_part: str | None = None
    """That the landing bucket has more files than were looked at, in words."""

    def as_json(self) -> dict[str, Any]:
        """Keys as_of, attention, feeds, no_feed, dead_letters, messages_in_flight, services, contracts, ignored, and
        in_part."""
        no_feed = self.letters.groups.get(None)
        return {
            "as_of": self.as_of.isoformat(),
            "attention": [one.as_json() for one in self.attention],
            "feeds": {name: one.as_json() for name, one in self.feeds.items()},
            "no_feed": no_feed.as_json() if no_feed else None,
            "dead_letters": self.letters.count,
            "messages_in_flight": self.messages_in_flight,
            "services": {name: one.as_json() for name, one in self.services.items()},
            "contracts": self.contracts.as_json(),
            "ignored": asdict(self.ignored),
            "in_part": self.in_part,
        }


class Reader:
    """For one command, which may ask many times."""

    def __init__(self, connection: Connection, max_age: timedelta = MAX_AGE) -> None:
        self._connection = connection
        self._max_age = max_age
        self._in_flight = InFlight(connection)
        self._letters = WaitingLetters(connection)

    def services(self) -> dict[str, ServiceHealth]:
        return read_services(self._connection)

    def letters(self) -> Letters:
        return self._letters.read()

    def read(self, with_totals: bool = False) -> Status:
        """Seven queries or so, whatever the number of feeds; with totals three more, which read all that there is."""
        connection = self._connection
        snapshot = self._in_flight.snapshot()
        services, letters = self.services(), self.letters()
        totals = read_totals(connection, snapshot.loads) if with_totals else None
        feeds = read_feeds(connection, snapshot, letters, services, self._max_age, totals)
        contracts = read_deployed(connection)
        now = datetime.now(UTC)
        urgent = chain(
            attention.of_services(connection, services),
            attention.of_feeds(feeds, now),
            attention.of_unannounced(connection, snapshot.loads, now),
            attention.of_letters(letters, now),
            attention.of_contracts(connection, contracts),
        )
        ignored = _ignored(connection, now)
        part = None if snapshot.is_whole else in_part(connection)
        return Status(now, feeds, letters, snapshot.messages, contracts, services, ignored, list(urgent), part)


def _ignored(connection: Connection, now: datetime) -> Ignored:
    rows = connection.query("ignored_lately.sql", {"since": ("TIMESTAMP", now - LATELY)})
    return Ignored(rows[0]["n"], rows[0]["example"]) if rows else Ignored(0, None)
