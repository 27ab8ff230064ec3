"""Contracts to the Open Data Contract Standard and back, held to the standard's own JSON Schema."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft201909Validator

from deploy.topology import ROOT
from dropmerge.operations.errors import NotDone
from dropmerge.operations.feeds.odcs import LOGICAL_TYPES
from dropmerge.operations.feeds.odcs.checks import of_rule
from dropmerge.operations.feeds.odcs.document import Document, Rule, read_document
from dropmerge.operations.feeds.odcs.draft import Draft, drafts
from dropmerge.operations.feeds.odcs.export import export, export_yaml
from dropmerge.operations.feeds.odcs.moments import format_of
from dropmerge.operations.feeds.odcs.write import write_drafts
from services.shared.contract.columns import parse_check
from services.shared.contract.feed import Feed
from services.shared.contract.types import TYPES
from tests.harness.changes.contracts import Terms
from tests.harness.commands import Commands
from tests.harness.googlesql import GoogleSql
from tests.harness.histories.feeds import YAML
from tests.harness.statements.feeds import features

_STANDARD = Draft201909Validator(
    json.loads(files("open_data_contract_standard").joinpath("schema.json").read_text(encoding="utf-8"))
)
"""Shipped by the standard's own package (https://pypi.org/project/open-data-contract-standard)."""
_ACCOUNTS: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "feeds" / "accounts.yaml").read_text(encoding="utf-8"))


def _feeds() -> Iterator[Feed]:
    yield from features().values()
    yield Feed.model_validate(_ACCOUNTS)
    yield from map(Feed.model_validate, YAML.values())
    yield Feed.model_validate(Terms(check="value > 1", added="x", others=("U",), at_most="10%").yaml("terms"))


@pytest.mark.parametrize("feed", [*_feeds()], ids=lambda feed: feed.name)
def test_a_contract_comes_back_as_it_went(tmp_path: Path, feed: Feed) -> None:
    """By way of a file that the standard's schema takes; nothing is unsure."""
    path = tmp_path / "odcs.yaml"
    path.write_text(export_yaml(feed, "acme", "acme-landing"), encoding="utf-8")
    assert [error.message for error in _STANDARD.iter_errors(yaml.safe_load(path.read_text(encoding="utf-8")))] == []
    (draft,) = drafts(read_document(path))
    assert draft.remarks == {}
    assert Feed.model_validate(yaml.safe_load(draft.yaml())) == feed


def test_what_both_can_say_is_said_in_the_standards_words() -> None:
    document = export(Feed.model_validate(_ACCOUNTS), "acme", "acme-landing")
    table, landing = document["servers"]
    assert (table["type"], table["project"], table["dataset"]) == ("bigquery", "acme", "main")
    assert (landing["location"], landing["format"]) == ("gs://acme-landing/incoming/accounts/*", "csv")
    (one,) = document["schema"]
    assert (one["name"], one["physicalName"]) == ("accounts", "main.accounts")
    properties = {prop["name"]: prop for prop in one["properties"]}
    assert properties["account_number"]["primaryKeyPosition"] == 2
    assert [name for name, prop in properties.items() if prop.get("required")] == [
        *("customer_id", "account_number", "last_modified")
    ]
    (rule,) = properties["credit_score"]["quality"]
    assert rule["query"] == "SELECT COUNT(*) FROM {object} WHERE NOT (credit_score BETWEEN 300 AND 850)"
    assert {prop["logicalType"] for prop in properties.values()} == {"string", "integer", "number", "timestamp"}


def test_each_type_has_a_logical_one() -> None:
    assert [name for name in TYPES if name not in LOGICAL_TYPES] == []


