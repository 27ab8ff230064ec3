"""G10: personal data stays where it belongs. Files end in each way that a file can, and what was in them is searched
for in everything that is not made to hold it."""

from __future__ import annotations

import gzip
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import fastavro
import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from pyarrow import parquet

from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from services.shared.messages.staged import StagedMessage
from services.shared.reasons import REASONS
from tests.harness.cloud import running
from tests.harness.pipeline import Pipeline

WORD, NUMBER = "Zwkq", "73190"
"""How each value begins that may be nowhere else: no name in this file has it."""
_MARK = re.compile(f"{WORD}[a-z_]*|{NUMBER}[0-9]+", re.IGNORECASE)

_COLUMNS = """
columns:
  - {name: id, type: STRING, max_length: 40}
  - {name: score, type: INT64, check: "score < 900"}
  - {name: balance, type: NUMERIC}
  - {name: born, type: DATE}
  - {name: v, type: INT64}
"""
_FEEDS = {
    "people": "format: {type: csv}",
    "tolerant": "format: {type: csv}\nbad_rows: {at_most: 100%}",
    "bare": "format: {type: csv, quote: none}",
    "ending": "format: {type: csv, final_newline: true}",
    "keeps": "format: {type: csv}\nunknown_columns: rescue",
    "grows": "format: {type: csv}\nunknown_columns: add",
    "lines": "format: {type: ndjson}",
    "parquet": "format: {type: parquet}",
    "avro": "format: {type: avro}",
    "orc": "format: {type: orc}",
    "whole": "format: {type: csv}\nmode: snapshot\nunknown_columns: ignore",
    "foreign": "format: {type: csv}",
    "altered": "format: {type: csv}",
    "poisoned": "format: {type: csv}",
}
_HEADER = "id,score,balance,born,v,op\n"

NEVER_OF_A_ROW = {
    "no_feed": "the object is not read",
    "unknown_feed": "a staged message has references only",
    "object_gone": "there is nothing to read",
    "empty_file": "there is nothing to read",
    "contracts_differ": "the error has two fingerprints",
    "staging_missing": "the rows are gone",
    "not_found": "the error names a resource, and Google's is about it",
    "access_denied": "the error names a permission, and Google's is about it",
    "delivery_attempts_exhausted": "Pub/Sub forwards no error",
    "file_too_large": "the error has sizes",
    "too_expensive": "the error has numbers of bytes",
}
"""Reasons that need no case."""


@dataclass(frozen=True)
class _Case:
    feed: str
    data: Callable[[str, str], str | bytes]
    """Of a word and a number that only this file has."""
    reason: str
    """Empty where the file is merged."""


def _good(word: str, number: str, v: str = "1") -> str:
    return f"{word},700,{number}.5,2000-01-01,{v},U\n"


def _bad(word: str, number: str) -> str:
    """Each field is refused, and the last row by its check."""
    return f"{word},{word}x,{number}.{number}{number},{number},{word}v,\n{word}c,{number},1,2000-01-01,1,\n"


def _line(word: str, number: str, **more: object) -> bytes:
    return json.dumps({"id": word, "score": 7, "balance": number, "v": 1, **more}).encode() + b"\n"


def _typed(word: str, number: str) -> dict[str, list[Any]]:
    return {"id": [word], "score": [f"{word}s"], "balance": [f"{number}x"], "born": [word], "v": [1]}


def _parquet(columns: dict[str, Any]) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(pa.table(columns), sink)
    return sink.getvalue()


def _orc(columns: dict[str, Any]) -> bytes:
    from pyarrow import orc

    sink = io.BytesIO()
    orc.write_table(pa.table(columns), sink)
    return sink.getvalue()


def _avro(columns: dict[str, list[Any]]) -> bytes:
    fields = [{"name": name, "type": "long" if name == "v" else "string"} for name in columns]
    sink = io.BytesIO()
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    fastavro.writer(sink, {"type": "record", "name": "row", "fields": fields}, rows)
    return sink.getvalue()


