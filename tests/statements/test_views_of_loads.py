"""The views of `ops`: Google's own engine and the local warehouse answer alike, and a state is what `explain` says."""

from __future__ import annotations

import itertools
import json
import random
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud.bigquery import Client

from deploy.topology import ROOT
from dropmerge.operations.loads.states import DISPATCH_EVENTS, Evidence, state_of
from dropmerge.operations.past_loads import COLUMNS
from services.merge.views import view_query
from services.shared.warehouse import Warehouse
from tests.harness.googlesql import GoogleSql
from tests.harness.ops_tables import fill
from tests.harness.warehouse import local_warehouse

_NOW = datetime.now(UTC).replace(microsecond=0)
_VIEWS = ("load_events", "loads")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with local_warehouse(tmp_path_factory.mktemp("views")) as client:
        yield client


def _at(seconds: float) -> datetime:
    """Within the views' window."""
    return _NOW - timedelta(days=1) + timedelta(seconds=seconds)


def _event(at: float, event: str, object_: str | None = "a.csv", /, **more: Any) -> dict[str, Any]:
    detail = more.pop("detail", {})
    known = {"service": "ingest", "bucket": "landing" if object_ else None, "object": object_, "generation": 5}
    return {
        "happened_at": _at(at),
        "event": event,
        **known,
        "detail": detail if isinstance(detail, str | None) else json.dumps(detail),
        **more,
    }


def _merged(at: float, load_id: str, **more: Any) -> dict[str, Any]:
    return {"feed": "f", "load_id": load_id, "merged_at": _at(at), "merge_id": "m", "table_id": "t", **more}


