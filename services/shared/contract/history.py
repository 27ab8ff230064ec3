"""Every version of a key, kept beside the main table: a table of them, and a view of when each was the row."""

from __future__ import annotations

from services.shared.contract.feed import Feed
from services.shared.contract.order import GENERATION

VIEWS = {"current": "its rows without tombstones", "history": "the versions of its rows"}
"""By the end of its name, each view beside a main table."""


def versions_table(table: str) -> str:
    """Beside this main table, the one of its versions: deletes are rows of it like any other."""
    return f"{table}_versions"


def history_view(table: str) -> str:
    return f"{table}_history"


def of_versions(feed: Feed) -> Feed:
    """The contract, with the table of versions for its own: the same columns, made and followed alike."""
    found = feed.model_copy(update={"table": versions_table(feed.table)})
    found.__dict__["fingerprint"] = feed.fingerprint
    return found


def version_key(feed: Feed) -> list[str]:
    """What the rows of the table of versions are told apart by. Of one version there is one row: which, the same order
    says that says it of a main table's keys, so that the newest version is the main table's row."""
    return [*feed.key, *version_columns(feed)]


def version_columns(feed: Feed) -> list[str]:
    """What versions of a key are ordered by, the first that differs."""
    return [*feed.versions] or [GENERATION.name]


def reserved_names(feed: Feed) -> dict[str, str]:
    """What is made beside the main table, in small letters, and what it is."""
    views = {f"{feed.table}_{name}": f"the view of feed {feed.name}, {what}" for name, what in VIEWS.items()}
    if not feed.history:
        del views[history_view(feed.table)]
    else:
        views[versions_table(feed.table)] = f"the table of feed {feed.name} that keeps the versions of its rows"
    return {name.lower(): what for name, what in views.items()}