_FOREIGN = """
apiVersion: v3.1.0
kind: DataContract
id: 53581432-6c55-4ba2-a65f-72344a91553a
version: 1.1.0
status: active
team: null
servers:
  - {server: files, type: s3, location: s3://somewhere/*.csv, format: csv, delimiter: "|"}
schema:
  - name: Core Payments
    physicalName: pay.tbl_1
    quality:
      - {metric: rowCount, mustBeGreaterThan: 1000000, description: enough rows}
    properties:
      - name: payment id
        logicalType: string
        physicalType: varchar(18)
        primaryKey: true
        primaryKeyPosition: 2
        logicalTypeOptions: {minLength: 3, maxLength: 18, pattern: '^A"\\d+$'}
      - {name: country, logicalType: string, primaryKey: true, primaryKeyPosition: 1, required: true, description: null}
      - name: day
        logicalType: date
        logicalTypeOptions: {format: dd/MM/yyyy, minimum: "2020-01-01"}
      - {name: at, logicalType: timestamp, logicalTypeOptions: {format: "yyyy-MM-dd'T'HH:mm:ss", defaultTimezone: Europe/Paris}}
      - {name: when, logicalType: timestamp, logicalTypeOptions: {format: "YYYY ww"}}
      - {name: amount, logicalType: number, logicalTypeOptions: {minimum: 0, exclusiveMaximum: 1000000}}
      - {name: ratio, physicalType: double, logicalType: number}
      - name: unit
        logicalType: string
        quality:
          - {metric: nullValues, mustBe: 0}
          - {type: library, metric: invalidValues, arguments: {validValues: [kg, "it's"]}, mustBe: 0}
          - {type: sql, query: SELECT 1, mustBe: 1}
          - {type: custom, engine: soda, implementation: "x"}
          - {type: text, description: is a unit}
      - {name: lines, logicalType: array, items: {logicalType: string}}
  - name: other
    properties:
      - {name: code, logicalType: string, unique: true}
"""  # noqa: E501


def _foreign() -> tuple[Draft, Draft]:
    payments, other = drafts(Document.model_validate(yaml.safe_load(_FOREIGN)))
    return payments, other


def test_a_document_that_others_wrote() -> None:
    """Becomes a contract that passes its check; whatever is left out or unsure is a remark beside its line."""
    nulls = _FOREIGN.replace("team: null", "").replace(", description: null", "")
    assert [error.message for error in _STANDARD.iter_errors(yaml.safe_load(nulls))] == []
    draft, _ = _foreign()
    assert draft.faults() == []
    contract = yaml.safe_load(draft.yaml())
    columns = {column.pop("name"): column for column in contract.pop("columns")}
    assert contract == {
        "feed": "core_payments",
        "objects": "incoming/core_payments/*",
        "format": {"type": "csv", "delimiter": "|"},
        "table": "pay.tbl_1",
        "key": ["country", "payment_id"],
        "version": "_generation",
    }
    assert columns["payment_id"]["from"] == "payment id"
    assert columns["payment_id"]["check"] == (
        "(LENGTH(`payment_id`) >= 3) AND (LENGTH(`payment_id`) <= 18)"
        r""" AND (REGEXP_CONTAINS(`payment_id`, '^A"\\d+$'))"""
    )
    assert columns["country"] == {"type": "STRING", "mode": "REQUIRED"}
    assert columns["day"] == {"type": "DATE", "format": "%d/%m/%Y", "check": "`day` >= DATE '2020-01-01'"}
    assert columns["at"] == {"type": "TIMESTAMP", "zone": "Europe/Paris"}
    assert columns["amount"] == {"type": "NUMERIC", "check": "(`amount` >= 0) AND (`amount` < 1000000)"}
    assert columns["ratio"] == {"type": "FLOAT64"}
    assert columns["unit"] == {"type": "STRING", "mode": "REQUIRED", "check": r"`unit` IN ('kg', 'it\'s')"}
    assert draft.remarks == {
        "objects": ["where are files dropped?"],
        "version": ["the document does not say which of two rows is newer: the newest file wins"],
        "columns": ["left out, the rule: enough rows"],
        "columns.day": ["is that the format of the files?"],
        "columns.when": ["left out, the format YYYY ww"],
        "columns.amount": ["a number: FLOAT64 if it is a measurement"],
        "columns.unit": [
            "left out, the rule: SELECT 1",
            "left out, the rule: custom",
            "left out, the rule: is a unit",
        ],
        "columns.lines": ["no type matches array"],
    }
    lines = draft.yaml().splitlines()
    assert sum("# UNSURE: " in line for line in lines) == len(draft.remarks)


def test_a_limit_that_is_no_value_is_left_out() -> None:
    """And never becomes SQL of another meaning."""
    text = _FOREIGN.replace("{minimum: 0, exclusiveMaximum: 1000000}", "{minimum: 0 OR TRUE, multipleOf: 0.5}")
    draft, _ = drafts(Document.model_validate(yaml.safe_load(text)))
    (amount,) = [column for column in draft.contract["columns"] if column["name"] == "amount"]
    assert amount == {"name": "amount", "type": "NUMERIC"}
    assert [one for one in draft.remarks["columns.amount"] if "left out" in one] == [
        *("left out, the rule: minimum 0 OR TRUE", "left out, the rule: multipleOf 0.5")
    ]


