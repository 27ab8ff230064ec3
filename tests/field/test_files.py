"""Cases from the field about files that are not CSV in UTF-8: each format that a contract declares is read."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pytest
import yaml
from pyarrow import parquet

from services.ingest.inspect_head import HEAD_BYTES
from tests.harness.cloud import running
from tests.harness.commands import Commands
from tests.harness.pipeline import Pipeline

_FORMATS: dict[str, dict[str, Any]] = {
    "plain": {"type": "csv"},
    "packed": {"type": "csv"},
    "utf16": {"type": "csv", "encoding": "UTF-16"},
    "utf16be": {"type": "csv", "encoding": "utf-16be"},
    "latin": {"type": "csv", "encoding": "ISO-8859-1"},
    "windows": {"type": "csv", "encoding": "windows-1252"},
    "lines": {"type": "ndjson"},
    "packed_lines": {"type": "ndjson"},
    "parquet": {"type": "parquet"},
}
_ROWS = [
    {"id": "Müller", "größe": "7", "n": "1.10", "v": "1", "op": "U", "t": "1735725600000"},
    {"id": "b", "größe": "", "n": "12345678901234567890", "v": "1", "op": "", "t": ""},
    {"id": "b", "größe": "9", "n": "-0.5", "v": "2", "op": "U", "t": "1/7/2025 9:30"},
    {"id": 'q"uo,te', "größe": "0", "n": "0", "v": "1", "op": "I", "t": "01/01/2025 11:00"},
    {"id": "gone", "größe": "", "n": "", "v": "3", "op": "D", "t": ""},
]
_HEADER = "customer_id,account_number,credit_score,account_balance,last_modified\n"


def _feed(name: str, form: dict[str, Any], **more: Any) -> dict[str, Any]:
    columns = [
        *({"name": name, "type": kind} for name, kind in (("id", "STRING"), ("n", "NUMERIC"), ("v", "INT64"))),
        {"name": "size", "from": "größe", "type": "INT64"},
        {"name": "t", "type": "TIMESTAMP", "format": ["%d/%m/%Y %H:%M", "epoch_ms"], "zone": "Europe/Berlin"},
    ]
    return {
        **{"feed": name, "objects": f"incoming/{name}/*", "format": form, "table": f"main.{name}", "key": ["id"]},
        **{"version": "v", "columns": columns, "delete": {"column": "op", "equals": "D"}, **more},
    }


def _case(name: str, form: dict[str, Any]) -> dict[str, Any]:
    kinds = {"credit_score": "INT64", "account_balance": "NUMERIC", "last_modified": "TIMESTAMP"}
    columns = [{"name": one, "type": kinds.get(one, "STRING")} for one in _HEADER.strip().split(",")]
    key = ["customer_id", "account_number"]
    return _feed(name, form, columns=columns, key=key, version="last_modified", delete=None)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("files")
    feeds = folder / "feeds"
    feeds.mkdir()
    written = [_feed(name, form) for name, form in _FORMATS.items()]
    written += [
        _case(f"case_{name}", form) for name, form in _FORMATS.items() if name in ("plain", "lines", "latin", "utf16")
    ]
    written += [_feed("ignoring", {"type": "ndjson"}, unknown_columns="ignore", bad_rows={"at_most": "90%"})]
    for feed in written:
        (feeds / f"{feed['feed']}.yaml").write_text(yaml.safe_dump({k: v for k, v in feed.items() if v is not None}))
    with running(folder, feeds) as pipeline:
        yield pipeline


@pytest.fixture(scope="module")
def commands(pipeline: Pipeline) -> Commands:
    return Commands.of(pipeline)


def _csv() -> str:
    lines = [list(_ROWS[0]), *(list(row.values()) for row in _ROWS)]
    return "".join(",".join('"' + text.replace('"', '""') + '"' for text in line) + "\r\n" for line in lines)


def _lines() -> str:
    """Numbers as numbers, and what is empty left out, null or empty."""
    rows = [{name: text for name, text in row.items() if text or name == "op"} for row in _ROWS]
    written = [json.dumps(row) for row in rows]
    written[1] = '{"id": "b", "n": 12345678901234567890, "v": 1, "größe": null}'
    written[0] = '{"n": 1.10, "größe": 7, "op": "U", "id": "M\\u00fcller", "v": 1, "t": 1735725600000}'
    return "\n\n".join(written)


def _parquet() -> bytes:
    """Numbers as numbers, all other texts as they are; larger than the head that is looked at."""
    sink = pa.BufferOutputStream()
    columns = {name: [row[name] or None for row in _ROWS] for name in _ROWS[0]}
    numbers = {"größe": pa.int64(), "v": pa.int32(), "n": pa.decimal128(38, 9)}
    typed = {
        name: pa.array(texts, pa.string()).cast(numbers.get(name, pa.string())) for name, texts in columns.items()
    }
    parquet.write_table(pa.table(typed).replace_schema_metadata({"x": "y" * 2 * HEAD_BYTES}), sink)
    return bytes(sink.getvalue())


def test_g1_the_same_rows_in_each_format_make_one_table(pipeline: Pipeline) -> None:
    """Packed or not, in each encoding, with a byte order mark or without one."""
    text, lines = _csv(), _lines()
    files = {
        "plain": text.encode(),
        "packed": gzip.compress(text.encode(), mtime=0),
        "utf16": text.encode("utf-16"),
        "utf16be": text.encode("utf-16-be"),
        "latin": text.encode("iso-8859-1"),
        "windows": text.encode("cp1252"),
        "lines": "\ufeff".encode() + lines.encode(),
        "packed_lines": gzip.compress(lines.encode(), mtime=0),
        "parquet": _parquet(),
    }
    for name, data in files.items():
        pipeline.drop("a", data, name)
    pipeline.wait_until_idle()
    found = {
        name: pipeline.connection.rows(f"SELECT id, n, v, size, t, _deleted FROM `main.{name}` ORDER BY id")
        for name in files
    }
    assert {row["id"]: str(row["t"])[:16] for row in found["plain"] if row["t"]} == {
        "Müller": "2025-01-01 10:00",
        "b": "2025-07-01 07:30",
        'q"uo,te': "2025-01-01 10:00",
    }
    assert len(found["plain"]) == 4
    for rows in found.values():
        assert list(map(dict, rows)) == list(map(dict, found["plain"]))


def test_gzip_and_formats(pipeline: Pipeline) -> None:
    """Each is read by the contract that declares it, and refused with what to write by one that does not."""
    row = "Müller,1,700,1,2024-01-01T00:00:00Z\n"
    line = '{"customer_id":"Müller","account_number":"1","last_modified":"2024-01-01T00:00:00Z"}\n'
    files = {
        "plain": gzip.compress((_HEADER + row).encode(), mtime=0),
        "lines": line.encode(),
        "latin": (_HEADER + row).encode("latin-1"),
        "utf16": (_HEADER + row).encode("utf-16"),
    }
    read = {name: pipeline.drop(f"{name}.x", data, f"case_{name}") for name, data in files.items()}
    words = {
        ("lines", "plain"): ("wrong_format", "looks like newline-delimited JSON"),
        ("latin", "plain"): ("wrong_encoding", "encoding: windows-1252 (or iso-8859-1)"),
        ("utf16", "plain"): ("wrong_encoding", "encoding: utf-16"),
        ("plain", "lines"): ("wrong_format", "no line at the file's beginning is a JSON object"),
        ("utf16", "latin"): ("wrong_encoding", "encoding: utf-16"),
        ("latin", "utf16"): ("wrong_encoding", "UTF-16 without a byte order mark"),
    }
    refused = {(name, feed): pipeline.drop(f"not-{name}", files[name], f"case_{feed}") for name, feed in words}
    pipeline.wait_until_idle()
    for name in read:
        (found,) = pipeline.connection.rows(f"SELECT customer_id FROM `main.case_{name}`")
        assert found["customer_id"] == "Müller"
    for pair, uri in refused.items():
        dead = pipeline.dead_letter(uri)
        assert dead.reason == words[pair][0]
        assert words[pair][1] in dead.error


def test_g7_control_characters_are_no_text(pipeline: Pipeline) -> None:
    """A Windows file of a feed that says ISO-8859-1 would have them where quotes and dashes were."""
    header = "id,größe,n,v\n".encode("latin-1")
    filler = b"f,1,1,1\n" * 40_000
    bad = pipeline.drop("dash", header + filler + b"a \x96 b,1,1,1\n", "latin")
    good = pipeline.drop("dash", header + filler + b"a \x96 b \x80,1,1,1\n", "windows")
    pipeline.wait_until_idle()
    assert pipeline.explain(good)["state"] == "merged"
    assert pipeline.connection.rows("SELECT id FROM `main.windows` WHERE id LIKE 'a %'")[0]["id"] == "a \u2013 b €"
    dead = pipeline.dead_letter(bad)
    assert (dead.reason, "1 control_character: id" in dead.error) == ("too_many_bad_rows", True)


def test_g3_g7_lines_that_are_refused_are_kept_as_they_were(
    pipeline: Pipeline, commands: Commands, tmp_path: Path
) -> None:
    """Each with its reasons; what `rejected --csv` writes is the file's own lines, to fix and drop again."""
    lines = [
        '{"id":"k1","n":1.10,"v":1,"x":1}',
        '{"id":"k2","v":1, "Op":"D"}',
        "not JSON",
        '{"id":["k3"],"v":1}',
        '{"id":"k4","v":1,"Größe":1}',
        '{"id":"k5","v":"x"}',
    ]
    pipeline.drop("a", "\n".join(lines), "ignoring")
    pipeline.wait_until_idle()
    assert [row["id"] for row in pipeline.connection.rows("SELECT id FROM `main.ignoring`")] == ["k1"]
    listed = commands.json("rejected", "--feed", "ignoring")
    assert {one["row"]["_line"]: one["reasons"] for one in listed} == {
        lines[1]: ["misspelt_name: op"],
        lines[2]: ["not_json"],
        lines[3]: ["nested_value: id", "missing_value: id"],
        lines[4]: ["misspelt_name: size"],
        lines[5]: ["not_an_integer: v"],
    }
    file = tmp_path / "fixed"
    commands.run("rejected", "--feed", "ignoring", "--csv", file)
    assert sorted(file.read_text().splitlines()) == sorted(lines[1:])
    pipeline.drop("b", file.read_text().replace("Op", "op").replace('"x"', "7").encode(), "ignoring")
    pipeline.wait_until_idle()
    rows = pipeline.connection.rows("SELECT id, v, _deleted FROM `main.ignoring` ORDER BY id")
    assert [tuple(row.values()) for row in rows] == [("k1", 1, False), ("k2", 1, True), ("k5", 7, False)]
    assert commands.json("explain", "--row", "id=k5", "--feed", "ignoring")["row"]["v"] == "7"


