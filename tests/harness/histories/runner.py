"""Runs a history through the real services and holds what came of it against the oracle."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from typer.testing import CliRunner

from dropmerge.cli.main import app
from tests.harness.histories import oracle
from tests.harness.histories.feeds import CONTRACTS
from tests.harness.histories.history import Deliver, Drop, File, GiveUp, History, Replay, Restage, Step, WaitUntilIdle
from tests.harness.pipeline import Pipeline
from tests.harness.subscription import paused_subscription, pull, wait_until

_NATIVE = "CloudPubSubDeadLetterSourceDeliveryCount"
_Message = tuple[bytes, dict[str, str]]


@dataclass
class Counts:
    """What a run did, to be summed up."""

    histories: int = 0
    files: int = 0
    deliveries: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    mismatches: list[str] = field(default_factory=list)
    """Each a text that ends in a test to paste."""


def run(pipeline: Pipeline, history: History, counts: Counts | None = None) -> None:
    """Raises AssertionError that names the difference and ends in a test to paste."""
    counts = counts or Counts()
    one = Run(pipeline, history, counts)
    try:
        for step in history.steps:
            one.take(step)
        for index in range(len(history.files)):
            if index not in one.delivered:
                one.take(Deliver(index))
        one.take(WaitUntilIdle())
        one.compare()
    except AssertionError as error:
        raise AssertionError(f"{error}\n\n{history.as_test()}") from error
    finally:
        one.clear_letters()
    counts.histories += 1


@dataclass
class _Dropped:
    file: File
    uri: str
    arrived: oracle.Arrived
    notification: _Message


class Run:
    def __init__(self, pipeline: Pipeline, history: History, counts: Counts) -> None:
        self.pipeline, self.history, self.counts = pipeline, history, counts
        self.run = f"r{uuid.uuid4().hex[:10]}"
        self.dropped: dict[int, _Dropped] = {}
        self.delivered: set[int] = set()
        self.errors: set[str] = set()
        """Of the dead letters seen, for a person who looks into a failure."""
        self._loaded_for_sure: set[int] = set()
        self._abandoned: set[int] = set()
        """Files whose notification lies in the dead letters though nothing was wrong with them."""

    def take(self, step: Step) -> None:
        match step:
            case Drop(index):
                if index not in self.dropped:
                    self._drop(index)
            case Deliver(index):
                self.take(Drop(index))
                self.pipeline.publish("file-arrived", *self.dropped[index].notification)
                self.delivered.add(index)
                self.counts.deliveries += 1
            case WaitUntilIdle():
                self._wait_until_idle()
            case Restage(index):
                self._wait_until_idle()
                if index in self.dropped and self._explain(index)["state"] == "merged":
                    arrived = self.dropped[index].arrived
                    place = {"bucket": arrived.bucket, "object": arrived.object, "generation": arrived.generation}
                    data = json.dumps({"feed": arrived.contract.feed, **place}).encode()
                    self.pipeline.publish("file-staged", data, {})
                    self.counts.deliveries += 1
            case GiveUp(index):
                self.take(Drop(index))
                data, attributes = self.dropped[index].notification
                self.pipeline.publish("ingest-dead-letter", data, {**attributes, _NATIVE: "20"})
                self._abandoned.add(index)
            case Replay():
                self._wait_until_idle()
                self._replay()

    def _drop(self, index: int) -> None:
        file = self.history.files[index]
        data = file.data(self.run)
        with paused_subscription(self.pipeline, "ingest"):
            uri = self.pipeline.drop(f"{self.run}/{file.name}", data, file.feed)
            name, _, generation = uri.removeprefix("gs://landing/").partition("#")
            notification = _await_notification(self.pipeline, name, generation)
        arrived = oracle.Arrived(CONTRACTS[file.feed], "landing", name, int(generation), data)
        self.dropped[index] = _Dropped(file, uri, arrived, notification)
        self.counts.files += 1

    def _wait_until_idle(self) -> None:
        """Upstream is asked first: ingest acknowledges after it has published."""
        connection = self.pipeline.connection
        wait_until(lambda: not connection.undelivered("ingest") and not connection.undelivered("merge"), "idle")
        self._loaded_for_sure |= {i for i in self.delivered if not self._is_overwritten(i)}

    def _is_overwritten(self, index: int) -> bool:
        mine = self.dropped[index].arrived
        return any(
            mine.object == other.arrived.object and mine.generation < other.arrived.generation
            for other in self.dropped.values()
        )

    def _explain(self, index: int) -> dict[str, Any]:
        return self.pipeline.explain(self.dropped[index].uri)

    def _replay(self) -> None:
        dead_letters = self._dead_letters(keep=True)
        if dead_letters:
            words = ["dead-letters", "replay", "--object", f"incoming/*/{self.run}/*", "--yes", "--json"]
            words += ["--state", str(self.pipeline.cloud.state), "--feeds", str(self.pipeline.connection.feeds_folder)]
            done = CliRunner().invoke(app, words)
            assert done.exit_code == 0, done.output
            assert len(json.loads(done.stdout)) == len(dead_letters), done.output
            self.counts.deliveries += len(dead_letters)
        self._abandoned.clear()

    def _dead_letters(self, keep: bool) -> list[tuple[str, int, str]]:
        """Object, generation and reason of this history's dead letters; the reason is empty for Pub/Sub's own."""
        found = []
        for service in ("ingest", "merge"):
            for message in pull(self.pipeline, f"{service}-dead-letter", lambda m: not keep and self._is_mine(m)):
                if self._is_mine(message):
                    attributes = message.attributes
                    name = attributes.get("dropmerge_object") or attributes["objectId"]
                    generation = attributes.get("dropmerge_generation") or attributes["objectGeneration"]
                    found.append((name, int(generation), attributes.get("dropmerge_reason", "")))
                    self.errors.add(f"{service}: {name}: {attributes.get('dropmerge_error', '')}")
        return found

    def _is_mine(self, message: Any) -> bool:
        attributes = message.attributes
        return f"/{self.run}/" in (attributes.get("dropmerge_object") or attributes.get("objectId") or "")

    def clear_letters(self) -> None:
        self._dead_letters(keep=False)

    def compare(self) -> None:
        """Ends, tables, rejected rows, ledger, dead letters; and nothing is left in staging."""
        explained = {index: self._explain(index) for index in self.dropped}
        states = {index: one["state"] for index, one in explained.items()}
        for index, state in states.items():
            may_be_gone = self._is_overwritten(index) and index not in self._loaded_for_sure
            assert state in ("merged", "dead_lettered") or (state == "superseded" and may_be_gone), (
                f"file {index} ended {state}: {explained[index]}"
            )
        loaded = {index: one for index, one in self.dropped.items() if states[index] != "superseded"}
        expected = oracle.answer(one.arrived for one in loaded.values())
        ends = {index: expected.ends[_place(one.arrived)] for index, one in loaded.items()}
        found_ends = {
            index: explained[index]["reason"] if states[index] == "dead_lettered" else "merged" for index in loaded
        }
        _same("the ends of the files", found_ends, ends)
        self._compare_tables(expected, {i: one["load_id"] for i, one in explained.items()})
        self._compare_rejected(expected)
        self._compare_ledger({explained[index]["load_id"]: ends.get(index) == "merged" for index in self.dropped})
        self._compare_letters(ends)
        self.counts.ends.update(ends.values())
        self.counts.ends["superseded"] += len(self.dropped) - len(loaded)

    def _compare_tables(self, expected: oracle.Answer, load_ids: Mapping[int, str]) -> None:
        by_place = {(one.uri.partition("#")[0], one.arrived.generation): i for i, one in self.dropped.items()}
        for feed, contract in CONTRACTS.items():
            if not any(one.file.feed == feed for one in self.dropped.values()):
                continue
            names = [column.name for column in contract.columns]
            rows = self._rows(f"SELECT * FROM `main.{feed}` WHERE run = @run")
            table = [
                oracle.Row(tuple(row[name] for name in names), row["_deleted"], row["_generation"], row["_object"])
                for row in rows
            ]
            wanted = expected.tables.get(feed, {})
            _same(f"main.{feed}", Counter(table), Counter(wanted.values()))
            current = Counter(
                tuple(row.values()) for row in self._rows(f"SELECT * FROM `main.{feed}_current` WHERE run = @run")
            )
            _same(f"main.{feed}_current", current, Counter(row.values for row in wanted.values() if not row.deleted))
            origins = {row["_load_id"]: load_ids[by_place[row["_object"], row["_generation"]]] for row in rows}
            _same(f"the loads of main.{feed}", list(origins), list(origins.values()))

    def _compare_rejected(self, expected: oracle.Answer) -> None:
        found: Counter[oracle.Rejected] = Counter()
        for row in self._rows("SELECT * FROM `ops.rejected_rows` WHERE object LIKE CONCAT('incoming/%/', @run, '/%')"):
            texts = json.loads(row["row_text"])
            columns = CONTRACTS[row["feed"]].columns
            values = tuple(texts[column.name] for column in columns)
            found[
                oracle.Rejected(row["bucket"], row["object"], row["generation"], values, frozenset(row["reasons"]))
            ] += 1
        _same("the rejected rows", found, Counter(expected.rejected))

    def _compare_ledger(self, merged: Mapping[str, bool]) -> None:
        rows = self._rows(
            "SELECT load_id FROM `ops.ledger` WHERE load_id IN UNNEST(SPLIT(@ids))", ids=",".join(merged)
        )
        _same(
            "the ledger",
            Counter(row["load_id"] for row in rows),
            Counter(id_ for id_, is_in in merged.items() if is_in),
        )
        tables = self.pipeline.connection.warehouse.list_tables("staging", "")
        left = [name for name in tables if any(load_id in name for load_id in merged)]
        _same("what is left in staging", left, [])

    def _compare_letters(self, ends: Mapping[int, str]) -> None:
        dead = {(d.arrived.object, d.arrived.generation, ends[i]) for i, d in self.dropped.items() if i in ends}
        dead = {one for one in dead if one[2] != "merged"}
        own = {(d.arrived.object, d.arrived.generation, "") for i, d in self.dropped.items() if i in self._abandoned}
        found = set(self._dead_letters(keep=True))
        _same("the dead letters\n" + "\n".join(sorted(self.errors)), found, dead | own)

    def _rows(self, sql: str, **texts: str) -> list[Any]:
        given = texts or {"run": self.run}
        return self.pipeline.connection.rows(sql, {name: ("STRING", text) for name, text in given.items()})


def _place(arrived: oracle.Arrived) -> tuple[str, str, int]:
    return arrived.bucket, arrived.object, arrived.generation


def _same(what: str, found: Any, expected: Any) -> None:
    if found == expected:
        return
    if isinstance(found, Counter) and isinstance(expected, Counter):
        text = f"too many: {dict(found - expected)}\nmissing: {dict(expected - found)}"
    else:
        text = f"found: {found}\nexpected: {expected}"
    raise AssertionError(f"{what} differ\n{text}")


def _await_notification(pipeline: Pipeline, name: str, generation: str) -> _Message:
    """Take the notification of this generation out of the paused subscription; publish anew whatever else waits."""
    found: list[_Message] = []

    def look() -> bool:
        for message in pull(pipeline, "ingest", lambda _: True):
            attributes = dict(message.attributes)
            named = (attributes.get("objectId"), attributes.get("objectGeneration"), attributes.get("eventType"))
            if named == (name, generation, "OBJECT_FINALIZE"):
                found.append((message.data, attributes))
            else:
                pipeline.publish("file-arrived", message.data, attributes)
        return bool(found)

    wait_until(look, f"notified of {name}")
    return found[0]
