"""Random histories in which the contract changes, run on both services and held against the oracle."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from services.shared.contract.feed import Feed
from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from services.shared.messages.dead_letter import DeadLetter
from tests.harness.changes import oracle
from tests.harness.changes.contracts import HEADER, ODD, TEXTS, TYPES, Terms
from tests.harness.changes.oracle import File
from tests.harness.changes.world import Pulled, World

AT_MOST: tuple[int | str, ...] = (0, 1, "50%")


@dataclass(frozen=True)
class Drop:
    """A file arrives."""

    file: int


@dataclass(frozen=True)
class Deploy:
    """A service is started with one of the contracts."""

    service: str
    terms: int


@dataclass(frozen=True)
class Deliver:
    """One of the messages that wait is pushed."""

    number: int


@dataclass(frozen=True)
class Replay:
    """Every dead letter is replayed."""


Step = Drop | Deploy | Deliver | Replay


@dataclass(frozen=True)
class History:
    """Both services start with the first contract; at the end both run the last, and every dead letter is replayed."""

    terms: tuple[Terms, ...]
    files: tuple[File, ...]
    steps: tuple[Step, ...]


@dataclass
class Counts:
    """What runs did, to be summed up."""

    histories: int = 0
    files: int = 0
    deployments: int = 0
    read_anew: int = 0
    ends: Counter[str] = field(default_factory=Counter)


@st.composite
def terms(draw: DrawFn) -> Terms:
    marker = draw(st.sampled_from(["D", "D", "X"]))
    others = draw(st.sampled_from([None, None, ("U", ""), ("U", "D", "X", "")]))
    return Terms(
        value=draw(st.sampled_from(TYPES)),
        check=draw(st.sampled_from([None, None, "value BETWEEN 0 AND 30"])),
        note=draw(st.sampled_from(["NULLABLE", "NULLABLE", "REQUIRED", None])),
        added=draw(st.sampled_from([None, "", "7"])),
        unknown=draw(st.sampled_from(["reject", "ignore", "rescue", "rescue", "add", "add"])),
        missing=draw(st.sampled_from(["null"] * 5 + ["reject"])),
        marker=marker,
        others=others and tuple(one for one in others if one != marker),
        at_most=draw(st.sampled_from(AT_MOST)),
    )


@st.composite
def files(draw: DrawFn) -> File:
    header = [name for name in HEADER if name in ("id", "seq") or draw(st.integers(0, 3))]
    odd = draw(st.integers(0, 14))
    if odd == 1:
        header.append("more")
    elif odd == 2 and header[-1] != "seq":
        header[-1] = header[-1].upper()
    records = []
    for _ in range(draw(st.integers(0, 4))):
        row = [draw(st.sampled_from(TEXTS.get(name, ("m", "")))) for name in header]
        if not draw(st.integers(0, 9)):
            name = draw(st.sampled_from([one for one in header if one in ODD] or ["id"]))
            row[header.index(name)] = draw(st.sampled_from(ODD[name]))
        records.append(tuple(row))
    return File(tuple(header), tuple(records))


@st.composite
def histories(draw: DrawFn) -> History:
    """Two to four contracts, of which the last has the widest type; one to four files; steps in any order."""
    contracts = draw(st.lists(terms(), min_size=2, max_size=4))
    widest = max((one.value for one in contracts), key=TYPES.index)
    last = contracts.pop()
    contracts.append(replace(last, value=widest))
    dropped = draw(st.lists(files(), min_size=1, max_size=4))
    number = st.integers(0, len(contracts) - 1)
    step = st.one_of(
        st.integers(0, len(dropped) - 1).map(Drop),
        st.builds(Deploy, st.sampled_from(["ingest", "merge"]), number),
        st.integers(0, 5).map(Deliver),
        st.integers(0, 5).map(Deliver),
        st.integers(0, 5).map(Deliver),
        st.just(Replay()),
    )
    return History(tuple(contracts), tuple(dropped), tuple(draw(st.lists(step, min_size=3, max_size=14))))


def run(world: World, history: History, counts: Counts | None = None) -> None:
    """Raises AssertionError that names the difference and the history."""
    try:
        Run(world, history, counts or Counts()).run()
    except AssertionError as error:
        raise AssertionError(f"{error}\n\n{history}") from error
    finally:
        world.asked = 0
        world.waiting.clear()
        world.dead_letters.clear()


class Run:
    def __init__(self, world: World, history: History, counts: Counts) -> None:
        self.world, self.history, self.counts = world, history, counts
        self.name = f"h{uuid.uuid4().hex[:12]}"
        self.feeds = [Feed.model_validate(one.yaml(self.name)) for one in history.terms]
        self.terms = {feed.fingerprint: one for feed, one in zip(self.feeds, history.terms, strict=True)}
        self.dropped: dict[int, ObjectGeneration] = {}
        self.deployments: list[tuple[str, str, int]] = []
        """Service, contract, and how many files had been dropped."""

    def run(self) -> None:
        for service in ("ingest", "merge"):
            self._deploy(service, 0)
        for step in self.history.steps:
            self._take(step)
        for index in range(len(self.history.files)):
            self._take(Drop(index))
        for service in ("merge", "ingest"):
            self._deploy(service, -1)
        self.world.deliver_all()
        self.world.replay()
        self.world.deliver_all()
        self._compare()
        self.counts.histories += 1
        self.counts.files += len(self.dropped)
        self.counts.read_anew += self.world.asked
        self._drop_tables()

    def _take(self, step: Step) -> None:
        match step:
            case Drop(index) if index not in self.dropped:
                data = self.history.files[index].data()
                self.dropped[index] = self.world.drop(self.name, f"{index}.csv", data)
            case Deploy(service, number):
                self._deploy(service, number)
            case Deliver(number) if self.world.waiting:
                self.world.deliver(number)
            case Replay():
                self.world.replay()

    def _deploy(self, service: str, number: int) -> None:
        self.world.deploy(service, self.feeds[number])
        self.deployments.append((service, self.feeds[number].fingerprint, len(self.dropped)))
        self.counts.deployments += 1

    def _compare(self) -> None:
        loads = {index: Load(self.name, source) for index, source in self.dropped.items()}
        ledger = self.world.rows(f"SELECT load_id, contract FROM `ops.ledger` WHERE feed = '{self.name}'")
        contracts = {row["load_id"]: row["contract"] for row in ledger}
        assert len(contracts) == len(ledger), f"a load is in the ledger twice: {ledger}"
        letters = self._letters()
        merged: list[tuple[int, Any]] = []
        for index, load in loads.items():
            contract = contracts.get(load.load_id)
            found = oracle.read(self.terms[contract or self.feeds[-1].fingerprint], self.history.files[index])
            end = "merged" if contract else letters.get(load.source.generation, "nothing")
            assert end == (found.reason or "merged"), f"file {index} ended {end}, not {found.reason} ({contract})"
            self.counts.ends[end] += 1
            if contract:
                assert self._were_both(contract), f"file {index} was merged by {contract}, which one service never ran"
                merged.append((load.source.generation, found.rows))
        self._compare_table(oracle.table(merged))
        left = self.world.pipeline.connection.warehouse.list_tables("staging", "")
        ids = [load.load_id for load in loads.values() if load.load_id in contracts]
        assert not [name for name in left if any(one in name for one in ids)], f"left in staging: {left}"

    def _letters(self) -> dict[int, str]:
        found = {}
        for number, (service, data, attributes) in enumerate(self.world.dead_letters):
            pulled: Any = Pulled(data, attributes, str(number))
            letter = DeadLetter.decode(service, pulled, {})
            assert letter.generation is not None, letter
            found[letter.generation] = letter.reason
        return found

    def _were_both(self, contract: str) -> bool:
        services = {service for service, one, _ in self.deployments if one == contract}
        return services == {"ingest", "merge"}

    def _compare_table(self, expected: dict[oracle.Value, oracle.Row]) -> None:
        rows = self.world.rows(f"SELECT * FROM `main.{self.name}`")
        found = {row["id"]: row for row in rows}
        assert len(found) == len(rows), f"a key is there twice: {rows}"
        assert set(found) == set(expected), f"keys {set(found)}, not {set(expected)}"
        for key, row in found.items():
            wanted = expected[key]
            values = {name: value for name, value in row.items() if not name.startswith("_")}
            others = dict.fromkeys(values.keys() - wanted.values.keys())
            assert values == {**wanted.values, **others}, f"row {key}: {values}, not {wanted.values}"
            assert row["_deleted"] == wanted.deleted, f"row {key} is deleted: {row['_deleted']}"
            rescued = row.get("_rescued")
            kept = json.loads(rescued) if isinstance(rescued, str) else rescued
            assert kept == (json.loads(wanted.rescued) if wanted.rescued else None), f"row {key}: rescued {rescued}"

    def _drop_tables(self) -> None:
        connection = self.world.pipeline.connection
        connection.rows(f"DROP VIEW IF EXISTS `main.{self.name}_current`")
        for name in (f"main.{self.name}", f"ops.lock_main_{self.name}"):
            connection.warehouse.drop_table(f"local.{name}")
