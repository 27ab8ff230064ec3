"""Have loads merged that wait until their main table is due (`merge_every` in the contract)."""

from __future__ import annotations

from collections.abc import Iterable

from dropmerge.operations.connection import Connection
from dropmerge.operations.loads.states import State
from dropmerge.operations.loads.status import LoadStatus
from services.shared.messages.staged import MERGE_NOW, StagedMessage


class MergeNow:
    """For one command, which may ask many times. A load is asked for once; its MERGE takes all that wait with it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._asked: set[str] = set()

    def ask(self, loads: Iterable[LoadStatus]) -> None:
        """Send a staged message that does not wait for each feed of which a load is staged and was not asked for.

        To merge it is one that was delivered again: what is merged already stays as it is.
        """
        new = {one.load.feed: one.load for one in loads if one.load and self._is_waiting(one)}
        topic, feeds = self._connection.topology.source_topic("merge"), self._connection.feeds
        messages = [
            (StagedMessage(load, feeds[name].fingerprint).encode(), {"feed": name, MERGE_NOW: "true"})
            for name, load in new.items()
        ]
        if messages:
            self._connection.publisher.publish(topic, messages)
        self._asked.update(load.load_id for load in new.values())

    def _is_waiting(self, one: LoadStatus) -> bool:
        assert one.load
        feed = self._connection.feeds.get(one.load.feed)
        is_new = one.load.load_id not in self._asked
        return one.state == State.STAGED and feed is not None and bool(feed.merge_every) and is_new
