"""`dropmerge explain --row` tells what is known of a key: why its row is as it is, or is not there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from dropmerge.operations.row_story.key import read_key
from dropmerge.operations.row_story.look import look_into
from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from tests.harness.commands import Commands
from tests.harness.dead_letters import empty_dead_letters, ours, put, wait_for_the_table
from tests.harness.faults.calls import Script
from tests.harness.faults.http_proxy import HttpProxy
from tests.harness.faults.kinds import PERMANENT
from tests.harness.pipeline import HEADER, Pipeline, row
from tests.harness.subscription import paused_subscription, pull_all


@pytest.fixture(scope="module", autouse=True)
def _no_strays(pipeline: Pipeline) -> None:
    """Each letter of another test that names no feed would be looked into for every story."""
    empty_dead_letters(pipeline)


def _explain(commands: Commands, key: str, *more: str, feed: str = "story", code: int = 0) -> Any:
    return commands.json(
        "explain", "--feed", feed, "--row", f"customer_id={key}", "account_number=a", *more, code=code
    )


def _told(found: Any, source: str) -> Any:
    (one,) = [piece for piece in found["story"] if piece["source"] == source]
    return one


def _sentences(found: Any) -> Sequence[str]:
    return [piece["sentence"] for piece in found["story"]]


def test_a_row_is_old_because_the_newer_one_is_bad_or_in_a_file_that_is(
    pipeline: Pipeline, commands: Commands
) -> None:
    """A file with too many bad rows is a dead letter whole: its bad row says why, its good one that it is newer."""
    pipeline.drop("old.csv", HEADER + row("old-bad", 650) + row("old-good", 651), feed="story")
    pipeline.wait_until_idle()
    data = (
        HEADER
        + row("secret", "marker-score", day=2)
        + row("old-bad", "excellent", day=2)
        + row("old-good", 700, day=2)
    )
    half = pipeline.drop("half.csv", data, feed="story")
    pipeline.wait_until_idle()
    letter = pipeline.dead_letter(half).id

    bad = _explain(commands, "old-bad")
    assert bad["row"]["credit_score"] == "650"
    told = _told(bad, half)
    assert (told["verdict"], told["record"], told["dead_letter"]) == ("rejected", 2, letter)
    assert told["reasons"] == ["not_an_integer: credit_score"]
    assert told["sentence"] == (
        "half.csv has this row in record 2 with last_modified 2025-01-02T00:00:00Z, newer than the table's "
        "last_modified 2025-01-01T00:00:00Z: "
        f'credit_score "excellent" is not_an_integer; the file is dead letter {letter} (2 of 3 rows bad).'
    )

    good = _explain(commands, "old-good")
    told = _told(good, half)
    assert (told["verdict"], told["record"], told["dead_letter"]) == ("newer", 3, letter)
    assert told["sentence"] == (
        "half.csv has this row in record 3 with last_modified 2025-01-02T00:00:00Z, newer than the table's "
        "last_modified 2025-01-01T00:00:00Z. "
        f"It is not merged because the file is dead letter {letter} (2 of 3 rows bad)."
    )
    text = commands.run("explain", "--feed", "story", "--row", "customer_id=old-good", "account_number=a").stdout
    assert told["sentence"] in text
    assert "greater" not in text, "no rule in general where there is a reason"
    for shown in (text, json.dumps(bad), json.dumps(good)):
        assert "marker-score" not in shown
        assert "secret" not in shown
    assert not [name for name in pipeline.connection.staging_tables() if name.startswith("_preview")]

    newer = pipeline.drop("half.csv", HEADER + row("old-good", 702, day=3), feed="story")
    pipeline.wait_until_idle()
    found = _explain(commands, "old-good")
    assert f"gs://landing/{found['object']}#{found['generation']}" == newer
    assert _told(found, half)["verdict"] == "older"


def test_a_row_is_missing_because_its_file_is_a_dead_letter(pipeline: Pipeline, commands: Commands) -> None:
    """Also where its header does not fit, or it is in a folder of no feed; what else was looked into is named."""
    none = _explain(commands, "miss", code=1)
    assert (none["state"], none["row"]) == ("unknown", None)
    assert none["why"] == "main.story has no row with this key, deleted or not"
    text = commands.run("explain", "--feed", "story", "--row", "customer_id=miss", "account_number=a", code=1).stdout
    assert "No file that dropmerge knows of has this key" in text

    renamed = pipeline.drop("day3.csv", HEADER.replace("credit_score", "score") + row("miss", day=3), feed="story")
    other = pipeline.drop("day4.csv", HEADER.replace("credit_score", "score") + row("nobody", day=3), feed="story")
    broken = pipeline.drop("day5.csv", HEADER.encode() + b"miss,\xff,7,1.5,2025-01-01T00:00:00Z,U\n\0", feed="story")
    stray = pipeline.drop("stray.csv", HEADER + row("miss", day=2), feed="stories")
    pipeline.wait_until_idle()
    found = _explain(commands, "miss")
    assert (found["state"], found["row"]) == ("dead_lettered", None)
    letter = pipeline.dead_letter(renamed).id
    assert _told(found, renamed)["sentence"] == (
        "day3.csv has this row in record 1 with last_modified 2025-01-03T00:00:00Z. "
        f"It is not merged because the file is dead letter {letter} (wrong_header)."
    )
    assert _told(found, other)["verdict"] == "absent"
    assert "no_feed" in _told(found, stray)["sentence"]
    assert _told(found, stray)["record"] == 1
    told = _told(found, broken)
    assert told["verdict"] == "unreadable"
    assert told["reasons"] == [pipeline.dead_letter(broken).reason]
    for uri in (renamed, other, broken, stray):
        commands.run("dead-letters", "discard", "--id", pipeline.dead_letter(uri).id, "--why", "done", "--yes")
    found = _explain(commands, "miss")
    assert "a dead letter that was discarded" in _told(found, renamed)["sentence"]


def test_a_message_that_names_no_file_harms_no_story(pipeline: Pipeline, commands: Commands) -> None:
    """Anybody may have published it: without a bucket or with no bucket's name, of no generation; then discarded."""
    name = "incoming/story/forged.csv"
    forged = [{"objectId": name}, *(ours(name, bucketId=bucket) for bucket in ("-", "a" * 300, "nobody/s", ".."))]
    forged += [
        {key: text for key, text in ours(name).items() if key != left} for left in ("bucketId", "objectGeneration")
    ]
    elsewhere = put(pipeline, ours(name, bucketId="nobodys"))
    ids = [put(pipeline, attributes) for attributes in forged]
    wait_for_the_table(pipeline)
    found = _explain(commands, "forged", code=1)
    (told,) = [piece for piece in found["story"] if "forged.csv" in piece["source"]]
    assert (told["dead_letter"], told["reasons"]) == (elsewhere, ["object_gone"])
    commands.run("explain", elsewhere)
    for one in ids:
        assert "does not say which file it is about" in commands.run("explain", one, code=2).stderr
    for one in (elsewhere, *ids):
        commands.run("dead-letters", "discard", "--id", one, "--why", "forged", "--yes")
    _explain(commands, "forged", code=1)


