"""Which main tables there are now: the ledger counts for these, and not for one that was dropped or renamed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dropmerge.operations.errors import NotDone
from services.shared.datasets import OPS

if TYPE_CHECKING:
    from services.shared.contract.feed import Feed
    from services.shared.warehouse import Parameters, Warehouse

_SECONDS = 5.0


@dataclass
class MainTables:
    """Asks again after some seconds, and at once while a table is missing: a command may wait for it."""

    warehouse: Warehouse
    feeds: Mapping[str, Feed]
    _gone: str = ""
    _asked_at: float = field(default=float("-inf"))

    def parameters(self) -> Parameters:
        """Of a statement that includes `ledger.sql`. Raises NotDone."""
        if self._gone or time.monotonic() > self._asked_at + _SECONDS:
            self._refuse_old_ledger()
            self._gone = ",".join(feed.table for feed in self.feeds.values() if not self._is_there(feed))
            self._asked_at = time.monotonic()
        tables = ",".join(f"{feed.name}={feed.table}" for feed in self.feeds.values())
        return {"tables": ("STRING", tables), "gone": ("STRING", self._gone)}

    def _is_there(self, feed: Feed) -> bool:
        return self.warehouse.table_exists(f"{self.warehouse.client.project}.{feed.table}")

    def _refuse_old_ledger(self) -> None:
        ledger = self.warehouse.find_table(f"{self.warehouse.client.project}.{OPS}.ledger")
        if ledger and "table_id" not in {one.name for one in ledger.schema}:
            raise NotDone(
                f"{OPS}.ledger is of an earlier release: the merge service brings it up to date with the first file "
                "that it merges after it was deployed"
            )
