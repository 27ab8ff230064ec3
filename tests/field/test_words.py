"""Cases from the field about what a contract could not say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dropmerge.operations.feeds.infer import infer
from dropmerge.operations.feeds.write import contract_yaml
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


_FEEDS = (
    _feed("marked", format={"type": "csv", "null_markers": ["NULL", "\\N"]}),
    _feed("newest", version="_generation"),
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
    variables = {
        "DROPMERGE_STATE": str(pipeline.cloud.state),
        "DROPMERGE_FEEDS": str(pipeline.connection.feeds_folder),
    }
    return Commands(variables)


def _drop(pipeline: Pipeline, feed: str, name: str, data: str) -> str:
    uri = pipeline.drop(name, data, feed)
    pipeline.wait_until_idle()
    return uri


def _rows(pipeline: Pipeline, feed: str, columns: str) -> list[tuple[Any, ...]]:
    sql = f"SELECT {columns} FROM `main.{feed}` WHERE NOT _deleted ORDER BY 1"
    return [tuple(row.values()) for row in pipeline.connection.rows(sql)]


def test_null_markers(pipeline: Pipeline) -> None:
    """A number column took none, and a key was the word NULL."""
    _drop(
        pipeline,
        "marked",
        "file.csv",
        "id,name,score,v\na,NULL,\\N,2024-01-01T00:00:00Z\nb,x,7,2024-01-01T00:00:00Z\n",
    )
    uri = _drop(pipeline, "marked", "keys.csv", "id,name,score,v\nNULL,x,1,2024-01-01T00:00:00Z\n")
    assert _rows(pipeline, "marked", "id, name, score") == [("a", None, None), ("b", "x", 7)]
    assert "missing_value: id (1 rows)" in pipeline.dead_letter(uri).error


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
    assert "_generation" in commands.run("feeds", "show", "newest").stdout


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
    assert (found.key, found.version) == (key, version)
    assert ("the newest file wins" in contract.read_text()) == (version == "_generation")