def test_a_file_in_a_bucket_of_somebody_else_is_not_read(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message may name any bucket; the story says that this one may not be read, and goes on."""
    script = Script()
    proxy = HttpProxy("storage", script, lambda: pipeline.cloud.read()["DROPMERGE_BUCKET_URL"])
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{proxy.port}")
    connection = replace(pipeline.connection)
    script.arm(PERMANENT["access_denied"], lambda call: "/b/nobodys/" in call.path)
    try:
        source = ObjectGeneration("nobodys", "incoming/story/theirs.csv", 5)
        key = read_key(connection.feeds["story"], ["customer_id=c", "account_number=a"])
        assert look_into(connection, Load("story", source), key).problem == "access_denied"
    finally:
        proxy.close()


def test_a_row_waits_in_a_staging_table_while_merge_is_down(pipeline: Pipeline, commands: Commands) -> None:
    """Also that of an object which was overwritten since."""
    pipeline.drop("wait-1.csv", HEADER + row("wait", 600, day=2), feed="story")
    pipeline.wait_until_idle()
    with paused_subscription(pipeline, "merge") as path:
        newer = pipeline.drop("wait-2.csv", HEADER + row("wait", 601, day=3) + row("wait-new"), feed="story")
        staged = pull_all(pipeline, path, 1)
        older = pipeline.drop("wait-2.csv", HEADER + row("wait", 602, day=1), feed="story")
        staged += pull_all(pipeline, path, 1)
        found, missing = _explain(commands, "wait"), _explain(commands, "wait-new")
    assert found["row"]["credit_score"] == "600"
    told = _told(found, newer)
    assert (told["state"], told["verdict"]) == ("staged", "newer")
    assert told["sentence"].endswith("It is not merged yet: the file is staged and is waiting for its MERGE.")
    assert _told(found, older)["verdict"] == "older"
    assert (missing["state"], _told(missing, newer)["verdict"]) == ("staged", "found")
    assert _told(missing, older)["verdict"] == "absent"
    for message in staged:
        pipeline.publish("file-staged", message.data, dict(message.attributes))
    pipeline.wait_until_idle()
    assert not [one for one in _explain(commands, "wait-new")["story"] if one["state"] != "dead_lettered"]


def test_a_merged_file_without_the_row(pipeline: Pipeline, commands: Commands) -> None:
    """Rejected within the feed's tolerance."""
    bad = pipeline.drop("tol.csv", HEADER + row("tol-ok") + row("tol-bad", "high"), feed="tolerant")
    numbers = pipeline.drop("keys.csv", "n,v,w\n007,1,x\n7,2,1\n", feed="tolerates")
    pipeline.wait_until_idle()
    found = _explain(commands, "tol-bad", feed="tolerant")
    assert (found["state"], found["row"]) == ("merged", None)
    told = _told(found, bad)
    assert told["sentence"].endswith('credit_score "high" is not_an_integer; the other rows of the file are merged.')
    (told,) = commands.json("explain", "--feed", "tolerates", "--row", "n=007")["story"]
    assert (told["source"], told["record"], told["reasons"]) == (numbers, 1, ["not_a_number: w"])


def test_which_rule_decides_between_a_file_and_the_table(pipeline: Pipeline, commands: Commands) -> None:
    """A delete, an equal version of a newer upload, an older one; each merged file says so where it is asked."""
    first = pipeline.drop("rule-1.csv", HEADER + row("rule", 500, day=2), feed="story")
    pipeline.wait_until_idle()
    second = pipeline.drop("rule-2.csv", HEADER + row("other") + row("rule", 501, day=2), feed="story")
    pipeline.wait_until_idle()
    (told,) = _explain(commands, "rule", "--in", first)["story"]
    assert (told["verdict"], told["record"], told["state"]) == ("older", 1, "merged")
    assert told["sentence"] == (
        "rule-1.csv has this row in record 1 with last_modified 2025-01-02T00:00:00Z, equal to the table's: at equal "
        "versions the newer upload wins, which is the table's. The table's row wins."
    )
    (told,) = _explain(commands, "rule", "--in", second)["story"]
    assert (told["verdict"], told["record"]) == ("same", 2)
    assert told["sentence"].endswith("It is the table's row.")
    general = commands.run("explain", "--feed", "story", "--row", "customer_id=rule", "account_number=a").stdout
    assert "A row replaces it if its last_modified is greater than" in general

    gone = pipeline.drop("rule-3.csv", HEADER + row("rule", day=3, operation="D"), feed="story")
    pipeline.wait_until_idle()
    found = _explain(commands, "rule", "--in", second)
    assert found["deleted"] is True
    assert _told(found, second)["verdict"] == "older"
    (told,) = _explain(commands, "rule", "--in", gone)["story"]
    assert told["sentence"].startswith("rule-3.csv deletes this row in record 1")
    (told,) = _explain(commands, "nobody-has", "--in", gone, code=1)["story"]
    assert told["verdict"] == "absent"
    commands.run("explain", "--feed", "whole", "--row", "n=1", "--in", "gs://landing/incoming/whole/no.csv", code=1)


def test_files_of_other_formats_are_looked_into(pipeline: Pipeline, commands: Commands) -> None:
    """Names within objects, dates as the feed's files write them, types of the file's own."""
    lines = [{"k": {"id": n}, "on": f"0{n}.02.2025", "v": n} for n in (1, 2)]
    ndjson = pipeline.drop("a.ndjson", "".join(json.dumps(line) + "\n" for line in lines), feed="nested")
    table = pa.table({"id": [1, 2], "v": [5, 6]})
    file = BytesIO()
    pq.write_table(table, file)
    parquet = pipeline.drop("a.parquet", file.getvalue(), feed="typed")
    pipeline.wait_until_idle()
    for on in ("02.02.2025", "2025-02-02"):
        found = commands.json("explain", "--feed", "nested", "--row", "id=2", f"on_day={on}", "--in", ndjson)
        assert [(one["verdict"], one["record"]) for one in found["story"]] == [("same", 2)]
    found = commands.json("explain", "--feed", "typed", "--row", "id=2", "--in", parquet)
    assert [(one["verdict"], one["record"]) for one in found["story"]] == [("same", 2)]
    bad = pipeline.drop(
        "b.ndjson",
        '{"k": {"id": 3}, "on": "03.02.2025", "v": "x"}\n'
        '{"k": {"id": 4}, "on": "2025-02-04", "v": 1}\n'
        '{"k": {"id": 5}, "on": "05.02.2025", "v": 1\n',
        feed="nested",
    )
    pipeline.wait_until_idle()
    (told,) = commands.json("explain", "--feed", "nested", "--row", "id=03", "on_day=2025-02-03")["story"]
    assert (told["source"], told["reasons"], told["record"]) == (bad, ["not_an_integer: v"], 1)
    (told,) = commands.json("explain", "--feed", "nested", "--row", "id=4", "on_day=2025-02-04")["story"]
    assert (told["verdict"], told["reasons"]) == ("rejected", ["not_a_date: on_day"]), "the key is what is wrong"
    (told,) = commands.json("explain", "--feed", "nested", "--row", "id=5", "on_day=05.02.2025")["story"]
    assert (told["verdict"], told["reasons"], told["record"]) == ("possible", ["not_json"], 3)


def test_every_version_that_is_kept_is_told(pipeline: Pipeline, commands: Commands) -> None:
    uris = [pipeline.drop(f"kept-{day}.csv", f"n,v\n1,{day}\n", feed="kept") for day in (1, 3, 2)]
    pipeline.wait_until_idle()
    found = commands.json("explain", "--feed", "kept", "--row", "n=1")
    assert found["row"]["v"] == "3"
    assert [(one["source"], one["verdict"], one["version"]) for one in found["story"]] == [
        (uris[2], "older", "v 2"),
        (uris[0], "older", "v 1"),
    ]


def test_a_feed_without_a_key_has_no_story(pipeline: Pipeline, commands: Commands) -> None:
    said = commands.run("explain", "--feed", "log", "--row", "n=1", code=2).stderr
    assert "log has no key (mode: append)" in said
