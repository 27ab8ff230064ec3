"""Which contracts the services run, and where these are not the ones on disk."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from deploy.topology import SERVICES
from dropmerge.operations.connection import Connection

Contracts = Mapping[str, str]
"""Feed to fingerprint."""
_LOOK_BACK_DAYS = (2, 40, 4000)


@dataclass(frozen=True)
class Deployed:
    on_disk: Contracts
    running: Mapping[str, Contracts]
    """By service, as it was started last; a service that never was is not there."""
    since: Mapping[str, datetime]
    """When each was started."""

    def as_json(self) -> dict[str, Contracts]:
        """Keys on_disk, and each service that was started."""
        return {"on_disk": self.on_disk, **self.running}

    def differences(self) -> Iterator[str]:
        """One line per feed that a service does not run as it is on disk."""
        names = sorted({*self.on_disk, *(feed for some in self.running.values() for feed in some)})
        for name in names:
            others = [service for service in self.running if self.running[service].get(name) != self.on_disk.get(name)]
            if others:
                started = [f"{one} (started {self.since[one]:%Y-%m-%d %H:%M:%S} UTC)" for one in others]
                yield f"{' and '.join(started)} {_runs(len(others))} {self._what(name, others)}"

    def unchanged(self, failed: Iterable[tuple[str, str, str]]) -> Iterator[str]:
        """Of service, feed and contract of dead letters: where the service still runs that very contract."""
        for service, feed, contract in sorted(failed):
            if self.running.get(service, {}).get(feed) == contract:
                yield (
                    f"{service} still runs the contract of {feed} under which these files failed ({contract}): "
                    "deploy one that accepts them, or they will fail again"
                )

    def _what(self, name: str, services: list[str]) -> str:
        if name not in self.on_disk:
            return f"the feed {name}, which has no contract in your folder"
        if all(name not in self.running[service] for service in services):
            return f"without the feed {name}"
        return f"another contract of {name} than the one in your folder ({self.on_disk[name]})"


def read_deployed(connection: Connection) -> Deployed:
    """From the services' own reports, which the journal keeps."""
    rows = _last_starts(connection)
    known = [service for service in SERVICES if service in rows]
    return Deployed(
        {name: feed.fingerprint for name, feed in connection.feeds.items()},
        {service: json.loads(rows[service]["detail"])["contracts"] for service in known},
        {service: rows[service]["happened_at"] for service in known},
    )


def _last_starts(connection: Connection) -> dict[str, Any]:
    """By service. Looked for in ever more of the journal, which is partitioned by day: most have started lately."""
    rows: dict[str, Any] = {}
    for days in _LOOK_BACK_DAYS:
        since = datetime.now(UTC) - timedelta(days=days)
        rows = {
            row["service"]: row for row in connection.query("services_started.sql", {"since": ("TIMESTAMP", since)})
        }
        if rows.keys() >= set(SERVICES):
            break
    return rows


def _runs(count: int) -> str:
    return "runs" if count == 1 else "run"