@pytest.mark.parametrize("text", ["it's", '"', "a\\b", "\\'", "tab\tx", "new\nline", "ü€", "' OR '' = '"])
def test_a_text_means_itself_in_a_check(text: str) -> None:
    """To Google's engine."""
    rule = Rule(metric="invalidValues", arguments={"validValues": [text]}, mustBe=0)
    check = of_rule("unit", "STRING", rule)
    assert check
    google = GoogleSql()
    google.load("texts", ["unit"], [[text], [text + "x"], [""]])
    rows = google.query(f"SELECT unit FROM `texts` WHERE {parse_check(check, {'unit': 'STRING'})}")
    assert [row["unit"] for row in rows] == [text]


def test_without_a_primary_key_one_is_guessed() -> None:
    _, other = _foreign()
    assert other.contract["key"] == ["code"]
    assert other.contract["table"] == "main.other"
    assert "the document has no primaryKey" in other.remarks["key"][0]


@pytest.mark.parametrize(
    ("java", "elements"),
    [
        ("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "%Y-%m-%dT%H:%M:%E*S%z"),
        ("d MMM yy, h:mm a", "%d %b %y, %I:%M %p"),
        ("EEEE 'o''clock' 100%", "%A o'clock 100%%"),
        ("''yy %", "'%y %%"),
        ("yyyy-ww", None),
    ],
)
def test_a_format_of_java(java: str, elements: str | None) -> None:
    assert format_of(java) == elements


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("apiVersion: v3.1.0", "apiVersion: v2.2.2", "apiVersion"),
        ("kind: DataContract", "kind: Other", "kind"),
        ("schema:", "schema_:", "schema"),
        ("status: active", "status: [", "not YAML"),
    ],
)
def test_what_is_no_such_document_is_refused(tmp_path: Path, old: str, new: str, says: str) -> None:
    path = tmp_path / "odcs.yaml"
    path.write_text(_FOREIGN.replace(old, new), encoding="utf-8")
    with pytest.raises(NotDone, match=says):
        read_document(path)


def test_drafts_are_written_all_or_none(tmp_path: Path) -> None:
    both = _foreign()
    assert [path.name for path in write_drafts(both, tmp_path)] == ["core_payments.yaml", "other.yaml"]
    assert (tmp_path / "other.yaml").read_text(encoding="utf-8") == both[1].yaml()
    (tmp_path / "other.yaml").unlink()
    with pytest.raises(NotDone, match=r"core_payments\.yaml already exists"):
        write_drafts(both, tmp_path)
    faulty = copy.deepcopy(both[1])
    faulty.contract["table"] = "staging.other"
    with pytest.raises(NotDone, match="other: table"):
        write_drafts([faulty], tmp_path / "elsewhere")
    assert [path.name for path in tmp_path.iterdir()] == ["core_payments.yaml"]


def test_the_commands(tmp_path: Path) -> None:
    """As they are typed; what they print is what they write."""
    commands = Commands({"DROPMERGE_STATE": str(tmp_path / "state"), "COLUMNS": "200"})
    path = tmp_path / "odcs.yaml"
    path.write_text(commands.run("feeds", "export", "--odcs", "accounts").stdout, encoding="utf-8")
    assert "project: acme" in commands.run("feeds", "export", "--odcs", "accounts", "--project", "acme").stdout
    printed = commands.run("feeds", "import", path).stdout
    assert Feed.model_validate(yaml.safe_load(printed)) == Feed.model_validate(_ACCOUNTS)
    said = commands.run("feeds", "import", path, "--write", "--feeds", tmp_path).stdout
    assert "dropmerge feeds check" in said
    assert (tmp_path / "accounts.yaml").read_text(encoding="utf-8") == printed
    assert "already exists" in commands.run("feeds", "import", path, "--write", "--feeds", tmp_path, code=1).stderr
    assert commands.run("feeds", "schema").stdout == (ROOT / "docs" / "feed.schema.json").read_text(encoding="utf-8")
