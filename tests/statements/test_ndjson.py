"""Lines of NDJSON: Google's own engine, the local warehouse and Python read each alike."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from services.ingest.check_rows import check_rows
from services.ingest.formats import json_line
from services.ingest.inspect_head import HEAD_BYTES, inspect_head
from services.ingest.load_raw import load_raw
from services.ingest.tables import Tables
from services.shared.contract.feed import Feed
from services.shared.contract.formats import LINE
from services.shared.errors import PermanentError
from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from services.shared.warehouse import Warehouse
from tests.harness.googlesql import GoogleSql
from tests.harness.staging import load_records
from tests.harness.warehouse import local_warehouse

_LOAD = Load("things", ObjectGeneration("landing", "t.ndjson", 1751328000000000))


def feed(**more: Any) -> Feed:
    columns = [
        *({"name": name, "type": "STRING"} for name in ("id", "s")),
        *({"name": name, "type": kind} for name, kind in (("i", "INT64"), ("n", "NUMERIC"), ("f", "FLOAT64"))),
        *({"name": name, "type": "BOOL"} for name in ("b",)),
        {"name": "dotted", "from": "a.b", "type": "STRING", "default": "d"},
        {"name": "odd", "from": "it's $x[0] Größe*", "type": "STRING"},
        {"name": "empty", "from": "", "type": "STRING"},
    ]
    return Feed.model_validate(
        {
            "feed": "things",
            "objects": "x/*",
            "format": {"type": "ndjson", "nulls": ["NA", "-1"]},
            "table": "main.things",
            "key": ["id"],
            "version": "_generation",
            "delete": {"column": "op", "equals": "D", "from": "o.p"},
            "columns": columns,
            "unknown_columns": "ignore",
            "bad_rows": {"at_most": "100%"},
            **more,
        }
    )


_VALUES = (
    *('""', '"NA"', '"x"', '" x "', '"\\u0041"', '"\\n\\t\\/\\\\\\""', '"é€😀"', '"\\ud83d\\ude00"', '"\\u0000x"'),
    *('"\\ud83d"', '"\\ude00\\ud83d"', '"\\u00"', '"\\x41"', '"a\tb"', '"a\x02b"', '"\x7f"', '"a', "'a'", '"\\u2028\u2028"', '"\ufffd"'),
    *("1", "-1", "0", "-0", "+1", "01", "1.", ".5", "1.10", "1e2", "1E+2", "1e-400", "1e400", "-1e400", "1e", "0x1F"),
    *("9223372036854775807", "9223372036854775808", "12345678901234567890", "123456789012345678901234567890.123456789"),
    *("99999999999999999999999999999.999999999", "0.1234567890", "1.0", "100", "1_000", "NaN", "Infinity", "-Infinity"),
    *("true", "false", "True", "null", "nil", "", "[]", "{}", "[1]", '{"s":"x"}', '[{"s":"x"}]', "1 2", "1,", "/*x*/1"),
    *("[" * 200 + "]" * 200, "1" * 400, "0." + "1" * 400, "[1", "tru", '"x" "y"', '"<b>&"', '"2024-01-01"'),
)  # fmt: skip
_WHOLE = (
    *("{}", "[]", "null", "1", '"x"', "nope", "{", "}", '{"id":"w1"} {"id":"w2"}', '{"id":"w3"},', "{'id':'w4'}"),
    *('\ufeff{"id":"w5"}', '  {"id" : "w6" , "s" : "y" }\t', '{"id":"w7",}', '{"id":"w8","id":"w9"}', '{"id":null,"id":"w10"}'),
    *('{"id":"w11","s":"1","s":"2","n":1,"n":2}', '{"\\u0069d":"w12","\\u006e":1.50}', '{"x":{"id":"w13","n":5}}', '{"id":"w14"}x'),
    *('{"id":"w15","a.b":"dot","a":{"b":"nested"}}', '{"id":"w16","a":{"b":"nested"}}', '{"id":"w17","a.b":null}', '{"id":"w18","":"e"}'),
    *('{"id":"w19","it\'s $x[0] Größe*":"odd"}', '{"id":"w20","\\"a.b\\"":"quoted"}', '{"id":"w21","o.p":"D"}', '{"id":"w22","o.p":"d"}'),
    *('{"id":"w23","O.P":"D"}', '{"id":"w24","op":"D"}', '{"id":"w25","O.P":"D","o.p":"U"}', '{"id":"w26","o.p":{"x":1}}', '{"id":"w27","o.p":1}'),
    *('{"id":"w28","S":"x"}', '{"id":"w29","s":null,"S":"x"}', '{"id":"w30","A B":"x"}', '{"ID":"w31"}', '{"id":["w32"]}', '{"id":33}'),
    *('{"id":"w34","x\\ny":1,"x\\\\y":2,"x\\"y":3}', '{"id":"w35","o.p":"D","n":"x","S":1}', '{"id":"w36","x":"\\ud83d\\ude00","n":1.50}'),
    *('{"id":"w37","x":[[[{"n":[1]}]]],"n":2.50}', '{"id":"w38","it\'s $X[0] GRÖSSE*":1}', '{"id":"w39","IT\'S $x[0] GRÖßE*":1}', '{"id":"w40"}\r'),
    *(" ", "\t", "\r", "\ufeff", '{"id":"w41","x":"' + "y" * 100_000 + '","n":3.50}'),
)  # fmt: skip
LINES = [
    *(f'{{"id":"{column}{n}","{column}":{value}}}' for column in "sifnb" for n, value in enumerate(_VALUES)),
    *_WHOLE,
]


def on_google(feed: Feed, lines: Sequence[str]) -> list[dict[str, Any]]:
    """The checked table."""
    warehouse, tables = GoogleSql(), Tables.of("local", feed, _LOAD)
    layout = inspect_head(b"\n", 1, feed)
    load_records(warehouse, feed, layout, tables.raw, [line.removesuffix("\r").split("\x0e") for line in lines])
    check_rows(warehouse, feed, _LOAD, tables, layout, _LOAD.source.created, None)
    return warehouse.query(f"SELECT * FROM `{tables.checked}`")


def _sorted(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """A row's text as the JSON that it is: two warehouses write one text in two ways."""
    read = [{**row, "_row": json.loads(row["_row"]) if row["_row"] else None} for row in rows]
    return sorted(json.dumps({name: str(value) for name, value in row.items()}) for row in read)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Warehouse, Path]]:
    """A warehouse, and where its buckets are."""
    folder = tmp_path_factory.mktemp("warehouse")
    with local_warehouse(folder) as client:
        for dataset in ("staging", "main", "ops"):
            client.create_dataset(dataset)
        yield Warehouse(client, 120.0), folder