def _not_utf8(word: str, _: str) -> bytes:
    """DuckDB and Arrow quote such a text where they refuse it."""
    texts = pa.array([word.encode() + b"\xff\xfe"]).view(pa.string())
    return _parquet({"id": texts, "v": pa.array([1])})


def _packed(word: str, number: str) -> bytes:
    return gzip.compress((_HEADER + _good(word, number) * 50).encode())


CASES: dict[str, _Case] = {
    "merged": _Case("people", lambda w, n: _HEADER + _good(w, n), ""),
    "tolerated": _Case("tolerant", lambda w, n: _HEADER + _good(w, n) + _bad(w, n), ""),
    "refused": _Case("people", lambda w, n: _HEADER + _good(w, n) + _bad(w, n), "too_many_bad_rows"),
    "widths": _Case("people", lambda w, n: f"{_HEADER}{w}\n{w},{n}{',x' * 9}\n", "too_many_bad_rows"),
    "far-not-utf8": _Case(
        "people",
        lambda w, n: (_HEADER + _good("a", "1") * 12_000 + f"{w}é,7,1,,1,\n").encode("latin-1"),
        "too_many_bad_rows",
    ),
    "headless": _Case("people", _good, "wrong_header"),
    "headless-words": _Case("people", lambda w, _: f"{w},{w}b,{w}c,{w}d,{w}e,{w}f\n", "wrong_header"),
    "headless-keeps": _Case("keeps", _good, "wrong_header"),
    "headless-grows": _Case("grows", _good, "wrong_header"),
    "headless-bare": _Case("bare", _good, "wrong_header"),
    "header-twice": _Case("people", lambda w, n: f"id,score,v,{n},{n},{w}\n", "wrong_header"),
    "header-runs-on": _Case("people", lambda w, n: _HEADER.strip() + _good(w, n), "wrong_header"),
    "header-cr": _Case("bare", lambda w, n: (_HEADER + _good(w, n) * 2).replace("\n", "\r"), "wrong_header"),
    "header-grows": _Case("grows", lambda w, n: f"id,score,v,{w} {w},{n}\n", "wrong_header"),
    "delimiter": _Case("people", lambda w, n: _good(w, n).replace(",", ";"), "wrong_header"),
    "quote-open": _Case("people", lambda w, n: f'{_HEADER}{_good(w, n)}"{w},{n},1,,1,\n', "malformed_file"),
    "quote-closed": _Case("people", lambda w, n: f'{_HEADER}"{w}"{w},{n},1,,1,\n', "malformed_file"),
    "quote-in-header": _Case("people", lambda w, n: f'"{w}"{n},b\n', "malformed_file"),
    "bare-cr": _Case("people", lambda w, n: f"{_HEADER}{w}\r{w},{n},1,,1,\n", "malformed_file"),
    "endless": _Case("people", lambda w, n: w * 70_000, "malformed_file"),
    "gzip-cut": _Case("people", lambda w, n: _packed(w, n)[:-9], "malformed_file"),
    "gzip-more": _Case("people", lambda w, n: _packed(w, n) + w.encode(), "malformed_file"),
    "latin": _Case("people", lambda w, n: (_HEADER + _good(f"{w}é", n)).encode("latin-1"), "wrong_encoding"),
    "utf16": _Case("people", lambda w, n: (_HEADER + _good(w, n)).encode("utf-16"), "wrong_encoding"),
    "nul": _Case("people", lambda w, n: f"{_HEADER}{w}\0{w},{n},1,,1,\n", "too_many_bad_rows"),
    "json-as-csv": _Case("people", _line, "wrong_format"),
    "ending": _Case("ending", lambda w, n: (_HEADER + _good(w, n))[:-1], "no_final_newline"),
    "csv-as-lines": _Case("lines", _good, "wrong_format"),
    "list-as-lines": _Case("lines", lambda w, n: json.dumps([{"id": w, "v": n}]), "wrong_format"),
    "lines-refused": _Case(
        "lines",
        lambda w, n: (
            _line(w, n)
            + _line(w, n, score=f"{w}s", born={w: n}, v=[n])
            + _line(w, n, **{f"{w}k": n})
            + f'{{"id": "{w}", \n"{w}"\n{n}\n'.encode()
        ),
        "too_many_bad_rows",
    ),
    "lines-by-key": _Case("lines", lambda w, n: json.dumps({w: {"v": n}, n: 1}), "wrong_header"),
    "csv-as-parquet": _Case("parquet", _good, "wrong_format"),
    "parquet-refused": _Case("parquet", lambda w, n: _parquet(_typed(w, n)), "too_many_bad_rows"),
    "parquet-by-value": _Case("parquet", lambda w, n: _parquet({w: [1], n: [2]}), "wrong_header"),
    "parquet-not-utf8": _Case("parquet", _not_utf8, "malformed_file"),
    "parquet-cut": _Case("parquet", lambda w, n: _parquet(_typed(w, n))[:-7], "malformed_file"),
    "avro-refused": _Case("avro", lambda w, n: _avro(_typed(w, n)), "too_many_bad_rows"),
    "avro-cut": _Case("avro", lambda w, n: _avro(_typed(w, n))[:-30], "malformed_file"),
    "orc-refused": _Case("orc", lambda w, n: _orc(_typed(w, n)), "too_many_bad_rows"),
    "orc-cut": _Case("orc", lambda w, n: _orc(_typed(w, n))[:-9], "malformed_file"),
    "small": _Case("whole", lambda w, n: _HEADER + _good(w, n), "snapshot_too_small"),
    "foreign": _Case("foreign", lambda w, n: _HEADER + _good(w, n), "table_not_adopted"),
    "altered": _Case("altered", lambda w, n: _HEADER + _good(w, n, "2"), "contract_changed"),
    "message-arrived": _Case("people", _line, "malformed_message"),
    "message-staged": _Case("people", lambda w, n: w.encode() + b"\xff" + n.encode(), "malformed_message"),
    "poisoned": _Case("poisoned", lambda w, n: "", "refused_by_warehouse"),
}  # fmt: skip
_MARKS = {name: (f"{WORD}{chr(97 + n // 26)}{chr(97 + n % 26)}", f"{NUMBER}{n:03}") for n, name in enumerate(CASES)}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("values")
    (folder / "feeds").mkdir()
    for name, options in _FEEDS.items():
        version = "" if "snapshot" in options else "version: v\ndelete: {column: op, equals: D}\n"
        head = f"feed: {name}\nobjects: incoming/{name}/*\ntable: main.{name}\nkey: [id]\n{version}{options}"
        (folder / "feeds" / f"{name}.yaml").write_text(head + _COLUMNS)
    with running(folder, folder / "feeds") as pipeline:
        yield pipeline


