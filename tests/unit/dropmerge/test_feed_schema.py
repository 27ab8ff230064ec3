"""The published JSON Schema of contracts: made from the code, valid, not narrower, and seldom wider."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import AliasChoices, Field, ValidationError

from deploy.topology import ROOT
from dropmerge.operations.feeds import schema as module
from dropmerge.operations.feeds.inference.infer import infer
from dropmerge.operations.feeds.inference.write import MODELINE, contract_yaml
from dropmerge.operations.feeds.schema import options, schema, schema_text
from services.shared.contract.feed import Feed
from tests.harness.changes.contracts import Terms
from tests.harness.feeds import NUMBERS
from tests.harness.histories.feeds import YAML
from tests.harness.statements.feeds import features

_PAGE = ROOT / "docs" / "feed.schema.json"
_FOLDER = ROOT / "deploy" / "feeds"
_VALIDATOR = Draft202012Validator(schema())
_GOOD: dict[str, Any] = yaml.safe_load((_FOLDER / "accounts.yaml").read_text(encoding="utf-8"))


def test_the_published_schema_is_that_of_the_code() -> None:
    """`dropmerge feeds schema > docs/feed.schema.json` makes it so."""
    assert _PAGE.read_text(encoding="utf-8") == schema_text()


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema())


def test_each_option_has_a_description() -> None:
    """The model's docstring, or the sentence that a fault has for it."""
    assert [path for path, part in options(schema()) if not part["description"]] == []


def _contracts() -> Iterator[Any]:
    for path in sorted(_FOLDER.glob("*.yaml")):
        yield yaml.safe_load(path.read_text(encoding="utf-8"))
    yield from (feed.model_dump(mode="json", exclude_none=True) for feed in features().values())
    yield from YAML.values()
    yield Terms(check="value > 1", added="x", others=("U",), at_most="10%").yaml("terms")
    yield yaml.safe_load(NUMBERS)


@pytest.mark.parametrize("contract", [*_contracts()], ids=lambda one: str(one["feed"]))
def test_a_good_contract_is_valid(contract: Any) -> None:
    Feed.model_validate(contract)
    assert [error.message for error in _VALIDATOR.iter_errors(contract)] == []


def _changed(place: str, value: Any) -> Any:
    """The good contract with another value at a place such as `columns.2.type`; what is not there is added."""
    changed = copy.deepcopy(_GOOD)
    *path, last = [int(step) if step.isdigit() else step for step in place.split(".")]
    part: Any = changed
    for step in path:
        part = part[step]
    part[last] = value
    return changed


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("columns.4.format", "epoch_s"),
        ("columns.4.format", ["iso", "epoch_ms"]),
        ("columns.2.type", "INTEGER"),
        ("columns.2.check", None),
        ("format.encoding", "UTF-16"),
        ("format", {"type": "ndjson", "encoding": "UTF-8"}),
        ("missing_columns", None),
        ("missing_columns", "null"),
        ("bad_rows.at_most", "0.5%"),
        ("format.delimiter", "\t"),
        ("version", "_generation"),
        ("delete", None),
    ],
)
def test_it_takes_whatever_the_code_takes(place: str, value: Any) -> None:
    contract = _changed(place, value)
    Feed.model_validate(contract)
    assert [error.message for error in _VALIDATOR.iter_errors(contract)] == []


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("feed", "Accounts"),
        ("colunms", []),
        ("columns", []),
        ("columns.2.type", "TEXT"),
        ("columns.2.typ", "STRING"),
        ("columns.2.mode", "OPTIONAL"),
        ("columns.4.format", []),
        ("columns.2.default", 7),
        ("format", {"delimiter": ","}),
        ("format", {"type": "xlsx"}),
        ("format", {"type": "ndjson", "delimiter": ","}),
        ("format.delimiter", ";;"),
        ("format.delimiter", '"'),
        ("format.encoding", "latin1"),
        ("key", []),
        ("key", "customer_id"),
        ("table", "accounts"),
        ("version", "_load_id"),
        ("delete", {"column": "op"}),
        ("missing_columns", "keep"),
        ("unknown_columns", False),
        ("bad_rows.at_most", -1),
        ("bad_rows.at_most", "many"),
        ("bad_rows", 0),
    ],
)
def test_it_refuses_what_the_code_refuses(place: str, value: Any) -> None:
    contract = _changed(place, value)
    with pytest.raises(ValidationError):
        Feed.model_validate(contract)
    assert not _VALIDATOR.is_valid(contract)


def test_what_feeds_init_writes_begins_with_the_line_that_editors_read(tmp_path: Path) -> None:
    """Its path leads from a contract in deploy/feeds to the schema."""
    sample = tmp_path / "sample.csv"
    sample.write_text("id,name\n1,a\n")
    text = contract_yaml("sample", infer(sample))
    assert text.splitlines()[0] == MODELINE
    assert (_FOLDER / MODELINE.partition("$schema=")[2]).resolve() == _PAGE
    assert _VALIDATOR.is_valid(yaml.safe_load(text))


def test_other_words_are_taken_and_are_no_options_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the models, and those of a table; of each mapping that may be at a place."""

    class Other(Feed):
        missing_columns: str = Field(  # type: ignore[assignment]
            default="null", validation_alias=AliasChoices("missing_columns", "lacking")
        )

    words = {
        "": {"max_bad_records": "bad_rows"},
        "format": {"field_delimiter": "delimiter"},
        "columns.*": {"as": "type"},
    }
    monkeypatch.setattr(module, "Feed", Other)
    monkeypatch.setattr(module, "SYNONYMS", words)
    made = schema()
    validator = Draft202012Validator(made)
    contract = _changed("format.field_delimiter", ";")
    contract["columns"][0]["as"] = "INT64"
    contract |= {"max_bad_records": 7, "lacking": "null"}
    assert [error.message for error in validator.iter_errors(contract)] == []
    assert not _VALIDATOR.is_valid(contract)
    assert [path for path, _ in options(made)] == [path for path, _ in options(schema())]
    assert not {"lacking", "max_bad_records", "format.field_delimiter", "columns.*.as"} & {p for p, _ in options(made)}
    assert not validator.is_valid(_changed("format", {"type": "ndjson", "field_delimiter": ";"}))
