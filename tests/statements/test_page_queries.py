"""What the console page asks: Google's own engine and the local warehouse answer alike, and as is computed here."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud.bigquery import Client

from dropmerge.operations.queries import statement
from services.merge.views import view_query
from services.shared.warehouse import Parameters, Warehouse
from tests.harness.googlesql import GoogleSql
from tests.harness.ops_tables import fill
from tests.harness.warehouse import local_warehouse

_BEGAN = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)
_ALL = _BEGAN - timedelta(days=1)
_LATEST = datetime(9999, 12, 31, tzinfo=UTC)
_NASTY = ("a'b", "-- x", "é😀", "", "\\", "a\nb")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with local_warehouse(tmp_path_factory.mktemp("page")) as client:
        yield client


class Engines:
    """Both, with the same rows in the tables of `ops`."""

    def __init__(self, client: Client, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        self._engines: Sequence[Warehouse] = (Warehouse(client, 60.0), GoogleSql())
        for engine in self._engines:
            fill(engine, rows)

    def ask(self, name: str, parameters: Parameters, **filled: Any) -> list[dict[str, Any]]:
        """Their answer, which is one."""
        sql = re.sub(r"`ops\.", "`local.ops.", statement(name, **filled))
        ours, google = ([dict(row.items()) for row in one.query(sql, parameters)] for one in self._engines)
        assert ours == google
        return google


def _event(at: float, event: str, /, **more: Any) -> dict[str, Any]:
    detail = more.pop("detail", {})
    known = {"happened_at": _BEGAN + timedelta(seconds=at), "event": event, "service": "ingest"}
    return {**known, "detail": json.dumps(detail, ensure_ascii=False), **more}


def _floor(at: datetime, step: int) -> datetime:
    return datetime.fromtimestamp(int(at.timestamp()) // step * step, UTC)


@pytest.mark.parametrize("step", [1, 300, 3600])
def test_merges_are_counted_once_for_each_merge(client: Client, step: int) -> None:
    """A delivery that is repeated records its MERGE again; it counts where it was recorded first."""
    random_ = random.Random(step)
    merges = [
        (random_.uniform(0, 9000), random_.choice(["f", "g", *_NASTY]), f"m{n}", random_.randint(1, 500))
        for n in range(60)
    ]
    events = [
        _event(at + more, "merged", feed=feed, detail={"merge_id": merge, "loads": [f"l{n}" for n in range(loads)]})
        for at, feed, merge, loads in merges
        for more in (0, 4000)[: 1 + loads % 2]
    ]
    expected_merges, expected_files = Counter[tuple[str, datetime]](), Counter[tuple[str, datetime]]()
    for at, feed, _, loads in merges:
        key = feed, _floor(_BEGAN + timedelta(seconds=at), step)
        expected_merges[key] += 1
        expected_files[key] += loads
    engines = Engines(client, {"journal": events})
    parameters: Parameters = {
        "since": ("TIMESTAMP", _ALL),
        "step": ("INT64", step * 1_000_000),
        "feed": ("STRING", ""),
    }
    found = engines.ask("merges_by_time.sql", parameters)
    assert {(one["feed"], one["began_at"]): one["merges"] for one in found} == expected_merges
    assert {(one["feed"], one["began_at"]): one["files"] for one in found} == expected_files
    only = engines.ask("merges_by_time.sql", {**parameters, "feed": ("STRING", "a'b")})
    assert only == [one for one in found if one["feed"] == "a'b"]


def test_letters_are_counted_once_each_whatever_their_attributes_are(client: Client) -> None:
    """Pub/Sub writes a letter at least once; its own have no reason."""
    attributes = [{"dropmerge_reason": reason} for reason in ("no_feed", *_NASTY[:3])] + [{}, {"x": "y"}]
    letters = [
        {
            "subscription_name": "s",
            "message_id": str(n // 2),  # each twice
            "publish_time": _BEGAN + timedelta(seconds=60 * (n // 2)),
            "data": b"",
            "attributes": json.dumps(attributes[n // 2 % len(attributes)], ensure_ascii=False),
        }
        for n in range(60)
    ]
    expected = Counter[tuple[str, datetime]]()
    for n in range(30):
        reason = attributes[n % len(attributes)].get("dropmerge_reason", "delivery_attempts_exhausted")
        expected[reason, _floor(_BEGAN + timedelta(minutes=n), 300)] += 1
    engines = Engines(client, {"dead_letter_messages": letters})
    found = engines.ask("letters_by_time.sql", {"since": ("TIMESTAMP", _ALL), "step": ("INT64", 300_000_000)})
    assert {(one["reason"], one["began_at"]): one["letters"] for one in found} == expected


def test_an_action_is_what_was_asked_for_and_its_last_word(client: Client) -> None:
    """Its end, once there is one, whatever is recorded later; words of what never began are left out."""

    def of(operation: str, at: float, event: str, **detail: Any) -> dict[str, Any]:
        return _event(at, f"operation_{event}", service="console", who="ada", operation_id=operation, detail=detail)

    events = [
        of("aa", 0, "began", kind="replay", count=3, why=_NASTY[0], letters=["1", "2", "3"]),
        of("aa", 2, "moved", done=1),
        of("aa", 4, "moved", done=2),
        {**of("aa", 5, "cancelled"), "who": "bob"},
        of("bb", 1, "began", kind="discard", count=1, why=None, letters=["4"]),
        of("bb", 3, "ended", outcome="done", done=1),
        of("bb", 9, "moved", done=0),
        of("cc", 2, "moved", done=7),
        _event(3, "replayed", service="console", operation_id="aa", detail={"dead_letter_id": "1"}),
        _event(1, "operation_began", service="ingest", operation_id="dd", detail={"kind": "replay"}),
    ]
    engines = Engines(client, {"journal": events})
    second, first = engines.ask("operations.sql", {"since": ("TIMESTAMP", _ALL), "id": ("STRING", "")})
    assert (first["operation_id"], first["kind"], first["who"], first["letters"]) == ("aa", "replay", "ada", 3)
    assert (first["why"], first["is_cancelled"], first["is_ended"]) == (_NASTY[0], True, False)
    assert json.loads(first["progress"]) == {"done": 2}
    assert first["last_word_at"] == _BEGAN + timedelta(seconds=5)
    assert (second["operation_id"], second["why"], second["is_ended"]) == ("bb", None, True)
    assert json.loads(second["progress"]) == {"outcome": "done", "done": 1}
    by_id: Parameters = {"id": ("STRING", "aa"), "since": ("TIMESTAMP", _ALL)}
    assert engines.ask("operations.sql", by_id) == [first]
    (began,) = engines.ask("operation_began.sql", by_id)
    assert json.loads(began["detail"])["letters"] == ["1", "2", "3"]
    assert len(engines.ask("operation_cancelled.sql", by_id)) == 1
    assert not engines.ask("operation_cancelled.sql", {**by_id, "id": ("STRING", "bb")})


def test_pages_of_loads_are_all_loads_each_once(client: Client) -> None:
    """Also those with events at one time, without a name, and with names that sort oddly."""
    random_ = random.Random(5)
    names = [*_NASTY, "incoming/a.csv", "incoming/A.csv", "b%_.csv"]
    events = [
        _event(
            random_.choice([0, 1, 1, 2, 60]),
            random_.choice(["arrived", "staged", "ignored"]),
            feed=random_.choice(["f", "g"]),
            load_id=f"l{n}",
            bucket="landing",
            object=names[n % len(names)],
            generation=n,
        )
        for n in range(40)
    ]
    ledger = [{"feed": "f", "load_id": "gone", "merged_at": _BEGAN, "merge_id": "m", "table_id": "t"}]
    engines = Engines(client, {"journal": events, "ledger": ledger})
    loads = view_query("local", "loads", {"since": "@since", "is_current": "m.table_id IS NOT NULL"})
    of_all: Parameters = {
        **dict.fromkeys(("feed", "state", "name", "place"), ("STRING", "")),
        **dict.fromkeys(("since", "last"), ("TIMESTAMP", _ALL)),
        "before": ("TIMESTAMP", _LATEST),
        "most": ("INT64", 1000),
    }
    whole = engines.ask("page_of_loads.sql", of_all, loads=loads)
    assert {one["load_id"] for one in whole} == {"gone", *(one["load_id"] for one in events)}
    assert [one["last_event_time"] for one in whole] == sorted((one["last_event_time"] for one in whole), reverse=True)
    paged: list[dict[str, Any]] = []
    asked: Parameters = {**of_all, "most": ("INT64", 7)}
    while page := engines.ask("page_of_loads.sql", asked, loads=loads):
        paged += page
        place = {"before": ("TIMESTAMP", page[-1]["last_event_time"]), "place": ("STRING", page[-1]["place"])}
        asked = {**asked, **place}
    assert paged == whole
    for part in ("A.CSV", "'", "%_", "\\"):
        found = engines.ask("page_of_loads.sql", {**of_all, "name": ("STRING", part)}, loads=loads)
        assert [one["load_id"] for one in found] == [
            one["load_id"] for one in whole if part.lower() in (one["file_name"] or "").lower()
        ]
        assert found