def test_each_reason_has_a_case() -> None:
    """But for those that say why they need none."""
    assert {case.reason for case in CASES.values() if case.reason} | set(NEVER_OF_A_ROW) == set(REASONS)


def test_g10_values_are_in_the_tables_that_are_made_for_them_and_nowhere_else(pipeline: Pipeline) -> None:
    """Not in logs, journal, ledger, dead letters or staged messages, however a file ends."""
    _prepare(pipeline)
    uris = {name: _send(pipeline, name) for name in CASES}
    pipeline.wait_until_idle()
    letters = pipeline.dead_letters()
    ends = {name: pipeline.explain(uri) for name, uri in uris.items() if uri}
    wanted = {
        name: ("dead_lettered", case.reason) if case.reason else ("merged", None) for name, case in CASES.items()
    }
    assert {name: (end["state"], end.get("reason")) for name, end in ends.items()} == {
        one: wanted[one] for one in ends
    }
    assert sum(one.reason == "malformed_message" for one in letters) == 3
    assert sum(one.reason == "refused_by_warehouse" for one in letters) == 1
    rejected = _marks(str(pipeline.connection.rows("SELECT row_text FROM `ops.rejected_rows`")))
    for name, case in CASES.items():
        if case.reason == "too_many_bad_rows" or name == "tolerated":
            assert _MARKS[name][0] in rejected, f"no rejected row of {name}"
    assert {where: marks for where, text in _elsewhere(pipeline, letters) if (marks := _marks(text))} == {}