def on_local(local: tuple[Warehouse, Path], feed: Feed, data: bytes, name: str) -> list[dict[str, Any]]:
    warehouse, folder = local
    load = Load("things", ObjectGeneration("landing", name, 1751328000000000))
    tables = Tables.of("local", feed, load)
    (folder / "bucket" / "b").mkdir(parents=True, exist_ok=True)
    (folder / "bucket" / "b" / name).write_bytes(data)
    layout = inspect_head(data[:HEAD_BYTES], len(data), feed)
    load_raw(warehouse, f"gs://b/{name}", tables.raw, load.load_id, layout, feed)
    check_rows(warehouse, feed, load, tables, layout, load.source.created, None)
    found = [dict(row) for row in warehouse.query(f"SELECT * FROM `{tables.checked}`")]
    for row in found:
        row["_load_id"], row["_object"] = _LOAD.load_id, _LOAD.source.uri
    return found


_CONTRACTS = [
    {},
    {"unknown_columns": "reject", "missing_columns": "reject"},
    {"unknown_columns": "rescue"},
]


@pytest.mark.parametrize("more", _CONTRACTS, ids=str)
def test_g7_the_local_warehouse_reads_lines_as_google_does(
    local: tuple[Warehouse, Path], more: dict[str, Any]
) -> None:
    """A corpus of nasty values, names and lines."""
    contract = feed(**more)
    expected = on_google(contract, LINES)
    found = on_local(local, contract, "\n".join(LINES).encode(), f"{len(more)}.ndjson")
    theirs, ours = _sorted(expected), _sorted(found)
    assert [one for one in ours if one not in theirs] == [one for one in theirs if one not in ours] == []
    assert len(ours) == len(theirs)


