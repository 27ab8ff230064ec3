"""Calls to Google's APIs as the proxies see them, and the faults that can happen to one."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal


@dataclass(frozen=True)
class Call:
    """One request of a service: to BigQuery, Cloud Storage, or Pub/Sub's publish."""

    api: Literal["bigquery", "storage", "publish"]
    method: str
    path: str
    body: bytes = b""

    @cached_property
    def job(self) -> Mapping[str, Any]:
        """The job that this call starts, or nothing."""
        if self.api != "bigquery" or self.method != "POST" or not re.search(r"/jobs(\?|$)", self.path):
            return {}
        return dict(json.loads(self.body))

    @property
    def job_id(self) -> str | None:
        """The id of the job that this call starts or asks about."""
        if self.job:
            return str(self.job["jobReference"]["jobId"])
        asked = re.search(r"/(?:jobs|queries)/([\w-]+)", self.path)
        return asked[1] if self.api == "bigquery" and asked else None

    @cached_property
    def _query(self) -> Mapping[str, Any]:
        if self.api == "bigquery" and self.method == "POST" and re.search(r"/queries(\?|$)", self.path):
            return dict(json.loads(self.body))
        return dict(self.job.get("configuration", {}).get("query", {}))

    @property
    def location(self) -> str | None:
        """Where the job that this call starts is to run."""
        if self.job:
            return str(self.job["jobReference"].get("location"))
        return str(json.loads(self.body).get("location")) if self._query else None

    @property
    def sql(self) -> str:
        return str(self._query.get("query", ""))

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """Names and types, in the order of names."""
        listed = self._query.get("queryParameters", [])
        return tuple(sorted((one["name"], one["parameterType"]["type"]) for one in listed))

    @property
    def starts_query(self) -> bool:
        """Whether it starts a query job, with an id of its own or without."""
        return bool(self._query)

    @property
    def step(self) -> str:
        """Which step of the pipeline makes such a call; empty for what is not one."""
        if self.api == "publish":
            return "publish"
        if self.api == "storage":
            if "alt=media" in self.path:
                return "head"
            return "pin" if "/rewriteTo/" in self.path else ""
        if "load" in self.job.get("configuration", {}):
            return "load"
        begins = (
            ("BEGIN TRANSACTION", "merge"),
            ("SELECT DISTINCT load_id", "ledger"),
            ("ALTER TABLE `local.staging._", "stage"),
        )
        for beginning, step in begins:
            if self.sql.lstrip().startswith(beginning):
                return step
        made = re.match(r"\s*CREATE OR REPLACE TABLE `[\w-]+\.\w+\.(\w)", self.sql)
        if made:
            return "check" if made[1] == "_" else "stage"
        if self.method == "DELETE" and "/tables/" in self.path:
            return "drop"
        if self.method == "GET" and self.path.split("?")[0].endswith("/tables"):
            return "list"
        if self.method == "POST" and self.path.split("?")[0].endswith("/insertAll"):
            return "journal"
        return "answer" if self.job_id and not self.job else ""


@dataclass(frozen=True)
class Error:
    """What Google answers: a status, BigQuery's word for the reason, a message."""

    status: int
    reason: str
    message: str = "injected"

    def body(self) -> bytes:
        one = {"reason": self.reason, "message": self.message, "domain": "global"}
        return json.dumps({"error": {"code": self.status, "message": self.message, "errors": [one]}}).encode()


@dataclass(frozen=True)
class Fault:
    """Something that happens to a call, of exactly one kind; `name` is for people."""

    name: str
    answer: Error | None = None
    """Instead of the call; instead of its answer if `lose_answer`."""
    fail_job: Error | None = None
    """The job is accepted, and has failed when it is asked about."""
    lose_answer: bool = False
    """The call is made, its answer never arrives."""
    truncate: bool = False
    """The call is made, half of its answer arrives."""
    reset: bool = False
    """The connection closes, the call is not made."""
    slow: float = 0.0
    """Seconds before the answer of a call that is made."""
    act: Callable[[], None] | None = None
    """Run in place of an answer, such as a kill, after the call was made if `lose_answer`."""


@dataclass
class Script:
    """What happens to which calls, shared by the proxies; and what they saw."""

    seen: Counter[str] = field(default_factory=Counter)
    """Steps."""
    injected: Counter[str] = field(default_factory=Counter)
    """Faults by name."""
    served: Counter[str] = field(default_factory=Counter)
    """Bytes of answers by step."""
    calls: list[Call] = field(default_factory=list)
    """All, in their order."""
    statements: set[tuple[str, tuple[tuple[str, str], ...]]] = field(default_factory=set)
    """Text, and the parameters' names and types."""
    jobs: list[Mapping[str, Any]] = field(default_factory=list)
    """The configuration of each that was started."""
    watch: Callable[[Call], None] = lambda _: None
    """Told of each call before it is passed on, so that what it is about is still as it was."""
    _armed: list[tuple[Fault, Callable[[Call], bool]]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def arm(self, fault: Fault, when: Callable[[Call], bool], times: int = 1) -> None:
        """Let the fault happen to the next calls that it fits."""
        with self._lock:
            self._armed += [(fault, when)] * times

    def disarm(self) -> int:
        """Forget faults that have not happened; returns how many those were."""
        with self._lock:
            left = len(self._armed)
            self._armed.clear()
            return left

    def answered(self, call: Call, size: int) -> None:
        with self._lock:
            self.served[call.step] += size

    @property
    def armed(self) -> int:
        with self._lock:
            return len(self._armed)

    def fault_for(self, call: Call) -> Fault | None:
        self.watch(call)
        with self._lock:
            self.seen[call.step] += 1
            self.calls.append(call)
            if call.job:
                self.jobs.append(call.job["configuration"])
            if call.sql:
                self.statements.add((call.sql, call.parameters))
            for entry in self._armed:
                fault, when = entry
                if when(call):
                    self._armed.remove(entry)
                    self.injected[fault.name] += 1
                    return fault
        return None


def at(step: str) -> Callable[[Call], bool]:
    return lambda call: call.step == step