def test_g7_rejected_rows_of_parquet_have_their_numbers(
    pipeline: Pipeline, commands: Commands, tmp_path: Path
) -> None:
    """Nothing of the file is merged: it is written whole, with what is wrong beside it."""
    sink = pa.BufferOutputStream()
    rows = [{"id": name, "n": 1.5, "v": 1, "größe": 7, "op": "U"} for name in ("p1", None, "p2", "p3", None)]
    parquet.write_table(pa.Table.from_pylist(rows), sink)
    pipeline.drop("bad", bytes(sink.getvalue()), "parquet")
    pipeline.wait_until_idle()
    listed = commands.json("rejected", "--feed", "parquet")
    assert [(one["record"], one["line"], one["reasons"]) for one in listed] == [
        (2, None, ["missing_value: id"]),
        (5, None, ["missing_value: id"]),
    ]
    file = tmp_path / "whole.parquet"
    commands.run("rejected", "--feed", "parquet", "--csv", file)
    assert parquet.read_table(file).to_pylist() == rows
    marked = (tmp_path / "whole.parquet.reasons.csv").read_text().splitlines()
    assert [line.split(",")[:3] for line in marked[1:]] == [["2", "", "missing_value"], ["5", "", "missing_value"]]


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b'[{"id":"a","v":1}]', "wrong_format", "a JSON document"),
        (b"id,v\na,1\n", "wrong_format", "no line"),
        (b'{"ID":"a","v":1}\n', "wrong_header", "id is missing (did you mean 'ID'?)"),
        (b'{"v":1}\n{"v":2}\n', "wrong_header", "id is missing"),
        (b'{"id":"caf\xe9","v":1}\n', "wrong_encoding", "0xe9"),
        ('{"id":"a","v":1}\n'.encode("utf-16"), "wrong_encoding", "UTF-16"),
        (gzip.compress(b'{"id":"a","v":1}\n', mtime=0)[:-4], "malformed_file", "gzip"),
        (b"x" * 5_000_000, "wrong_format", "no line"),
        (b'{"id":"a","v":1,"x":1}\n', "too_many_bad_rows", "1 unknown_name"),
    ],
    ids=lambda value: value[:12] if isinstance(value, bytes) else "",
)
def test_g7_a_file_that_is_no_lines_of_json(pipeline: Pipeline, data: bytes, reason: str, words: str) -> None:
    uri = pipeline.drop(f"bad-{reason}-{len(data)}", data, "lines")
    pipeline.wait_until_idle()
    dead = pipeline.dead_letter(uri)
    assert (dead.reason, words in dead.error) == (reason, True), dead.error


def test_g7_long_and_blank_lines(pipeline: Pipeline) -> None:
    """A line of five megabytes is a row, blank lines are none, and the last needs no end."""
    long = json.dumps({"id": "long", "v": 1, "n": 2, "größe": 3, "op": "x" * 5_000_000})
    uris = [
        pipeline.drop("long", long, "lines"),
        pipeline.drop("blank", "\r\n\n  \n", "lines"),
        pipeline.drop("crlf", '{"id":"crlf","v":1}\r\n\r\n{"id":"last","v":1}', "lines"),
    ]
    pipeline.wait_until_idle()
    assert [pipeline.explain(uri)["state"] for uri in uris] == ["merged"] * 3
    rows = pipeline.connection.rows("SELECT id FROM `main.lines` WHERE id IN ('long', 'crlf', 'last')")
    assert len(rows) == 3