def _prepare(pipeline: Pipeline) -> None:
    """What the files of some cases meet: rows that are there already, and tables that a person has changed."""
    warehouse = pipeline.connection.warehouse
    warehouse.query(f"CREATE TABLE main.foreign AS SELECT '{WORD}zz' AS id, {NUMBER}999 AS score")
    pipeline.drop("first.csv", _HEADER + "".join(_good(f"k{n}", "1") for n in range(9)), "whole")
    for feed in ("altered", "poisoned"):
        pipeline.drop("first.csv", _HEADER + _good("first", "1"), feed)
    pipeline.wait_until_idle()
    warehouse.query("DROP VIEW main.altered_current")
    warehouse.query("ALTER TABLE main.altered DROP COLUMN score")
    warehouse.query("ALTER TABLE main.altered ADD COLUMN score STRING")
    warehouse.query(f"UPDATE main.altered SET score = '{WORD}zz' WHERE TRUE")


def _send(pipeline: Pipeline, name: str) -> str:
    """Sends the case's file or message; where the file is, nothing where there is none."""
    case, (word, number) = CASES[name], _MARKS[name]
    data = case.data(word, number)
    match case.reason:
        case "malformed_message":
            raw = data if isinstance(data, bytes) else data.encode()
            if name == "message-staged":
                pipeline.publish("file-staged", raw, {})
                return ""
            pipeline.publish("file-arrived", raw, {})
            attributes = {"eventType": "OBJECT_FINALIZE", "bucketId": "landing", "objectId": "incoming/people/x"}
            pipeline.publish("file-arrived", raw, {**attributes, "objectGeneration": word})
            return ""
        case "refused_by_warehouse":
            _poison(pipeline, word, number)
            return ""
    return pipeline.drop(f"{name}.data", data, case.feed)


def _poison(pipeline: Pipeline, word: str, number: str) -> None:
    """A staging table that a person has changed: the MERGE meets a number that its column cannot hold."""
    load = Load("poisoned", ObjectGeneration("landing", "incoming/poisoned/by-hand.csv", 1))
    contract = pipeline.contract("poisoned")
    table = f"{pipeline.connection.project}.staging.{load.staging_table(contract)}"
    pipeline.connection.warehouse.query(
        f"CREATE TABLE `{table}` AS SELECT * REPLACE (CAST('{number}{'0' * 12}' AS BIGNUMERIC) AS score,"
        f" '{word}' AS id, '{load.load_id}' AS _load_id) FROM main.poisoned"
    )
    pipeline.publish("file-staged", StagedMessage(load, contract).encode(), {"feed": "poisoned"})


def _elsewhere(pipeline: Pipeline, letters: list[Any]) -> Iterator[tuple[str, str]]:
    """Whatever has no business with values, each with its place."""
    logs = sorted(pipeline.cloud.state.rglob("*.log"))
    assert len(logs) > 3
    for log in logs:
        yield log.name, log.read_text(encoding="utf-8", errors="replace")
    warehouse = pipeline.connection.warehouse
    tables = warehouse.list_tables("ops", "")
    assert {"journal", "ledger", "main_tables", "rejected_rows"} <= set(tables)
    # A message that is none is kept as it came, and `replay` sends it again.
    whole = "JSON_VALUE(attributes, '$.dropmerge_reason') != 'malformed_message'"
    for table in tables:
        if table != "rejected_rows":
            wanted = f"WHERE {whole}" if table == "dead_letter_messages" else ""
            rows = warehouse.query(f"SELECT * FROM `ops.{table}` {wanted}")
            assert rows or table.startswith("lock_"), table
            yield f"ops.{table}", "\n".join(map(str, rows))
    for one in letters:
        yield f"dead letter {one.object}", json.dumps(one.summary())
        if one.reason != "malformed_message":
            yield f"message of {one.object}", json.dumps(dict(one.attributes)) + one.data.decode()


def _marks(text: str) -> set[str]:
    return set(_MARK.findall(text))