_DEEP = {
    "columns": [
        {"name": "id", "type": "STRING"},
        {"name": "collection", "from": "commit.collection", "type": "STRING"},
        {"name": "rev", "from": "commit.of.rev", "type": "INT64"},
        {"name": "langs", "from": "commit.of.langs", "type": "STRING", "mode": "REPEATED"},
        {"name": "of", "from": "commit.of", "type": "JSON"},
        {"name": "any", "type": "JSON"},
        {"name": "numbers", "type": "NUMERIC", "mode": "REPEATED"},
        {"name": "split", "type": "NUMERIC", "mode": "REPEATED", "split": "|"},
        {"name": "author", "from": "author.name", "type": "STRING"},
    ],
    "delete": None,
}
_DEEP_LINES = (
    *('{"id":"1","commit":{"collection":"x","of":{"rev":5,"langs":["a","b"]}}}', '{"id":"2","commit.collection":"flat"}'),
    *('{"id":"3","commit":"no"}', '{"id":"4","commit":null}', '{"id":"5","commit":{"of":[1]}}', '{"id":"6","commit":{"of":7}}'),
    *('{"id":"7","any":12345678901234567890}', '{"id":"8","any":"\\ud83d\\ude00é"}', '{"id":"9","any":[1, {"a": 1.50}]}'),
    *('{"id":"10","any":null}', '{"id":"11","any":""}', '{"id":"12","any":0.1000000000000000055511151231257827}'),
    *('{"id":"13","numbers":[1.50,"2"]}', '{"id":"14","split":"1|2.5"}', '{"id":"15","numbers":{"a":1}}', '{"id":"16","split":[7]}'),
    *('{"id":"17","commit":{"of":{"langs":["\\ud83d\\ude00",true]}}}', '{"id":"18","commit":{"of":{"langs":[null]}}}'),
    *('{"id":"19","commit":{"Collection":"x"}}', '{"id":"20","commit":{"collection":{"a":1}}}', '{"id":"21","any":' + "[" * 90 + "]" * 90 + "}"),
    *('{"id":"22","commit":{"other":1}}', '{"id":"23","author":{"name":"n","mail":"m"}}', '{"id":"24","commit":{"of":{"free":1}}}'),
    *('{"id":"25","author.name":"flat","author":{"name":"deep"}}', '{"id":"26","author":3,"author.name":"flat"}'),
)  # fmt: skip


@pytest.mark.parametrize("unknown", ["ignore", "reject", "rescue"])
def test_g7_paths_arrays_and_json_are_read_alike(local: tuple[Warehouse, Path], unknown: str) -> None:
    """By the engine and the local warehouse: what lies in objects, and lists and objects as they are."""
    contract = feed(**_DEEP, unknown_columns=unknown)
    expected = on_google(contract, _DEEP_LINES)
    found = on_local(local, contract, "\n".join(_DEEP_LINES).encode(), f"deep-{unknown}.ndjson")
    assert _sorted(found) == _sorted(expected)


def test_a_name_leads_into_objects() -> None:
    """The name as it stands comes first; what is in the way is a reason."""
    rows = {row["id"]: row for row in on_google(feed(**_DEEP), _DEEP_LINES)}
    assert [rows["1"][name] for name in ("collection", "rev", "langs")] == ["x", 5, ["a", "b"]]
    assert rows["1"]["of"] == {"rev": 5, "langs": ["a", "b"]}
    assert [rows[key]["collection"] for key in ("2", "4")] == ["flat", None]
    assert rows["25"]["author"] == rows["26"]["author"] == "flat"
    assert rows["3"]["_reasons"] == [f"not_an_object: {name}" for name in ("collection", "rev", "langs", "of")]
    assert rows["19"]["_reasons"] == ["misspelt_name: collection"]
    assert rows["20"]["_reasons"] == ["nested_value: collection"]