def _both(client: Client, **rows: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Both engines' answer, which is one."""
    answers = []
    texts = {name: _text(name) for name in _VIEWS}
    for warehouse in (Warehouse(client, 60.0), GoogleSql()):
        fill(warehouse, rows)
        answers.append({name: _rows(warehouse, f"SELECT * FROM ({text})") for name, text in texts.items()})
    ours, google = answers
    for name in _VIEWS:
        for one, other in zip(ours[name], google[name], strict=True):
            assert one == other
    views = {name: _rows(Warehouse(client, 60.0), f"SELECT * FROM `ops.{name}`") for name in _VIEWS}
    assert views == ours, "the view is the text"
    return google


def _text(name: str) -> str:
    """The view's query, without another view in it, which Google's engine does not have."""
    return view_query("local", name, {"since": f"TIMESTAMP '{_at(-60 * 86400)}'"})


def _rows(warehouse: Warehouse, sql: str) -> list[dict[str, Any]]:
    return sorted((dict(row.items()) for row in warehouse.query(sql)), key=str)


def test_a_load_from_its_drop_to_its_merge(client: Client) -> None:
    """Each column by hand, of a load that was merged alone, and of two that were merged together."""
    entry = {"main_table": "main.f", "table_id": "t", "feed": "f", "identity": "i", "contract": "c"}
    alone = {"merge_id": "m", "loads": ["x"], "mode": "upsert", "inserted": 1, "updated": 2, "bytes_billed": 300}
    both = {"merge_id": "n", "mode": "upsert", "inserted": 4, "updated": 1, "bytes_billed": 201, "slot_ms": 7}
    checked = {"rows": 9, "rejected_rows": 3, "deletes": 1, "lost_in_file": 2, "bytes_billed": 10, "slot_ms": 4}
    journal = [
        _event(0, "arrived", load_id="x", feed="f", detail={"attempt": 1}),
        _event(1, "pinned", load_id="x", feed="f", detail={"size": 1234, "md5": "=="}),
        _event(2.5, "checked", load_id="x", feed="f", detail={**checked, "commonest_reason": "too_long: a"}),
        _event(3, "staged", load_id="x", feed="f", detail={"contract": "c"}),
        _event(4, "merged", load_id="x", feed="f", service="merge", detail=alone),
        *(_event(5, "checked", f"{one}.csv", load_id=one, feed="f", detail={**checked, "rows": 4}) for one in "yz"),
        _event(6, "merged", "y.csv", load_id="y", feed="f", service="merge", detail=both),
    ]
    ledger = [_merged(3.75, "x", contract="c"), *(_merged(6, one, merge_id="n") for one in "yz")]
    found = _both(client, journal=journal, ledger=ledger, main_tables=[entry])
    names = {one["file_name"]: one for one in found["loads"]}
    x = names["a.csv"]
    wanted = {
        **{"load_id": "x", "feed": "f", "table_name": "main.f", "stage_location": "gs://landing", "generation": 5},
        **{"file_size": 1234, "md5": "==", "state": "merged", "last_event": "merged", "contract": "c"},
        **{"row_parsed": 9, "error_count": 3, "staged": 6, "deleted": 1, "lost_in_file": 2},
        **{"inserted": 1, "updated": 2, "ignored": 3, "commonest_error": "too_long: a", "bytes_billed": 310},
        **{"loads_in_merge": 1, "merge_id": "m", "merge_staged": 6, "merge_slot_ms": None, "dead_letters": 0},
        **{"check_bytes_billed": 10, "check_slot_ms": 4, "merge_bytes_billed": 300},
        **{"discovery_time": _at(0), "processed_time": _at(3), "commit_time": _at(3.75), "first_error_message": None},
    }
    assert {name: x[name] for name in wanted} == wanted
    for one in (names["y.csv"], names["z.csv"]):
        assert (one["inserted"], one["updated"], one["ignored"]) == (None, None, None), "of the group alone"
        assert (one["merge_inserted"], one["merge_updated"], one["merge_ignored"]) == (4, 1, -3)
        assert (one["loads_in_merge"], one["merge_staged"], one["merge_slot_ms"]) == (2, 2, 7)
        assert one["bytes_billed"] == 10 + 101, "and an equal share"
    steps = [one for one in found["load_events"] if one["load_id"] == "x"]
    steps.sort(key=lambda one: one["happened_at"])
    taken = [(one["event"], one["seconds_since_previous"]) for one in steps]
    assert taken == [("arrived", None), ("pinned", 1.0), ("checked", 1.5), ("staged", 0.5), ("merged", 0.75)]
    assert steps[-1]["is_current"] is True


def test_nasty_rows(client: Client) -> None:
    """What is lost, doubled, foreign, half there or hostile neither fails a view nor doubles a load."""
    nasty = "O'Brien \\ \"%${since}\n{{ x }} é"
    journal = [
        _event(0, "arrived", nasty, load_id="p", feed="f", generation=2**63 - 1, detail=None),
        _event(0, "checked", nasty, load_id="p", feed="f", generation=2**63 - 1, detail={"rows": "x", "md5": None}),
        _event(1, "dead_lettered", nasty, generation=2**63 - 1, detail={"reason": "no_feed", "error": nasty}),
        _event(1, "dead_lettered", "no generation", generation=None, bucket=None, detail={"reason": "no_feed"}),
        _event(1, "started", None, generation=None),
        _event(1, "ignored", "x/_SUCCESS", detail={"pattern": "*_SUCCESS"}),
        _event(-100 * 86400, "arrived", "old.csv", load_id="old", feed="f"),
        _event(2, "merged", "gone.csv", load_id="gone", feed="f", detail={"merge_id": "lost", "loads": []}),
        _event(2, "announced", "again.csv", load_id="again", feed="f", service="console"),
        _event(2, "merged", "append.csv", load_id="append", feed="f", detail={"merge_id": "a", "mode": "append"}),
        _event(1, "checked", "append.csv", load_id="append", feed="f", detail={"rows": 3, "rejected_rows": 1}),
    ]
    ledger = [
        _merged(0, "nobody", merge_id="u"),
        _merged(-100 * 86400, "past", merge_id="v"),
        _merged(-100 * 86400, "again", merge_id="w"),
        _merged(0, "gone", table_id="dropped"),
        _merged(0, "append", merge_id="a"),
        _merged(0, "built", feed="f__1", merge_id="b"),
        _merged(0, "legacy", table_id=None, merge_id="l"),
    ]
    entry = {"main_table": "main.f", "table_id": "t", "feed": "f", "identity": "i", "contract": "c"}
    found = _both(client, journal=journal, ledger=ledger, main_tables=[entry])
    by_name = {one["file_name"] or one["load_id"]: one for one in found["loads"]}
    assert len(by_name) == len(found["loads"])
    assert {name: one["state"] for name, one in by_name.items()} == {
        nasty: "dead_lettered",
        "no generation": "dead_lettered",
        "x/_SUCCESS": "ignored",
        "gone.csv": "pinned",
        "again.csv": "merged",
        "append.csv": "merged",
        "nobody": "merged",
        "legacy": "pinned",
    }
    assert by_name[nasty]["first_error_message"] == nasty
    assert by_name[nasty]["row_parsed"] is None
    assert (by_name["append.csv"]["inserted"], by_name["append.csv"]["updated"]) == (2, 0)


_EVENTS = ("arrived", "announced", "pinned", "checked", "staged", "merged", "dead_lettered", "superseded", "ignored")


def _stories() -> list[tuple[str, ...]]:
    """Orders in which events can come: all of two, some of three. `late`: a discard of an older letter."""
    words = (*_EVENTS, "replayed", "discarded", "undone", "late")
    one_two, three = (
        [story for length in lengths for story in itertools.product(words, repeat=length)]
        for lengths in ((1, 2), (3,))
    )
    return [*one_two, *random.Random(13).sample(three, 40)]


def test_a_state_is_what_explain_says(client: Client) -> None:
    """Of what the ledger and the last event decide; where a table or an object would, the last event's word counts."""
    stories, journal = _stories(), []
    for number, story in enumerate(stories):
        for at, word in enumerate(story):
            event = "discarded" if word == "late" else word
            by = "console" if event in ("announced", "replayed", "discarded", "undone") else "ingest"
            written = _at(-50 if word == "late" else at)
            detail = {"dead_lettered_at": written.isoformat()} if event in ("discarded", "undone") else {}
            more = {"service": by, "load_id": f"l{number}", "feed": "f", "detail": detail}
            journal.append(_event(at, event, f"{number}.csv", **more))
    # Some of three are merged. What was merged into a table that was dropped since has nothing after that.
    merged = {number for number, story in enumerate(stories) if number % 2 and len(story) == 3}
    lost = {number for number, story in enumerate(stories) if story[-1] == "merged"} - merged
    ledger = [_merged(9, f"l{number}", table_id="t" if number in merged else "other") for number in merged | lost]
    entry = {"main_table": "main.f", "table_id": "t", "feed": "f", "identity": "i", "contract": "c"}
    found = _both(client, journal=journal, ledger=ledger, main_tables=[entry])
    states = {one["load_id"]: one["state"] for one in found["loads"]}
    in_flight = {"staged", "loaded", "pinned", "arrived", "unknown"}
    for number, story in enumerate(stories):
        state, expected = states[f"l{number}"], state_of(Evidence(number in merged, _told(story)))
        if expected.is_terminal:
            assert state == expected, story
        else:
            assert state in in_flight, story


def _told(story: Sequence[str]) -> list[str]:
    """The events that `explain` judges by: not of a letter that is older than the load's last dispatch."""
    last = max((at for at, word in enumerate(story) if word in DISPATCH_EVENTS), default=None)
    events = []
    for at, word in enumerate(story):
        is_old = last is not None and (word == "late" or at < last)
        if word not in ("discarded", "undone", "late") or not is_old:
            events.append("discarded" if word in ("late", "undone") else word)
    return events


def test_a_view_reads_its_window_only() -> None:
    """Each reading of the journal names the days that it is of, whoever asks."""
    for name in _VIEWS:
        asked = view_query("local", name, {"since": "@since"})
        assert asked.count("`local.ops.journal`") == asked.count("WHERE happened_at >= @since") == 1
    window = "WHERE happened_at >= TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 90 DAY)"
    assert window in view_query("local", "load_events")
    assert "FROM `local.ops.load_events`" in view_query("local", "loads")


_PAGE = (ROOT / "docs" / "history.md").read_text(encoding="utf-8")


def test_the_page_has_every_column_and_its_questions_are_answered(client: Client) -> None:
    """Columns in the views' order, each with a sentence; answers by both engines."""
    journal = [_event(0, "arrived", load_id="x", feed="f"), _event(1, "discarded", service="console", who="ada")]
    for name, rows in _both(client, journal=journal).items():
        described = _PAGE.partition(f"<!-- ops.{name} -->")[2].partition("<!-- end -->")[0]
        assert re.findall(r"^\| `(\w+)` \| .+[.…] \|$", described, re.MULTILINE) == list(rows[0])
        assert name != "loads" or tuple(rows[0]) == COLUMNS
    google = GoogleSql()
    fill(google, {"journal": journal})
    questions = re.findall(r"```sql\n(.+?)```", _PAGE, re.DOTALL)
    assert len(questions) >= 5
    for question in questions:
        text = re.sub(r"`ops\.(\w+)`", lambda found: f"({_text(found[1])})", question)
        assert _rows(Warehouse(client, 60.0), question) == _rows(google, text)
