"""Cases from the field about what a contract could not say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from dropmerge.operations.feeds.inference.infer import infer
from dropmerge.operations.feeds.inference.write import contract_yaml
from services.ingest.match_header import match_header
from services.shared.contract.reader import read_feed
from tests.harness.cloud import running
from tests.harness.commands import Commands
from tests.harness.pipeline import Pipeline


def _feed(name: str, **more: Any) -> dict[str, Any]:
    columns = [
        *({"name": name, "type": "STRING"} for name in ("id", "name")),
        *({"name": name, "type": kind} for name, kind in (("score", "INT64"), ("v", "TIMESTAMP"))),
    ]
    return {
        "feed": name,
        "objects": f"incoming/{name}/*",
        "format": {"type": "csv"},
        "table": f"main.{name}",
        "key": ["id"],
        "version": "v",
        "columns": columns,
        **more,
    }


_TIMES = ["iso", "%Y-%m-%d", "%m/%d/%Y %H:%M", "epoch_s"]


def _times(name: str, **more: Any) -> dict[str, Any]:
    columns = [{"name": "id", "type": "STRING"}, {"name": "v", "type": "TIMESTAMP", **more}]
    return _feed(name, columns=columns, bad_rows={"at_most": "100%"})


_FEEDS = (
    _times("times"),
    _times("local_times", format=_TIMES, zone="Europe/Berlin"),
    _feed("marked", format={"type": "csv", "nulls": ["NULL", "\\N"]}),
    _feed("exported"),
    _feed("newest", version="_generation"),
    _feed(
        "renamed",
        columns=[
            {"name": "id", "from": "Customer ID", "type": "STRING"},
            {"name": "size", "from": "Größe", "type": "INT64"},
            {"name": "v", "from": "last.modified", "type": "INT64"},
        ],
        delete={"column": "op", "from": "__op", "equals": "D"},
        bad_rows={"at_most": 1},
    ),
)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("words")
    feeds = folder / "feeds"
    feeds.mkdir()
    for feed in _FEEDS:
        (feeds / f"{feed['feed']}.yaml").write_text(yaml.safe_dump(feed, sort_keys=False))
    with running(folder, feeds) as pipeline:
        yield pipeline


@pytest.fixture(scope="module")
def commands(pipeline: Pipeline) -> Commands:
    return Commands.of(pipeline)


def _drop(pipeline: Pipeline, feed: str, name: str, data: str) -> str:
    uri = pipeline.drop(name, data, feed)
    pipeline.wait_until_idle()
    return uri


def _rows(pipeline: Pipeline, feed: str, columns: str) -> list[tuple[Any, ...]]:
    sql = f"SELECT {columns} FROM `main.{feed}` WHERE NOT _deleted ORDER BY 1"
    return [tuple(row.values()) for row in pipeline.connection.rows(sql)]


def test_nulls(pipeline: Pipeline) -> None:
    """A number column took none, and a key was the word NULL."""
    _drop(
        pipeline,
        "marked",
        "file.csv",
        "id,name,score,v\na,NULL,\\N,2024-01-01T00:00:00Z\nb,x,7,2024-01-01T00:00:00Z\n",
    )
    uri = _drop(pipeline, "marked", "keys.csv", "id,name,score,v\nNULL,x,1,2024-01-01T00:00:00Z\n")
    assert _rows(pipeline, "marked", "id, name, score") == [("a", None, None), ("b", "x", 7)]
    assert "1 missing_value: id" in pipeline.dead_letter(uri).error


_LOCAL_TIMES = "id,v\nt0,2024-01-01 00:00:00\nt1,2024-01-01\nt2,01/02/2024 10:00\nt3,1704067200\n"


def test_local_times(pipeline: Pipeline, commands: Commands) -> None:
    """They were refused, whatever the contract; now it may say what they are. Hours that were not, or were twice, are
    refused still."""
    _drop(pipeline, "times", "file.csv", _LOCAL_TIMES)
    assert _rows(pipeline, "times", "id, v") == []
    shifts = "t4,2024-03-31 02:30:00\nt5,2024-10-27 02:30:00\nt6,2024-10-27 02:30:00+01:00\nt7,13/13/2024 10:00\n"
    _drop(pipeline, "local_times", "file.csv", _LOCAL_TIMES + shifts)
    assert _rows(pipeline, "local_times", "id, v") == [
        ("t0", datetime(2023, 12, 31, 23, tzinfo=UTC)),
        ("t1", datetime(2023, 12, 31, 23, tzinfo=UTC)),
        ("t2", datetime(2024, 1, 2, 9, tzinfo=UTC)),
        ("t3", datetime(2024, 1, 1, tzinfo=UTC)),
        ("t6", datetime(2024, 10, 27, 1, 30, tzinfo=UTC)),
    ]
    refused = commands.json("rejected", "--feed", "local_times")
    assert {reason for one in refused for reason in one["reasons"]} == {
        "local_time_never: v",
        "local_time_twice: v",
        "not_a_timestamp: v",
    }
    # A newer local time wins, an older one does not.
    _drop(pipeline, "local_times", "later.csv", "id,v\nt0,2024-01-01 00:00:01\nt2,2024-01-01\n")
    assert _rows(pipeline, "local_times", "id, v")[0] == ("t0", datetime(2023, 12, 31, 23, 0, 1, tzinfo=UTC))
    assert _rows(pipeline, "local_times", "id, v")[2] == ("t2", datetime(2024, 1, 2, 9, tzinfo=UTC))


def test_no_version(pipeline: Pipeline, commands: Commands) -> None:
    """The newest file wins, also where it corrects a price downwards; `explain` says what a row loses to."""
    for name, score in (("new.csv", 9), ("newer.csv", 5)):
        uri = _drop(pipeline, "newest", name, f"id,name,score,v\na,x,{score},\n")
    assert _rows(pipeline, "newest", "id, score, v") == [("a", 5, None)]
    found = commands.json("explain", "--feed", "newest", "--row", "id=a")
    generation = uri.partition("#")[2]
    assert found["loses_to"][:2] == [
        f"a row of a newer upload (an object generation above {generation})",
        f"with generation {generation}: a delete",
    ]
    assert commands.json("feeds", "show", "newest")[0]["version"] == "_generation"


@pytest.mark.parametrize(
    ("data", "key", "version"),
    [
        ("sku,name,price\nA1,x,1.5\nA2,y,2.5\n", ["sku"], "_generation"),
        ("symbol,date,price\nM,2000-01-01,2\nM,2000-02-01,3\nA,2000-01-01,1\n", ["symbol", "date"], "_generation"),
        ("state,nonfarm\nTexas,9\nOhio,8\n", ["state"], "_generation"),
        ("id,conversion_rate,at\n1,2,2024-01-01T00:00:00Z\n", ["id"], "_generation"),
        ("id,price,updatedAt\n1,2,2024-01-01T00:00:00Z\n", ["id"], "updatedAt"),
        ("id,LAST_MODIFIED,day\n1,2024-01-01,2024-01-01\n", ["id"], "LAST_MODIFIED"),
        ("id,row_version\n1,7\n", ["id"], "row_version"),
    ],
)
def test_init_takes_no_measurement_for_a_version(tmp_path: Path, data: str, key: list[str], version: str) -> None:
    """It took price; and a series lost all rows but the last of each name, as its date was the version."""
    file, contract = tmp_path / "file.csv", tmp_path / "made.yaml"
    file.write_text(data)
    contract.write_text(contract_yaml("made", infer(file)))
    found = read_feed(contract)
    assert (found.key, str(found.version)) == (key, version)
    assert ("the newest file wins" in contract.read_text()) == (version == "_generation")


def test_header_names(pipeline: Pipeline, commands: Commands, tmp_path: Path) -> None:
    """No contract was possible. What is set aside is exported under the names that the files have."""
    _drop(pipeline, "renamed", "a.csv", "Customer ID,Größe,last.modified\na,3,1\nb,4,1\n")
    _drop(pipeline, "renamed", "b.csv", "__op,Größe,last.modified,Customer ID\nD,,2,a\n,x,2,b\n")
    assert _rows(pipeline, "renamed", "id, size, v") == [("b", 4, 1)]
    file = tmp_path / "fixed.csv"
    commands.run("rejected", "--feed", "renamed", "--csv", file)
    assert file.read_text() == "Customer ID,Größe,last.modified\nb,x,2\n"
    _drop(pipeline, "renamed", "fixed.csv", file.read_text().replace("x", "5"))
    assert _rows(pipeline, "renamed", "id, size, v") == [("b", 5, 2)]
    (shown,) = commands.json("feeds", "show", "renamed")
    assert "Größe" in {one["from"] if "from" in one else one.get("from_") for one in shown["columns"]}


@pytest.mark.parametrize(
    ("data", "names", "delete"),
    [
        ("first-name,id,updated_at\nx,1,2024-01-01T00:00:00Z\n", {"first_name": "first-name"}, None),
        ("_id,name,updatedAt\n65a,x,2024-01-01T00:00:00.000Z\n", {"id": "_id"}, None),
        ("Kundennr,Größe,updated_at\n7,3,2024-01-01T00:00:00Z\n", {"grosse": "Größe"}, None),
        (",x\n0,1\n1,1\n", {"column_1": ""}, None),
        ("id,__op,v\n1,D,1\n2,I,1\n", {}, ("op", "__op")),
    ],
)
def test_init_names_what_the_file_calls_otherwise(
    tmp_path: Path, data: str, names: dict[str, str], delete: tuple[str, str] | None
) -> None:
    """It refused these headers; what it proposes takes the sample."""
    file, contract = tmp_path / "file.csv", tmp_path / "made.yaml"
    file.write_text(data)
    contract.write_text(contract_yaml("made", infer(file)))
    found = read_feed(contract)
    assert {one.name: one.from_ for one in found.columns if one.from_ is not None} == names
    assert (found.delete and (found.delete.column, found.delete.from_)) == delete
    assert match_header(data.partition("\n")[0].split(","), found)


def test_bigquery_export_timestamps(pipeline: Pipeline) -> None:
    """BigQuery's own CSV export has an offset that is a name; each row of it was refused."""
    times = ("2024-01-01 00:00:00 UTC", "2024-01-01 00:00:00.123456 UTC", "2024-01-01 00:00:00.123456Z")
    _drop(pipeline, "exported", "a.csv", "id,v\n" + "".join(f"t{n},{time}\n" for n, time in enumerate(times)))
    start = datetime(2024, 1, 1, tzinfo=UTC)
    found = _rows(pipeline, "exported", "id, v")
    assert found == [("t0", start), *((name, start + timedelta(microseconds=123_456)) for name in ("t1", "t2"))]


