"""Cases from the field about what a contract could not say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

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


_FEEDS = (_feed("marked", format={"type": "csv", "null_markers": ["NULL", "\\N"]}),)


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