def test_a_json_column_has_any_value_and_an_array_a_list() -> None:
    """Exactly, or not at all."""
    rows = {row["id"]: row for row in on_google(feed(**_DEEP), _DEEP_LINES)}
    assert [rows[str(n)]["any"] for n in range(7, 12)] == [
        12345678901234567890,
        "\U0001f600é",
        [1, {"a": 1.5}],
        None,
        "",
    ]
    assert rows["12"]["_reasons"] == ["inexact_number: any"]
    assert (rows["13"]["numbers"], rows["14"]["split"]) == ([Decimal("1.5"), 2], [1, Decimal("2.5")])
    assert rows["15"]["_reasons"] == ["nested_value: numbers"]
    assert rows["16"]["_reasons"] == ["nested_value: split"]
    assert rows["17"]["langs"] == ["\U0001f600", "true"]
    assert rows["18"]["_reasons"] == ["null_element: langs"]


def test_g7_a_name_in_an_object_may_be_unknown() -> None:
    """Where the contract leads through the object, and does not read it as a whole."""
    rows = {row["id"]: row for row in on_google(feed(**_DEEP, unknown_columns="reject"), _DEEP_LINES)}
    refused = {key for key, row in rows.items() if "unknown_name" in row["_reasons"]}
    assert refused == {"3", "5", "6", "19", "22", "23", "26"}


_BEYOND = (
    *('{"id":"1","x":{"y":[1.50,"a"]},"z":null}', '{"id":"2"}', '{"id":"3","commit":{"other":1,"of":{"free":1}},"n":12345678901234567890}'),
    *('{"id":"4","commit":{}}', '{"id":"5","author":{"name":"n","mail":"m"},"":"e"}', '{"id":"6","commit":{"collection":"c"},"a.b":{}}'),
    *('{"id":"7","x":0.1000000000000000055511151231257827}', '{"id":"8","any":0.1000000000000000055511151231257827}', '{"id":"9","x":"\ufffd"}'),
    *('{"id":"10","commit":"x"}', '{"id":"11","x":1,"x":2}', '{"id":"12","commit":{"of":{"deep":{"left":1,"name":2}}}}', '{"id":"13","commit":{"of":1}}'),
    *('{"id":"14","commit.of":5,"commit":{"of":{"x":1}}}', '{"id":"15","commit.of":6}', '{"id":"16","ID":"x","b":"\\"q\\""}', '{"id":"17","x":9007199254740993}'),
)  # fmt: skip
_BEYOND_COLUMNS = {
    "columns": [
        {"name": "id", "type": "STRING"},
        {"name": "collection", "from": "commit.collection", "type": "STRING"},
        {"name": "name", "from": "commit.of.deep.name", "type": "STRING"},
        {"name": "any", "type": "JSON"},
        {"name": "author", "from": "author.name", "type": "STRING"},
    ],
    "delete": None,
    "unknown_columns": "rescue",
}


def test_g7_what_the_contract_does_not_know_is_rescued(local: tuple[Warehouse, Path]) -> None:
    """As it was, by name, and by the path of the object that it is in; or the row is refused."""
    contract = feed(**_BEYOND_COLUMNS)
    theirs, ours = (
        on_google(contract, _BEYOND),
        on_local(local, contract, "\n".join(_BEYOND).encode(), "beyond.ndjson"),
    )
    assert _sorted(ours) == _sorted(theirs)
    rows = {row["id"]: row for row in theirs}
    assert {key: row["_reasons"] for key, row in rows.items() if row["_reasons"]} == {
        "7": ["inexact_number: _rescued"],
        "8": ["inexact_number: any"],
        "9": ["not_utf8: _rescued"],
        "10": ["unknown_name", "not_an_object: collection", "not_an_object: name"],
        "13": ["unknown_name", "not_an_object: name"],
        "14": ["unknown_name"],
        "15": ["unknown_name"],
    }
    assert {key: row["_rescued"] for key, row in rows.items() if not row["_reasons"]} == {
        "1": {"x": {"y": [1.5, "a"]}, "z": None},
        "2": None,
        "3": {"n": 12345678901234567890, "commit": {"other": 1}, "commit.of": {"free": 1}},
        "4": None,
        "5": {"author": {"mail": "m"}, "": "e"},
        "6": {"a.b": {}},
        "11": {"x": 1},
        "12": {"commit.of.deep": {"left": 1}},
        "16": {"ID": "x", "b": '"q"'},
        "17": {"x": 9007199254740993},
    }


