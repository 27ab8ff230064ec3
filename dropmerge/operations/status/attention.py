"""What needs somebody: each in a sentence, with the command to type next."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from dropmerge.operations.connection import Connection
from dropmerge.operations.deployed import Deployed
from dropmerge.operations.loads.status import LoadStatus
from dropmerge.operations.no_answer import PUBSUB
from dropmerge.operations.status.ages import age, duration
from dropmerge.operations.status.failures import Failure
from dropmerge.operations.status.feeds import FeedStatus
from dropmerge.operations.status.letters import LetterGroup, Letters
from dropmerge.operations.status.services import ServiceHealth
from dropmerge.operations.status.states import ServiceState

_MAX_ERROR = 160


@dataclass(frozen=True)
class Attention:
    what: str
    """service, late, unannounced, dead_letters, contracts, no_answer."""
    feed: str | None
    sentence: str
    command: str
    """To type next."""

    def as_json(self) -> dict[str, str | None]:
        return asdict(self)


def of_services(connection: Connection, services: Mapping[str, ServiceHealth]) -> Iterator[Attention]:
    """Those that take no messages."""
    for service, health in services.items():
        if health.state.needs_somebody:
            yield Attention("service", None, health.sentence, _look_at(connection, service, health.state))


def of_letters(letters: Letters, now: datetime) -> Iterator[Attention]:
    """Those that name no feed first: they are in no feed's line."""
    for feed, group in sorted(letters.groups.items(), key=lambda one: one[0] or ""):
        if feed is None:
            command = f"dropmerge dead-letters list --reason {group.reasons.most_common(1)[0][0]}"
        else:
            command = f"dropmerge dead-letters list --feed {shlex.quote(feed)}"
        yield Attention("dead_letters", feed, _of_group(feed, group, now), command)
    held = letters.count - sum(group.count for group in letters.groups.values())
    if held > 0:
        what = "1 more dead letter is waiting" if held == 1 else f"{held} more dead letters are waiting"
        sentence = f"{what}; another command holds what could not be read just now"
        yield Attention("dead_letters", None, sentence, "dropmerge dead-letters list")


def of_feeds(feeds: Mapping[str, FeedStatus], now: datetime) -> Iterator[Attention]:
    """Those with files that wait for too long."""
    for name, feed in feeds.items():
        if feed.late:
            oldest = feed.late.oldest
            what = "1 file is late" if feed.late.count == 1 else f"{feed.late.count} files are late"
            sentence = f"{name}: {what}; {oldest.object} is {oldest.state} after {age(oldest.at, now)}"
            if feed.failing:
                sentence += f"; {failed(feed.failing.failure, now)}"
            yield Attention("late", name, sentence, f"dropmerge explain {shlex.quote(str(oldest.source))}")


def of_unannounced(connection: Connection, loads: Sequence[LoadStatus], now: datetime) -> Iterator[Attention]:
    """Young files whose notification seems lost."""
    found = [load for load in loads if load.is_unannounced]
    if found:
        oldest = min(found, key=lambda load: load.created)
        what = "1 file was" if len(found) == 1 else f"{len(found)} files were"
        sentence = f"{what} never announced: {oldest.source.name} is in the bucket since {age(oldest.created, now)}"
        where = oldest.source.uri if len(found) == 1 else f"gs://{connection.landing}/{connection.landing_prefix}"
        yield Attention("unannounced", oldest.feed, sentence, f"dropmerge backfill {shlex.quote(where)}")


def of_contracts(connection: Connection, contracts: Deployed) -> Iterator[Attention]:
    """A service that runs another contract than is on disk."""
    command = "dropmerge up --restart --detach" if _is_local(connection) else "make deploy-ingest deploy-merge"
    for difference in contracts.differences():
        yield Attention("contracts", None, difference, command)


def failed(failure: Failure, now: datetime) -> str:
    """The last attempt and the next, in words."""
    error = failure.error if len(failure.error) <= _MAX_ERROR else f"{failure.error[:_MAX_ERROR]}…"
    left = (failure.next_try_at - now).total_seconds()
    due = f"next try in at most {duration(left)}" if left > 0 else "the next try is due"
    return f"attempt {failure.attempt} of {failure.service} failed {age(failure.at, now)} ago: {error}; {due}"


def _of_group(feed: str | None, group: LetterGroup, now: datetime) -> str:
    reasons = ", ".join(
        reason if count == group.count else f"{count} {reason}" for reason, count in group.reasons.most_common()
    )
    what = "1 dead letter" if group.count == 1 else f"{group.count} dead letters"
    example = f", e.g. {group.example}" if group.example else ""
    return f"{feed or '(no feed)'}: {what} ({reasons}), the oldest {age(group.oldest, now)} old{example}"


def _look_at(connection: Connection, service: str, state: ServiceState) -> str:
    if not _is_local(connection):
        wanted = f'resource.labels.service_name="{connection.topology.name_prefix}{service}" AND severity>=WARNING'
        return f"gcloud logging read '{wanted}' --limit 20 --project {connection.project}"
    if state == ServiceState.DOWN:
        return "dropmerge up --detach"
    return f"tail {shlex.quote(os.environ.get('DROPMERGE_STATE', '.local'))}/logs/{service}.log"


def _is_local(connection: Connection) -> bool:
    return PUBSUB.is_local and not connection.bucket_prefix
