"""G2, G7: bad input ends in a named state with a reason a person understands, and good files still flow."""

import json

import pytest

from services.ingest.inspect_head import HEAD_BYTES
from tests.harness.pipeline import HEADER, Pipeline, row

BAD_FILES: dict[str, tuple[str | bytes, str, str]] = {
    "header": (
        HEADER.replace("credit_score", "Credit_Score") + row("x"),
        "wrong_header",
        "'Credit_Score' is not in the contract (did you mean credit_score?)",
    ),
    "twice": (
        HEADER.replace("credit_score", "customer_id") + row("x"),
        "wrong_header",
        "'customer_id' is there more than once",
    ),
    "empty": ("", "empty_file", "zero bytes"),
    "latin1": ((HEADER + row("caf\xe9")).encode("latin-1"), "wrong_encoding", "not UTF-8: byte 0xe9"),
    "utf16": ((HEADER + row("x")).encode("utf-16"), "wrong_encoding", "UTF-16"),
    "gzip": (b"\x1f\x8b\x08\x00rest", "malformed_file", "gzip"),
    "png": (b"\x89PNG\r\n\x1a\n\0\0", "wrong_format", "PNG"),
    "wide": (HEADER + row("x") + ",".join("y" * 100) + "\n", "too_many_bad_rows", "1 too_many_fields"),
    "narrow": (HEADER + row("x") + "only,two\n", "too_many_bad_rows", "1 too_few_fields"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_g7_a_bad_file_is_a_dead_letter_with_its_reason(pipeline: Pipeline, kind: str) -> None:
    """The file ends dead-lettered, the error says what is wrong, and the next good file is merged."""
    data, reason, words = BAD_FILES[kind]
    bad = pipeline.drop(f"bad-{kind}.csv", data)
    good = pipeline.drop(f"good-after-{kind}.csv", HEADER + row(f"good-{kind}", 777))
    pipeline.wait_until_idle()
    found = pipeline.explain(bad)
    assert (found["state"], found["reason"]) == ("dead_lettered", reason)
    assert words in found["error"]
    dead_letter = pipeline.dead_letter(bad)
    assert (dead_letter.reason, dead_letter.service, dead_letter.feed) == (reason, "ingest", "accounts")
    assert pipeline.explain(good)["state"] == "merged"
    assert pipeline.scores([f"good-{kind}", "x"]) == {f"good-{kind}": 777}


def test_g7_a_header_only_file_is_a_load_of_no_rows(pipeline: Pipeline) -> None:
    """The file ends merged."""
    uri = pipeline.drop("header-only.csv", HEADER)
    pipeline.wait_until_idle()
    assert pipeline.explain(uri)["state"] == "merged"


def test_g2_an_object_that_no_feed_wants_is_a_dead_letter(pipeline: Pipeline) -> None:
    """Under the landing prefix nothing is passed over."""
    uri = pipeline.drop("lost.csv", "a\n1\n", feed="nobody")
    pipeline.wait_until_idle()
    assert pipeline.explain(uri)["state"] == "dead_lettered"
    assert pipeline.dead_letter(uri).reason == "no_feed"


def test_g2_a_malformed_message_is_a_dead_letter(pipeline: Pipeline) -> None:
    """A malformed message on either topic is kept with its bytes and attributes whole."""
    pipeline.publish("file-arrived", b"\xff\x00 not a notification", {"colour": "blue"})
    pipeline.publish("file-staged", b"[]", {"colour": "green"})
    pipeline.wait_until_idle()
    found = {x.attributes.get("colour"): x for x in pipeline.dead_letters() if x.reason == "malformed_message"}
    assert (found["blue"].service, found["blue"].data) == ("ingest", b"\xff\x00 not a notification")
    assert (found["green"].service, found["green"].data) == ("merge", b"[]")


def test_g2_staging_that_is_gone_is_a_dead_letter(pipeline: Pipeline) -> None:
    """A staged message whose table is missing and whose load was never merged is not an empty merge."""
    message = {"feed": "accounts", "bucket": "landing", "object": "incoming/accounts/gone.csv", "generation": 77}
    pipeline.publish("file-staged", json.dumps({**message, "field_of_tomorrow": 1}).encode(), {})
    pipeline.wait_until_idle()
    assert pipeline.dead_letter("#77").reason == "staging_missing"


def test_g7_rows_within_tolerance_are_set_aside(pipeline: Pipeline) -> None:
    """The good rows are merged; each bad one is kept as it was, with every reason."""
    bad = "tol-bad,a,99999999999999999999,1.0123456789,2025-02-30T00:00:00Z,U\n"
    pipeline.drop("tolerated.csv", HEADER + row("tol-good", 620) + bad + row("tol-low", 12), feed="tolerant")
    pipeline.wait_until_idle()
    assert pipeline.scores(["tol-good", "tol-bad", "tol-low"], "tolerant") == {"tol-good": 620}
    found = pipeline.connection.rows("SELECT row_text, reasons FROM `ops.rejected_rows` WHERE feed = 'tolerant'")
    reasons = {json.loads(one["row_text"])["customer_id"]: set(one["reasons"]) for one in found}
    assert reasons["tol-low"] == {"check_failed: credit_score"}
    assert reasons["tol-bad"] == {
        "not_an_integer: credit_score",
        "too_many_decimals: account_balance",
        "not_a_timestamp: last_modified",
    }


def test_g7_rows_that_are_not_utf8_are_set_aside(pipeline: Pipeline) -> None:
    """Late in a file BigQuery writes U+FFFD for bad bytes, and two keys never become one."""
    filler = row("utf8-good", 640) * (HEAD_BYTES // len(row("utf8-good", 640)) + 1)
    data = HEADER + filler + row("M\xfcller", 610) + row("M\xf6ller", 620)
    tolerated = pipeline.drop("latin1-late.csv", data.encode("latin-1"), feed="tolerant")
    refused = pipeline.drop("latin1-late.csv", data.encode("latin-1"))
    pipeline.wait_until_idle()
    assert pipeline.explain(tolerated)["rejected"] == {"not_utf8: customer_id": 2}
    assert pipeline.scores(["utf8-good", "M\ufffdller"], "tolerant") == {"utf8-good": 640}
    assert pipeline.dead_letter(refused).reason == "too_many_bad_rows"
    assert "2 not_utf8: customer_id" in pipeline.dead_letter(refused).error


def test_g7_past_the_tolerance_nothing_is_merged(pipeline: Pipeline) -> None:
    """The whole file is a dead letter that counts the reasons."""
    bad = "".join(row(f"past-{n}", "high") for n in range(3))
    uri = pipeline.drop("past.csv", HEADER + row("past-good") + bad, feed="tolerant")
    pipeline.wait_until_idle()
    found = pipeline.explain(uri)
    assert found["reason"] == "too_many_bad_rows"
    assert "3 of 4 rows" in found["error"]
    assert "not_an_integer: credit_score" in found["error"]
    assert pipeline.scores(["past-good"], "tolerant") == {}