def test_no_table_gains_columns_of_lines() -> None:
    """A file's first line does not say what the others have."""
    with pytest.raises(ValidationError, match="add needs a format whose files begin with their columns"):
        feed(unknown_columns="add")


def test_g7_a_control_character_costs_its_line(local: tuple[Warehouse, Path]) -> None:
    """No JSON has one as it is, not even the one that lines are loaded by; the line is kept up to the second of them."""
    lines = [f'{{"id":"{n}"}}{chr(n)}{{"id":"c"}}{chr(n)}x' for n in range(32) if chr(n) not in "\t\r\n"]
    lines = ['{"id":"a"}', *lines, '{"id":"e"}\x0e', '{"id":"f"}\0']
    expected = on_google(feed(), lines)
    assert _sorted(on_local(local, feed(), "\n".join(lines).encode(), "control.ndjson")) == _sorted(expected)
    assert {row["id"] for row in expected if not row["_reasons"]} == {"a"}
    kept = [json.loads(row["_row"])[LINE] for row in expected if row["_reasons"] == ["not_json"]]
    assert sorted(kept) == sorted(one.removesuffix("\x0ex") for one in lines[1:])


def test_g1_a_control_character_makes_no_key_of_two(local: tuple[Warehouse, Path]) -> None:
    """Written by an escape, it is one of the text: refused in the key, kept in another column."""
    lines = [
        f'{{"id":"a{escape}","s":"b{escape}"}}' for escape in ("", "\\u0000", "\\u0001", "\\u001f", "\\t", "\\u007f")
    ]
    rows = on_google(feed(), lines)
    assert _sorted(on_local(local, feed(), "\n".join(lines).encode(), "escaped.ndjson")) == _sorted(rows)
    assert {row["s"]: row["_reasons"] for row in rows} == {
        **{"b": [], "b\t": [], "b\x7f": []},
        **{f"b{chr(code)}": ["not_text: id"] for code in (0, 1, 31)},
    }


@pytest.mark.parametrize("text", ['[{"id":"a"},\n{"id":"b"}]', '[{"id":"a"}]', '{\n  "id": "a"\n}\n', "["])
def test_g7_a_json_document_is_called_so(text: str) -> None:
    """With what makes lines of it."""
    with pytest.raises(PermanentError, match="JSON document: write one object per line, with `jq"):
        inspect_head(text.encode(), len(text), feed())


@pytest.mark.parametrize(
    "text", ["12345678901234567890", "1.10", "-0", "1E+2", "0.1000000000000000055511151231257827"]
)
def test_g1_a_number_keeps_its_text(text: str) -> None:
    """Also one that no FLOAT64 has; the key of a row is what the sender wrote."""
    (row,) = on_google(feed(), [f'{{"id":{text}}}'])
    assert (row["id"], row["_reasons"]) == (text, [])


@pytest.mark.parametrize("unknown", ["ignore", "reject"])
def test_g3_a_delete_whose_name_is_spelt_otherwise_is_no_update(unknown: str) -> None:
    (row,) = on_google(feed(unknown_columns=unknown), ['{"id":"a","O.P":"D"}'])
    assert "misspelt_name: op" in row["_reasons"]


def test_g7_python_reads_lines_as_google_does() -> None:
    """What is no JSON object, and each text of those that are."""
    wanted = [line.lstrip("\ufeff").strip(" \t\r") for line in LINES]
    read = {line: json_line.read(line) for line in wanted if line}
    rows = on_google(feed(), LINES)
    refused = [row for row in rows if row["_reasons"] == ["not_json"]]
    assert len(rows) == sum(1 for line in wanted if line)
    assert sorted(json.loads(row["_row"])[LINE].strip(" \t\r") for row in refused) == sorted(
        line for line in wanted if line and read[line] is None
    )
    texts = {row["id"]: row["s"] for row in rows if not row["_reasons"] and row["id"].startswith("s")}
    assert len(texts) > 30
    for one in read.values():
        if one and str(one.get("id")) in texts:
            assert texts[one["id"]] == _text(one.get("s"))


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if value not in (None, "", "NA", "-1") else None
