"""Which dead letters an address means: the list and the question before an action read it alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from deploy.topology import SERVICES
from dropmerge.operations.dead_letters.board import Kind
from dropmerge.operations.dead_letters.filters import Filter
from dropmerge.operations.errors import UsageError
from dropmerge.page.arguments import Arguments
from dropmerge.page.site import Site
from services.shared.reasons import REASONS

NONE = "-"
"""Stands for letters that name no feed, or no reason."""
_FILTERS = ("reason", "feed", "service", "name", "older")


@dataclass(frozen=True)
class ChosenLetters:
    words: Mapping[str, str]
    """As they were given: reason, feed, service, name (a part of the object's), older; empty where one is not."""
    wanted: Filter

    def of_kind(self, kind: Kind) -> dict[str, str]:
        """The words for those among them that are of this kind."""
        named = {"reason": kind.reason or NONE, "feed": kind.feed or NONE, "service": kind.service}
        return {name: word for name, word in {**self.words, **named}.items() if word}

    @property
    def options(self) -> dict[str, str] | None:
        """Of a command that means the same; None where no command has such filters."""
        words = self.words
        if words["name"] or NONE in (words["reason"], words["feed"]):
            return None
        return {**{name: words[name] for name in ("reason", "feed", "service")}, "older_than": words["older"]}


def chosen_letters(site: Site, arguments: Arguments) -> ChosenLetters:
    """Raises UsageError for what no dead letter can have."""
    words = {name: arguments.text(name) for name in _FILTERS}
    reason, feed, service = words["reason"], words["feed"], arguments.text("service", SERVICES)
    before = _now(site) - arguments.age("1m", "older") if words["older"] else None
    _check(site, reason, feed)
    wanted = Filter(
        (service,) if service else SERVICES,
        ("" if reason == NONE else reason) if reason else None,
        feed if feed not in ("", NONE) else None,
        before=before,
        object_part=words["name"].lower(),
        is_without_feed=feed == NONE,
    )
    return ChosenLetters(words, wanted)


def _now(site: Site) -> datetime:
    """The same for as long as an answer is kept: what is read for one viewer is found by the next."""
    return datetime.fromtimestamp(datetime.now(UTC).timestamp() // site.seconds * site.seconds, UTC)


def _check(site: Site, reason: str, feed: str) -> None:
    """Anybody may publish a dead letter: what one has is no mistake."""
    feeds = site.connect().feeds
    is_reason, is_feed = reason in ("", NONE, *REASONS), feed in ("", NONE, *feeds)
    if is_reason and is_feed:
        return
    boards = (site.board(Filter()).value, site.ended_board(Filter()).value)
    kinds = [group.kind for board in boards for group in board.groups]
    if not is_reason and all(kind.reason != reason for kind in kinds):
        raise UsageError(f"reason is one of {', '.join(sorted(REASONS))}; not {reason!r}, which no dead letter has")
    if not is_feed and all(kind.feed != feed for kind in kinds):
        site.connect().feed(feed)
