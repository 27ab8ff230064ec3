"""Values of rows are in no answer of the page, in whichever form, unless an operator asked, which is recorded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Request
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dropmerge.page.access import Person, Role
from dropmerge.page.app import make_app
from dropmerge.page.forms import READ_ONLY
from dropmerge.page.views import rejected as rejected_view
from tests.harness.cloud import running
from tests.harness.feeds import write_feeds
from tests.harness.pipeline import Pipeline
from tests.harness.subscription import paused_subscription, wait_until

_CONTRACT = """
feed: hides
objects: incoming/hides/*
format: {type: csv}
table: main.hides
key: [k, part]
version: [at, revision]
delete: {column: op, equals: D}
history: true
columns:
  - {name: k, type: STRING}
  - {name: part, type: STRING, default: ""}
  - {name: at, type: TIMESTAMP}
  - {name: revision, type: NUMERIC}
  - {name: amount, type: NUMERIC}
  - {name: note, type: STRING}
bad_rows: {at_most: 50%}
"""
_OF_LINES = """
feed: opens
objects: incoming/opens/*
format: {type: ndjson}
table: main.opens
key: [k]
version: revision
columns:
  - {name: k, type: STRING}
  - {name: revision, type: NUMERIC}
  - {name: note, type: STRING}
bad_rows: {at_most: 100%}
"""
_HEADER = "k,part,at,revision,amount,note,op\n"
_VALUE = re.compile(r"2001-0[0-9]-|[0-9]*7134\.[0-9]+|planted[\w-]*")
"""What each value looks like that `_row` makes, and nothing else."""
_OWN = {"Origin": "http://localhost"}
KEYS = {
    "good": "late.csv",
    "rejects": "rejected",
    "deleted": "older",
    "gone": "late.csv",
    "lettered": "newer",
    "lettered-bad": "rejected",
    "superseded": "older",
    "same": "older",
    "waiting": "newer",
    "possible": "possible",
}
"""By key, a word that its story has in each form."""


def _row(key: str, day: int, bad: str = "", op: str = "U") -> str:
    return f"{key},p,2001-0{day}-02T03:04:05Z,{day}7134.25,{bad or f'{day}7134.75'},planted-{key}-{day},{op}\n"


@dataclass
class _Door:
    """Lets everybody in, as somebody of this role."""

    role: Role = Role.OPERATOR

    def person(self, _: Request) -> Person:
        return Person("ada", self.role, "session")


@dataclass
class Hidden:
    pipeline: Pipeline
    client: FlaskClient
    door: _Door

    def get(self, path: str, **words: str) -> TestResponse:
        return self.client.get(path, query_string=words, buffered=True)

    def post(self, path: str, **words: str) -> TestResponse:
        """With the token of a page."""
        page = self.client.get("/rows").get_data(as_text=True)
        (token,) = set(re.findall(r'name="csrf" value="(\w+)"', page))
        return self.client.post(path, data={"csrf": token, **words}, headers=_OWN, buffered=True)

    def recorded(self) -> int:
        rows = self.pipeline.connection.rows("SELECT COUNT(*) AS n FROM `ops.journal` WHERE event = 'values_shown'")
        return int(rows[0]["n"])


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hidden]:
    folder = tmp_path_factory.mktemp("hidden")
    feeds = write_feeds(folder / "feeds")
    (feeds / "hides.yaml").write_text(_CONTRACT)
    (feeds / "opens.yaml").write_text(_OF_LINES)
    with running(folder, feeds) as pipeline:
        old = ("good", "rejects", "deleted", "lettered", "lettered-bad", "superseded", "same", "waiting")
        pipeline.drop(
            "old.csv", _HEADER + "".join(_row(key, 3) for key in old) + _row("gone", 3, op="D"), feed="hides"
        )
        pipeline.wait_until_idle()
        newer = (
            _row("rejects", 4, "planted-bad")
            + _row("rejects", 5, "planted-bad-too")
            + _row("superseded", 4)
            + _row("same", 2)
            + _row("deleted", 4, op="D")
        )
        pipeline.drop("newer.csv", _HEADER + newer, feed="hides")
        broken = "".join(
            f'{{"k": "{key}", "revision": 17134.25, "note": "planted-open"\n' for key in ("possible", "likely")
        )
        pipeline.drop("broken.ndjson", '{"k": "whole", "revision": 1}\n' + broken, feed="opens")
        pipeline.drop("again.csv", _HEADER + _row("superseded", 5) + _row("same", 1), feed="hides")
        pipeline.wait_until_idle()
        bad = _row("lettered", 5) + _row("lettered-bad", 5, "planted-worse") + _row("other", 5, "planted-worst")
        pipeline.drop("letter.csv", _HEADER + bad, feed="hides")
        pipeline.wait_until_idle()
        with paused_subscription(pipeline, "merge"):
            pipeline.drop("late.csv", _HEADER + _row("waiting", 6), feed="hides")
            wait_until(lambda: pipeline.connection.undelivered("merge") == 1, "staged")
            door = _Door()
            client = make_app(lambda: pipeline.connection, door, lambda _: None).test_client()
            yield Hidden(pipeline, client, door)


@pytest.fixture
def hidden(everything: Hidden) -> Iterator[Hidden]:
    everything.door.role = Role.OPERATOR
    yield everything
    everything.door.role = Role.OPERATOR


def _key(key: str) -> dict[str, str]:
    return {"feed": "opens", "key.k": key} if key == "possible" else {"feed": "hides", "key.k": key, "key.part": "p"}


def _shown(answer: TestResponse) -> list[str]:
    """Values of rows in it."""
    assert answer.status_code == 200
    return _VALUE.findall(answer.get_data(as_text=True))


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("form", ["", ".json", ".csv"])
def test_no_value_is_shown_to_who_has_not_asked(hidden: Hidden, form: str, role: Role) -> None:
    """Of rejected rows, and in the story of a key, whatever became of its rows; nor for a word in the address."""
    hidden.door.role = role
    before = hidden.recorded()
    for query in ({}, {"values": "1"}, {"file": "newer.csv", "values": "1"}):
        answer = hidden.get(f"/rejected{form}", **query)
        assert "newer.csv" in answer.get_data(as_text=True)
        assert _shown(answer) == []
    for key, what in KEYS.items():
        for answer in (hidden.get(f"/rows{form}", **_key(key), values="1"), hidden.post(f"/rows{form}", **_key(key))):
            assert _shown(answer) == [], key
            assert what in answer.get_data(as_text=True)
    assert hidden.recorded() == before


@pytest.mark.parametrize("form", ["", ".json", ".csv"])
def test_an_operator_who_asks_is_recorded_and_shown_them(hidden: Hidden, form: str) -> None:
    before = hidden.recorded()
    assert {"planted-bad", "planted-worse", "planted-open"} <= set(_shown(hidden.post(f"/rejected{form}", values="1")))
    assert hidden.recorded() == before + 1
    answer = hidden.post(f"/rows{form}", **_key("lettered-bad"), values="1")
    assert "planted-worse" in _shown(answer)
    assert "57134.25" in _shown(answer)
    assert hidden.recorded() == before + 2


@pytest.mark.parametrize("form", ["", ".json", ".csv"])
@pytest.mark.parametrize("path", ["/rejected", "/rows"])
def test_values_are_refused_to_a_viewer_and_without_a_token_or_a_record(
    hidden: Hidden, monkeypatch: pytest.MonkeyPatch, path: str, form: str
) -> None:
    before = hidden.recorded()
    answers = [hidden.client.post(f"{path}{form}", data={**_key("good"), "values": "1"}, headers=_OWN)]
    hidden.door.role = Role.VIEWER
    answers.append(hidden.post(f"{path}{form}", **_key("good"), values="1"))
    hidden.door.role = Role.OPERATOR
    monkeypatch.setattr("services.shared.journal.Journal.write", lambda *_: False)
    answers.append(hidden.post(f"{path}{form}", **_key("good"), values="1"))
    assert [answer.status_code for answer in answers] == [403, 403, 409]
    assert [_VALUE.findall(answer.get_data(as_text=True)) for answer in answers] == [[], [], []]
    assert READ_ONLY in answers[1].get_data(as_text=True)
    assert hidden.recorded() == before


def test_a_form_has_buttons_for_what_was_asked_for(hidden: Hidden) -> None:
    """JSON and CSV with values, of the same rows, once these were shown; before it is said that both hide them."""
    before = hidden.get("/rejected", feed="hides").get_data(as_text=True)
    assert "hide the values of rows" in before
    assert "JSON with values" not in before
    after = hidden.post("/rejected?feed=hides", values="1").get_data(as_text=True)
    assert re.findall(r'formaction="([^"]*)"', after) == ["/rejected.json?feed=hides", "/rejected.csv?feed=hides"]
    page = hidden.post("/rows", **_key("good"), values="1").get_data(as_text=True)
    assert re.findall(r'formaction="([^"]*)"', page) == ["/rows.json", "/rows.csv"]
    hides = "<caption>The row, its values hidden</caption>"
    asked = hidden.get("/rows", **_key("good")).text
    assert (hides in page, hides in asked) == (False, True)
    assert ("For machines" in page, "For machines" in asked) == (False, True), "no address has what was sent by a form"


@pytest.mark.parametrize(("path", "words"), [("/rejected", {}), ("/rows", _key("good"))])
def test_a_viewer_reads_why_values_are_hidden(hidden: Hidden, path: str, words: dict[str, str]) -> None:
    hidden.door.role = Role.VIEWER
    assert f"only an operator is shown them. {READ_ONLY}" in hidden.get(path, **words).get_data(as_text=True)


def test_the_places_of_one_files_rows_are_shown_with_the_values(
    hidden: Hidden, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that the JSON has; of several files, or of a large one, it is said how to see them."""
    found = hidden.get("/rejected.json", file="newer.csv").get_json()
    wanted = [[str(one["record"]), str(one["line"])] for one in found]
    assert wanted == [["1", "2"], ["2", "3"]]
    page = hidden.post("/rejected?file=newer.csv", values="1").get_data(as_text=True)
    assert [re.findall(r'<td class="n">(\d+)</td>', row) for row in re.findall(r"<tr><td>.*", page)] == wanted
    without = "To see records and lines here, choose one file"
    assert without not in page
    assert ">record</th>" in page
    assert ">record</th>" not in hidden.get("/rejected", file="newer.csv").text, "to find them takes reading the file"
    assert without in hidden.post("/rejected", values="1").get_data(as_text=True)
    assert without not in hidden.get("/rejected").get_data(as_text=True)
    monkeypatch.setattr(rejected_view, "MOST_RECORDS", 4)  # it has five
    page = hidden.post("/rejected?file=hides/newer.csv", values="1").get_data(as_text=True)
    assert (without in page, "planted-bad" in page) == (True, True)


def test_a_file_without_rejected_rows_is_named(hidden: Hidden) -> None:
    """A row with two faults counts for both, which the table says."""
    assert "No rejected rows of <bdi>nope.csv</bdi> are known." in hidden.get("/rejected", file="nope.csv").text
    of_feed = hidden.get("/rejected", file="newer.csv", feed="accounts").text
    assert "No rejected rows of <bdi>newer.csv</bdi> are known in feed accounts." in of_feed
    of_reason = hidden.get("/rejected", file="newer.csv", reason="not_a_date").text
    assert "0 rejected rows of these are listed." in of_reason
    assert "a row with several reasons counts for each" in hidden.get("/rejected").text


def test_a_key_of_which_a_part_lacks_is_asked_for(hidden: Hidden) -> None:
    """At the form, which has what was typed; not a part that may be empty."""
    words = {"feed": "accounts", "key.customer_id": "c-1", "key.account_number": ""}
    sentence = "type account_number too: the key of accounts is customer_id, account_number"
    for answer in (hidden.get("/rows", **words), hidden.post("/rows", **words)):
        assert (answer.status_code, sentence in answer.text, 'value="c-1"' in answer.text) == (400, True, True)
        assert "has no row with this key" not in answer.text
    for form in (".json", ".csv"):
        answer = hidden.get(f"/rows{form}", **words)
        assert (answer.status_code, answer.get_json()) == (400, {"error": sentence})
    assert (
        "type customer_id and account_number: the key" in hidden.get("/rows", **words | {"key.customer_id": ""}).text
    )
    answer = hidden.get("/rows", **_key("good") | {"key.part": ""})
    assert (answer.status_code, "has no row with this key" in answer.text) == (200, True)
