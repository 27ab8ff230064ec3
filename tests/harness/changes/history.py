"""Random histories in which the contract changes, run on both services and held against the oracle."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from services.shared.contract.feed import Feed
from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from tests.harness.changes import oracle
from tests.harness.changes.contracts import HEADER, ODD, TEXTS, TYPES, Terms
from tests.harness.changes.notation import FORMATS, NUMBERS, POOLS, Column, Notation
from tests.harness.changes.oracle import REFUSED, File
from tests.harness.changes.world import World
from tests.harness.forms import Form

_TYPED = ("parquet", "avro", "orc")
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
    formats: Counter[str] = field(default_factory=Counter)
    """Of files that were merged."""
    by_another: int = 0
    """Files that were merged by another contract than the one by which they were written."""


@st.composite
def forms(draw: DrawFn, has_quotes: bool, is_typed: bool) -> Form:
    """`has_quotes`: whether texts may have some, and JSON, which NDJSON reads otherwise than as a text."""
    kinds = ["csv", "csv", "csv", *([] if has_quotes else ["ndjson"]), *(_TYPED if is_typed else ())]
    kind = draw(st.sampled_from(kinds))
    if kind != "csv":
        is_gzip = kind == "ndjson" and draw(st.booleans())
        return Form(kind, is_gzip=is_gzip, has_types=draw(st.booleans()))
    quote = draw(st.sampled_from(['"', '"', '"'] if has_quotes else ['"', '"', "none"]))
    return Form(
        delimiter=draw(st.sampled_from(["\t", "|", ";"] if quote == "none" else [",", ",", ";", "\t", "|"])),
        encoding=draw(st.sampled_from(["utf-8", "utf-8", "utf-8-bom", "utf-16", "windows-1252"])),
        header=draw(st.sampled_from([True, True, False])),
        skip=draw(st.sampled_from([0, 0, 2])),
        trailing=draw(st.sampled_from([False, False, True])),
        quote=quote,
        is_gzip=draw(st.booleans()),
    )


@st.composite
def notations(draw: DrawFn) -> Notation:
    decimal, group = draw(
        st.sampled_from([(None, None), (None, ","), (",", None), (",", "."), (",", " "), (".", "'")])
    )
    moment = draw(st.sampled_from([None, *FORMATS["TIMESTAMP"]]))
    return Notation(
        nulls=draw(st.sampled_from([(), (), ("NA",), ("-", "NA")])),
        trim=draw(st.sampled_from([False, False, True])),
        decimal=decimal,
        group=group,
        words=draw(st.sampled_from([None, ("Yes", "No"), ("true", "0")])),
        date=draw(st.sampled_from([None, *FORMATS["DATE"]])),
        moment=moment,
        # A pattern without an offset is refused without a zone.
        zone=draw(st.booleans()) or moment is not None,
        twice=draw(st.sampled_from(["reject", "earlier", "later"])),
        never=draw(st.sampled_from(["reject", "earlier", "later"])),
        split=draw(st.sampled_from([None, "/"])),
    )


@st.composite
def terms(draw: DrawFn, more: tuple[Column, ...], mode: str) -> Terms:
    marker = draw(st.sampled_from(["D", "D", "X"]))
    others = draw(st.sampled_from([None, None, ("U", ""), ("U", "D", "X", "")]))
    form = draw(forms(any(one.type == "JSON" or one.is_array for one in more), is_typed=True))
    kept = ["rescue", "rescue"] if form.header else []
    gains = ["add", "add"] if form.header and form.type != "ndjson" else []
    return Terms(
        value=draw(st.sampled_from(TYPES)),
        check=draw(st.sampled_from([None, None, "value BETWEEN 0 AND 30"])),
        note=draw(st.sampled_from(["NULLABLE", "NULLABLE", "REQUIRED", None])),
        added=draw(st.sampled_from([None, "", "7"])),
        unknown=draw(st.sampled_from(["reject", "ignore", *kept, *gains])),
        missing=draw(st.sampled_from(["null"] * 5 + ["reject"])),
        marker=marker,
        others=others and tuple(one for one in others if one != marker),
        at_most=draw(st.sampled_from(AT_MOST)),
        form=form,
        notation=draw(notations()),
        more=more,
        twice="keep" if mode == "append" else draw(st.sampled_from(["keep", "keep", "reject"])),
        mode=mode,
    )


@st.composite
def files(draw: DrawFn, more: tuple[Column, ...], mode: str, contracts: int) -> File:
    names = [*HEADER[:-1], *(one.name for one in more), *(["op"] if mode == "upsert" else [])]
    header = [name for name in names if name in ("id", "seq") or draw(st.integers(0, 3))]
    odd = draw(st.integers(0, 14))
    if odd == 1:
        header.append("more")
    elif odd == 2 and header[-1] != "seq":
        header[-1] = header[-1].upper()
    good, bad = dict(TEXTS), dict(ODD)
    for one in more:
        good[one.name], bad[one.name] = POOLS[one.type]
        if one.is_array:
            good[one.name] = tuple(_array(one.type, text) for text in good[one.name])
            bad[one.name] = ("[", '["?", "?"]', "?/?") if one.type != "STRING" else ()
    records = []
    for _ in range(draw(st.integers(0, 6))):
        row = [draw(st.sampled_from(good.get(name, ("m", "")))) for name in header]
        if not draw(st.integers(0, 6)):
            name = draw(st.sampled_from([one for one in header if bad.get(one)] or ["id"]))
            row[header.index(name)] = draw(st.sampled_from(bad[name]))
        records.append(tuple(row))
    return File(tuple(header), tuple(records), draw(st.integers(0, contracts - 1)))


def _array(kind: str, text: str) -> str:
    if not text:
        return ""
    element = text if kind in (*NUMBERS, "BOOL") else json.dumps(text, ensure_ascii=False)
    return f"[{element},{element}]"


@st.composite
def histories(draw: DrawFn) -> History:
    """Two to four contracts of one mode, of which the last has the widest type; one to four files, each written by one
    of the contracts; steps in any order."""
    mode = draw(st.sampled_from(["upsert", "upsert", "upsert", "append", "snapshot"]))
    has_version = draw(st.booleans())
    kinds = draw(st.lists(st.sampled_from(sorted(POOLS)), max_size=3, unique=True))
    arrays = [
        kind not in ("JSON", "GEOGRAPHY", "TIMESTAMP", "BYTES") and not draw(st.integers(0, 2)) for kind in kinds
    ]
    more = tuple(Column(f"x_{kind.lower()}", kind, is_array) for kind, is_array in zip(kinds, arrays, strict=True))
    drawn = draw(st.lists(terms(more, mode), min_size=2, max_size=4))
    contracts = [replace(one, has_version=has_version) for one in drawn]
    if draw(st.booleans()):  # else hardly a file could be read by another contract than the one that it was written by
        contracts = [replace(one, form=replace(contracts[0].form, has_types=one.form.has_types)) for one in contracts]
        contracts = [
            one if one.form.type != "ndjson" and one.form.header else replace(one, unknown=_unnamed(one.unknown))
            for one in contracts
        ]
    widest = max((one.value for one in contracts), key=TYPES.index)
    last = contracts.pop()
    contracts.append(replace(last, value=widest))
    dropped = draw(st.lists(files(more, mode, len(contracts)), min_size=1, max_size=4))
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


def _unnamed(unknown: str) -> str:
    return unknown if unknown in ("reject", "ignore") else "ignore"


def run(world: World, history: History, counts: Counts | None = None) -> None:
    """Raises AssertionError that names the difference and the history."""
    with world.running(history):
        Run(world, history, counts or Counts()).run()


class Run:
    def __init__(self, world: World, history: History, counts: Counts) -> None:
        self.world, self.history, self.counts = world, history, counts
        self.name = f"h{uuid.uuid4().hex[:12]}"
        self.feeds = [Feed.model_validate(one.yaml(self.name)) for one in history.terms]
        self.terms = {feed.fingerprint: one for feed, one in zip(self.feeds, history.terms, strict=True)}
        self.written = [oracle.write(history.terms[one.by], one) for one in history.files]
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
        self.world.settle()
        self._compare()
        self.counts.histories += 1
        self.counts.files += len(self.dropped)
        self.counts.read_anew += self.world.asked
        self.world.drop_tables(self.name)

    def _take(self, step: Step) -> None:
        match step:
            case Drop(index) if index not in self.dropped:
                self.dropped[index] = self.world.drop(self.name, f"{index}.data", self.written[index].data)
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
        letters = self.world.reasons()
        merged: list[tuple[int, Any]] = []
        for index, load in loads.items():
            contract = contracts.get(load.load_id)
            found = oracle.read(self.terms[contract or self.feeds[-1].fingerprint], self.written[index])
            end = "merged" if contract else letters.get(load.source.generation, "nothing")
            is_expected = end in REFUSED if found.reason == "refused" else end == (found.reason or "merged")
            assert is_expected, f"file {index} ended {end}, not {found.reason} ({contract})"
            self.counts.ends[end] += 1
            if contract:
                assert self._were_both(contract), f"file {index} was merged by {contract}, which one service never ran"
                merged.append((load.source.generation, found.rows))
                self.counts.formats[self.written[index].form.type] += 1
                by = self.feeds[self.history.files[index].by]
                self.counts.by_another += contract != by.fingerprint
        if merged:
            self._compare_table(oracle.table(self.history.terms[-1], merged))
        left = self.world.pipeline.connection.warehouse.list_tables("staging", "")
        ids = [load.load_id for load in loads.values() if load.load_id in contracts]
        assert not [name for name in left if any(one in name for one in ids)], f"left in staging: {left}"

    def _were_both(self, contract: str) -> bool:
        services = {service for service, one, _ in self.deployments if one == contract}
        return services == {"ingest", "merge"}

    def _compare_table(self, expected: Sequence[oracle.Row]) -> None:
        rows = self.world.rows(f"SELECT * FROM `main.{self.name}`")
        names = {name for row in rows for name in row if not name.startswith("_")}
        arrays = {one.name for one in self.history.terms[0].more if one.is_array}
        nothing: dict[str, Any] = {name: [] if name in arrays else None for name in names}
        wanted = Counter(
            _shown({**nothing, **one.values}, one.deleted, one.rescued and json.loads(one.rescued)) for one in expected
        )
        found = Counter(_shown({name: row[name] for name in names}, row["_deleted"], _rescued(row)) for row in rows)
        assert found == wanted, f"too many: {found - wanted}\nmissing: {wanted - found}"


def _rescued(row: Mapping[str, Any]) -> Any:
    kept = row.get("_rescued")
    return json.loads(kept) if isinstance(kept, str) else kept


def _shown(values: Mapping[str, Any], deleted: bool, rescued: Any) -> str:
    """A text that equal rows share: 1.50 is 1.5."""
    shown = {name: repr(_normal(value)) for name, value in sorted(values.items())}
    return f"{shown} deleted: {deleted} rescued: {rescued}"


def _normal(value: Any) -> Any:
    if isinstance(value, list):
        return [_normal(one) for one in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        # A column's type may have been widened since.
        return _normal(Decimal(repr(value)))
    if isinstance(value, Decimal):
        short = f"{value:f}".rstrip("0").rstrip(".") if "." in f"{value:f}" else f"{value:f}"
        return Decimal("0" if short == "-0" else short)
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) and value.tzinfo else value
