"""The views of the dataset `ops`, one SQL file each: the view and the commands read the same text.

A view has no parameters, and what a query asks of one does not reach the partitions of the tables below where it
aggregates. So each has a window built in: in the view the last 90 days, in a command what it was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from services.shared.datasets import OPS
from services.shared.sql import identifier

WINDOW_DAYS = 90
_FOLDER = Path(__file__).parent
NAMES = ("load_events", "loads", "dead_letters")
"""Each after those that it reads."""
_WINDOW = {
    "since": f"TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL {WINDOW_DAYS} DAY)",
    "is_current": "m.table_id IS NOT NULL",
}


def view_query(project: str, name: str, values: Mapping[str, str] | None = None) -> str:
    """The query of a view.

    `values`: SQL in the place of what the view has: `since`, from when on, and `is_current`, whether the entry m of
    `ops.main_tables` is of a main table that is there. Raises KeyError for a `${word}` that is none of these.
    """
    ops = identifier(f"{project}.{OPS}").strip("`")
    text = (_FOLDER / f"{name}.sql").read_text(encoding="utf-8").strip()
    known = {**_WINDOW, **(values or {}), "ops": ops}
    if name == "loads":
        # A view is made of another; a command's window is not that view's.
        known["load_events"] = f"({view_query(project, 'load_events', values)})" if values else f"`{ops}.load_events`"
    return re.sub(r"\$\{(\w+)\}", lambda found: known[found[1]], text)
