"""Random histories of one feed of any mode, run on both services and held against the oracle."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from services.shared.contract.feed import Feed
from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from tests.harness.changes.world import World
from tests.harness.modes import oracle
from tests.harness.modes.oracle import FUTURE, Terms, Texts

_AT_LEAST: tuple[int | str, ...] = (0, 0, 1, "50%", "100%")


MODES = ("upsert", "append", "snapshot")


@dataclass(frozen=True)
class Step:
    what: str
    """drop, deliver, again (a message that was delivered before), or replay."""
    number: int = 0


@dataclass(frozen=True)
class History:
    terms: Terms
    files: tuple[tuple[Texts, ...], ...]
    steps: tuple[Step, ...]


@dataclass
class Counts:
    """What runs did, to be summed up."""

    histories: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)


@st.composite
def histories(draw: DrawFn, mode: str) -> History:
    """One to four files that arrive, are delivered in any order, more than once, and are replayed."""
    terms = Terms(
        mode,
        draw(st.sampled_from([(), ("rev",), ("day",), ("day", "rev"), ("rev", "day")])) if mode == "upsert" else (),
        draw(st.sampled_from(["24h", "7d", "any"])),
        "keep" if mode == "append" else draw(st.sampled_from(["keep", "keep", "reject"])),
        draw(st.sampled_from(_AT_LEAST)) if mode == "snapshot" else 0,
        draw(st.integers(0, 2)),
        mode == "upsert" and draw(st.booleans()),
    )
    row = st.tuples(
        st.sampled_from(["a", "b", "b", "c", ""] if mode == "append" else ["a", "b", "c", "d"]),
        st.sampled_from(["2020-01-01", "2020-01-02", FUTURE, *([""] if mode != "upsert" else [])]),
        st.sampled_from(["1", "2", "-3"]),
        st.sampled_from(["1", "10", "9", "", *(["x"] if draw(st.booleans()) else [])]),
        st.sampled_from(["U", "U", "D"]),
    )
    files = draw(st.lists(st.lists(row, max_size=4).map(tuple), min_size=1, max_size=4))
    what = st.sampled_from(["drop", "deliver", "deliver", "deliver", "deliver", "again", "replay"])
    steps = draw(st.lists(st.builds(Step, what, st.integers(0, 5)), min_size=2, max_size=14))
    return History(terms, tuple(files), tuple(steps))


def run(world: World, history: History, counts: Counts | None = None) -> None:
    """Raises AssertionError that names the difference and the history."""
    with world.running(history):
        _Run(world, history, counts or Counts()).run()


class _Run:
    def __init__(self, world: World, history: History, counts: Counts) -> None:
        self.world, self.history, self.counts = world, history, counts
        self.name = f"m{uuid.uuid4().hex[:12]}"
        self.feed = Feed.model_validate(history.terms.yaml(self.name))
        self.dropped: dict[int, ObjectGeneration] = {}
        self.delivered: list[Any] = []

    def run(self) -> None:
        for service in ("ingest", "merge"):
            self.world.deploy(service, self.feed)
        for step in self.history.steps:
            self._take(step)
        for index in range(len(self.history.files)):
            self._take(Step("drop", index))
        self.world.settle()
        self._compare()
        kept = " with history" if self.history.terms.history else ""
        self.counts.histories[f"{self.history.terms.mode}{kept}"] += 1
        self.world.drop_tables(self.name)

    def _take(self, step: Step) -> None:
        waiting = self.world.waiting
        if step.what == "drop" and step.number % len(self.history.files) not in self.dropped:
            index = step.number % len(self.history.files)
            lines = [("id", "day", "rev", "price", "op"), *self.history.files[index]]
            data = "".join(",".join(line) + "\n" for line in lines).encode()
            self.dropped[index] = self.world.drop(self.name, f"{index}.csv", data)
        elif step.what == "deliver" and waiting:
            self.delivered.append(waiting[step.number % len(waiting)])
            self.world.deliver(step.number)
        elif step.what == "again" and self.delivered:
            waiting.append(self.delivered[step.number % len(self.delivered)])
        elif step.what == "replay":
            self.world.replay()

    def _compare(self) -> None:
        rows = self.world.rows(f"SELECT load_id FROM `ops.ledger` WHERE feed = '{self.name}'")
        ledger = Counter(row["load_id"] for row in rows)
        assert set(ledger.values()) <= {1}, f"a load is in the ledger twice: {ledger}"
        letters, merged = self.world.reasons(), {}
        for index, source in self.dropped.items():
            good = oracle.read(self.history.terms, self.history.files[index])
            load, end = Load(self.name, source), letters.get(source.generation, "nothing")
            if load.load_id in ledger:
                end = "merged"
                assert good is not None, f"file {index} was merged"
                merged[source.generation] = good
            elif good is not None and self.history.terms.at_least != 0:
                assert end == "snapshot_too_small", f"file {index} ended {end}"
            else:
                assert end == ("too_many_bad_rows" if good is None else "merged"), f"file {index} ended {end}"
            self.counts.ends[end] += 1
        if merged:
            self._compare_table(oracle.table(self.history.terms, merged))
        if merged and self.history.terms.history:
            self._compare_history(oracle.intervals(self.history.terms, merged))

    def _compare_table(self, expected: Counter[oracle.Value]) -> None:
        columns = "id, CAST(day AS STRING) AS day, rev, price, _deleted, _generation"
        rows = self.world.rows(f"SELECT {columns} FROM `main.{self.name}`")
        found = Counter(tuple(row.values()) for row in rows)
        assert found == expected, f"too many: {found - expected}\nmissing: {expected - found}"

    def _compare_history(self, expected: Counter[oracle.Value]) -> None:
        """Also that the rows that are current are those of the view without tombstones."""
        as_is = {"day": "CAST({} AS STRING)", "rev": "{}"}
        kind = as_is[self.history.terms.version[0]] if self.history.terms.version else "UNIX_MICROS({})"
        shown = "id, CAST(day AS STRING) AS day, rev, price"
        ends = ", ".join(f"{kind.format(name)} AS {name}" for name in ("_valid_from", "_valid_to"))
        rows = self.world.rows(f"SELECT {shown}, {ends}, _is_current FROM `main.{self.name}_history`")
        found = [tuple(row.values()) for row in rows]
        told = Counter(row[:-1] for row in found)
        assert told == expected, f"intervals too many: {told - expected}\nmissing: {expected - told}"
        assert all(row[-1] == (row[-2] is None) for row in found), found
        current = Counter(
            tuple(row.values()) for row in self.world.rows(f"SELECT {shown} FROM `main.{self.name}_current`")
        )
        assert Counter(row[:4] for row in found if row[-1]) == current
