"""The expected answer by mode: a plain fold over files' texts, which shares no code with the pipeline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Texts = tuple[str, ...]
"""Of a row: id, day, rev, price and op."""
FUTURE = "2999-01-01"
Value = tuple[Any, ...]
"""Of a row of the table: id, day, rev, price, whether it is deleted, generation."""


@dataclass(frozen=True)
class Terms:
    """What differs from contract to contract."""

    mode: str = "upsert"
    version: tuple[str, ...] = ()
    """Columns; none where the newest file wins."""
    ahead: str = "24h"
    """Of `day`."""
    twice: str = "keep"
    at_least: int | str = 0
    at_most: int = 0
    history: bool = False
    """Where the mode is upsert."""

    def yaml(self, feed: str) -> dict[str, Any]:
        """The contract's mapping."""
        columns = [("id", "STRING"), ("day", "DATE"), ("rev", "INT64"), ("price", "NUMERIC")]
        version = [{"column": one, "ahead": self.ahead} if one == "day" else one for one in self.version]
        own: dict[str, dict[str, Any]] = {
            "append": {},
            "snapshot": {"key": ["id"], "twice": self.twice, "snapshot": {"at_least": self.at_least}},
            "upsert": {
                "key": ["id"],
                "version": (version[0] if len(version) == 1 else version) or "_generation",
                "twice": self.twice,
                "delete": {"column": "op", "equals": "D"},
                **({"history": True} if self.history else {}),
            },
        }
        return {
            "feed": feed,
            "objects": f"incoming/{feed}/**",
            "format": {"type": "csv"},
            "table": f"main.{feed}",
            "mode": self.mode,
            **own[self.mode],
            "columns": [{"name": name, "type": kind} for name, kind in columns],
            "unknown_columns": "ignore",
            "bad_rows": {"at_most": self.at_most},
        }


def read(terms: Terms, rows: Sequence[Texts]) -> list[Value] | None:
    """The good rows, without their generation; None where too many are bad."""
    ids = Counter(row[0] for row in rows)
    twice = terms.twice == "reject" and terms.mode != "append"
    judged = [None if twice and row[0] and ids[row[0]] > 1 else _judge(terms, row) for row in rows]
    good = [one for one in judged if one is not None]
    return good if len(rows) - len(good) <= terms.at_most else None


def _judge(terms: Terms, row: Texts) -> Value | None:
    id_, day, rev, price, op = row
    deleted = terms.mode == "upsert" and op == "D"
    texts = {"id": id_, "day": day, "rev": rev, "price": price}
    needed = () if terms.mode == "append" else ("id", *(terms.version if terms.mode == "upsert" else ()))
    if any(not texts[name] for name in needed):
        return None
    kept = {name: None if deleted and name not in needed else text or None for name, text in texts.items()}
    if any(kept[name] and not kept[name].lstrip("-").isdigit() for name in ("rev", "price")):  # type: ignore[union-attr]
        return None
    if kept["day"] == FUTURE and terms.mode == "upsert" and "day" in terms.version and terms.ahead != "any":
        return None
    numbers = {name: None if kept[name] is None else int(str(kept[name])) for name in ("rev", "price")}
    return kept["id"], kept["day"], numbers["rev"], numbers["price"], deleted


def table(terms: Terms, files: Mapping[int, Sequence[Value]]) -> Counter[Value]:
    """Of the files that were merged, good rows by generation."""
    rows = [(*row, generation) for generation, found in files.items() for row in found]
    if terms.mode == "append":
        return Counter(rows)
    winners: dict[Any, Value] = {}
    for row in sorted(rows, key=lambda one: _rank(terms, one)):
        winners[row[0]] = row
    newest = max(files, default=0)
    if terms.mode == "snapshot":
        return Counter(
            row if row[5] == newest else (row[0], None, None, None, True, row[5]) for row in winners.values()
        )
    return Counter(winners.values())


def _rank(terms: Terms, row: Value) -> tuple[Any, ...]:
    _, day, rev, price, deleted, generation = row
    by_name = {"day": day, "rev": rev}
    versions = [by_name.pop(name) for name in terms.version] if terms.mode == "upsert" else []
    rest = [(one is not None, *([] if one is None else [one])) for one in (*by_name.values(), price)]
    return (*versions, generation, deleted, *rest)


def intervals(terms: Terms, files: Mapping[int, Sequence[Value]]) -> Counter[Value]:
    """Each row that was a key's, as id, day, rev and price, with what it was valid from and until (None: it is still).

    These are of the first version column, or generations.
    """
    rows = [(*row, generation) for generation, found in files.items() for row in found]
    versions: dict[Any, dict[Value, Value]] = {}
    for row in sorted(rows, key=lambda one: _rank(terms, one)):
        by_name = {"day": row[1], "rev": row[2]}
        version = tuple(by_name[name] for name in terms.version) or (row[5],)
        versions.setdefault(row[0], {})[version] = row
    return Counter(one for found in versions.values() for one in _told(terms, found))


def _told(terms: Terms, versions: Mapping[Value, Value]) -> list[Value]:
    """Of one key: what a reader who was told each version when it began would have written down."""
    told: list[tuple[Any, Value | None]] = []
    for version in sorted(versions):
        _, _, _, _, deleted, _ = row = versions[version]
        shown = None if deleted else row[:4]
        if told and told[-1][0] == version[0]:
            told[-1] = version[0], shown
        elif not told or terms.version or told[-1][1] != shown:
            told.append((version[0], shown))
    ends = [start for start, _ in told[1:]]
    return [(*row, start, end) for (start, row), end in zip(told, [*ends, None], strict=True) if row]
