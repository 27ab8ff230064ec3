"""docs/contracts.md shows every option of a contract, and what it shows is what happens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from deploy.topology import ROOT
from dropmerge.operations.feeds import option_table
from dropmerge.operations.feeds.schema import options, schema
from services.shared.contract.feed import Feed
from tests.harness.cloud import running
from tests.harness.commands import Commands
from tests.harness.examples import Example, Rows, read_examples, shown_as, without_example
from tests.harness.pipeline import Pipeline

_PAGE = (ROOT / "docs" / "contracts.md").read_text(encoding="utf-8")
_EXAMPLES = read_examples(_PAGE)


def test_every_option_has_an_example() -> None:
    """And every word that an option may be. What is missing gets a block of YAML, a file, and what becomes of it."""
    assert without_example([*options(schema())], _EXAMPLES) == []


def test_an_option_without_an_example_is_found() -> None:
    class Wider(Feed):
        colour: str | None = None

    wider = Wider.model_json_schema()
    assert without_example([*options(wider)], _EXAMPLES) == ["colour"]
    poorer = [one for one in _EXAMPLES if one.yaml.get("unknown_columns") != "rescue"]
    assert without_example([*options(schema())], poorer) == ["unknown_columns: rescue"]


def test_the_pages_table_of_options_is_that_of_the_code() -> None:
    """`python -m dropmerge.operations.feeds.option_table` prints it."""
    assert "\n".join(option_table.table()) in _PAGE


def test_records_are_written_in_the_format_of_the_feed() -> None:
    shown = "format: {type: csv, delimiter: ;}\ncolumns: [{name: n, from: N, type: STRING}]"
    base = "feed: f\nkey: [id]\nversion: _generation\ncolumns: [{name: id, type: STRING}]"
    (example,) = read_examples(f"```yaml\n{base}\n```\n```yaml\n{shown}\n```\n```records\nid,N\na,\n```\n")
    assert example.files == {"1.records": b"id;N\na;\n"}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """Every example at once, each a feed of its own; the files of a feed in their order: the newest may win."""
    folder = tmp_path_factory.mktemp("contracts")
    feeds = folder / "feeds"
    feeds.mkdir()
    for example in _EXAMPLES:
        (feeds / f"{example.feed.name}.yaml").write_text(yaml.safe_dump(example.contract))
    with running(folder, feeds) as pipeline:
        for example in _EXAMPLES:
            for name, data in example.files.items():
                pipeline.drop(name, data, feed=example.feed.name)
        pipeline.wait_until_idle()
        yield pipeline


@pytest.fixture(scope="module")
def ends(pipeline: Pipeline) -> Mapping[str, list[dict[str, Any]]]:
    """What the two commands list."""
    commands = Commands.of(pipeline)
    return {"rejected": commands.json("rejected"), "dead_letter": commands.json("dead-letters", "list")}


@pytest.mark.parametrize("example", _EXAMPLES, ids=lambda one: f"line-{one.line}")
def test_an_example_is_what_happens(
    pipeline: Pipeline, ends: Mapping[str, list[dict[str, Any]]], example: Example
) -> None:
    letters = [f"{one['reason']}: {one['error']}" for one in ends["dead_letter"] if one["feed"] == example.feed.name]
    told = example.blocks.get("dead_letter", "").splitlines()
    # Before the table, whose rows they may be why it lacks.
    assert len(letters) == len(told), letters
    for line in told:
        reason, _, words = line.partition(": ")
        assert any(one.startswith(f"{reason}:") and words in one for one in letters), letters
    refused = [
        {**{k: v or "" for k, v in one["row"].items()}, "reasons": ", ".join(one["reasons"])}
        for one in ends["rejected"]
        if one["feed"] == example.feed.name
    ]
    wanted = example.rows("rejected")
    assert _in_order(_like(refused, wanted)) == _in_order(wanted or [])
    for block in {"table", *(one for one in example.blocks if one.startswith("table"))}:
        _, _, suffix = block.partition(" ")
        wanted = example.rows(block)
        found = _rows(pipeline, f"main.{example.feed.table.partition('.')[2]}{suffix}")
        assert _in_order(_like(found, wanted)) == _in_order(wanted or [])


def _rows(pipeline: Pipeline, table: str) -> Rows:
    if pipeline.connection.warehouse.find_table(f"local.{table}") is None:
        return []
    rows = pipeline.connection.rows(f"SELECT * FROM `{table}`")
    return [{name: shown_as(value) for name, value in row.items()} for row in rows if not row.get("_deleted")]


def _like(found: Rows, wanted: Rows | None) -> Rows:
    """In the columns that the page shows."""
    return [{name: row.get(name, "no such column") for name in wanted[0]} for row in found] if wanted else found


def _in_order(rows: Rows) -> list[list[str]]:
    return sorted(list(row.values()) for row in rows)