def test_gzip_and_formats(pipeline: Pipeline) -> None:
    """NDJSON was a malformed file whose header cannot be read."""
    uri = _drop(pipeline, "exported", "a.ndjson", '{"id": "a", "v": "2024-01-01T00:00:00Z"}\n')
    dead = pipeline.dead_letter(uri)
    assert (dead.reason, "looks like newline-delimited JSON" in dead.error) == ("wrong_format", True)


def test_keys_from_a_spreadsheet(pipeline: Pipeline, commands: Commands, tmp_path: Path) -> None:
    """Two accounts had become one key, and nothing said so."""
    header, time = "id,name,score,v\n", "2024-01-01T00:00:00Z"
    uri = _drop(pipeline, "exported", "keys.csv", f"{header}4.01289E+15,a,1,{time}\n4.01289E+15,b,2,{time}\n")
    found = commands.json("explain", uri)
    (checked,) = [event["detail"] for event in found["events"] if event["event"] == "checked"]
    assert checked["duplicate_keys"] == 1
    warning = "several rows of this file have one key and version and differ, so that one of them stays: 1 times"
    lost = "1 of its 2 rows lost to another row of this file with the same key"
    assert f"warning: {lost}; {warning}" in commands.run("explain", uri).stdout
    same = _drop(pipeline, "exported", "same.csv", f"{header}s,a,1,{time}\ns,a,1,{time}\n")
    assert commands.json("explain", same)["warning"] == lost
    sample, contract = tmp_path / "sample.csv", tmp_path / "made.yaml"
    sample.write_text("order,updated_at\n0012,2024-01-01T00:00:00Z\n0013,2024-01-01T00:00:00Z\n")
    contract.write_text(contract_yaml("made", infer(sample)))
    assert read_feed(contract).columns[0].pattern == "[0-9]+"
    sample.write_text("account_id,updated_at\n4.01289E+15,2024-01-01T00:00:00Z\n")
    assert "did a spreadsheet round long numbers?" in contract_yaml("made", infer(sample))
