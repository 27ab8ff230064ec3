"""Contracts that between them have every feature that shapes a statement, and a file for each."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from services.ingest.formats import typed_file
from services.shared.contract.feed import Feed
from services.shared.contract.formats import Csv, Ndjson, Parquet
from services.shared.contract.shape import titles
from services.shared.contract.types import TYPES as REGISTRY

TYPES = tuple(REGISTRY)
_CHECKS = {
    "STRING": "{} LIKE 'a%' AND LENGTH(TRIM({})) < 10 AND REGEXP_CONTAINS(LOWER({}), r'^a\\d+$')"
    " AND {} NOT IN ('b', UPPER({})) AND STARTS_WITH({}, 'a') AND ENDS_WITH({}, '1')"
    " AND CONCAT({}, 'b') || 'c' = 'a1bc' AND (NULLIF({}, 'b') IS NOT NULL OR {} IS NULL)",
    "INT64": "({} BETWEEN 300 AND 850 OR {} IS NULL) AND SAFE_ADD({}, 1) > SAFE_SUBTRACT({}, 1)"
    " AND SAFE_CAST({} AS STRING) != '7' AND IFNULL({}, 0) IS DISTINCT FROM 1",
    "NUMERIC": "{} >= NUMERIC '0.5' AND MOD({}, 2) = 0 AND SAFE_MULTIPLY({}, 2) > SAFE_NEGATE({})"
    " AND SAFE_DIVIDE(1, {}) < 9",
    "FLOAT64": "{} > -0.5 AND NOT IS_NAN({}) AND NOT IS_INF({}) AND GREATEST({}, 1) >= LEAST({}, 1)",
    "BOOL": "{} IS NOT FALSE AND IF({}, TRUE, COALESCE({}, TRUE)) AND CASE WHEN {} THEN TRUE ELSE {} IS NULL END",
    "DATE": "{} > DATE '2000-01-01' AND EXTRACT(YEAR FROM {}) < 2100",
    "TIMESTAMP": "{} > TIMESTAMP '2000-01-01 00:00:00+00:00' AND EXTRACT(HOUR FROM {}) < 24",
    "DATETIME": "{} > DATETIME '2000-01-01 00:00:00' AND EXTRACT(HOUR FROM {}) < 24",
    "TIME": "{} BETWEEN '00:00:00' AND TIME '23:59:59' AND EXTRACT(MINUTE FROM {}) < 60",
    "BIGNUMERIC": "{} >= BIGNUMERIC '0.5' AND {} < 3.5 AND SAFE_DIVIDE(1, {}) < 9",
    "BYTES": "{} IS NULL OR {} = {}",
    "JSON": "{} IS NOT NULL OR {} IS NULL",
    "GEOGRAPHY": "{} IS NOT NULL OR {} IS NULL",
}
REPEATED_CHECK = "ARRAY_LENGTH({}) < 100"
GOOD = {
    "STRING": "a1",
    "INT64": "400",
    "NUMERIC": "2.0",
    "FLOAT64": "0.75",
    "BOOL": "true",
    "DATE": "2024-02-03",
    "TIMESTAMP": "2024-02-03T04:05:06Z",
    "DATETIME": "2024-02-03T04:05:06",
    "TIME": "04:05:06.5",
    "BIGNUMERIC": "2.000000000001",
    "BYTES": "YWI=",
    "JSON": '{"b": [1, 2.5, null], "a": "x"}',
    "GEOGRAPHY": "POINT(13.4 52.5)",
}
"""By type, the text of a value that `_CHECKS` lets through."""
SHAPES = ("marked", "bare", "plain")
"""Of files: with a delete column, with no column that may be missing, and with all but the delete column."""
NULL_MARKER = 'it\'s \\ "NULL"'
UNKNOWN: Mapping[str, tuple[str, ...]] = {
    **{
        "reject": (),
        "ignore": ("nobody knows",),
        "rescue": ("", 'it\'s "new" \\ @ {x}\t', "_x"),
        "add": ("new", "From"),
    },
}
"""By what a feed does with them, columns of a file that no contract knows."""
_WORDS = (
    *("select", "from", "order", "group", "table", "hash", "status", "t", "s", "l", "r", "c", "f"),
    *(
        "raw",
        "typed",
        "checked",
        "main",
        "staging",
        "rejected",
        "why",
        "n",
        "total",
        "bad",
        "feed",
        "merges",
        "load_id",
    ),
)
"""GoogleSQL's own, the aliases and tables of the statements, and their parameters."""


def _column(name: str, kind: str = "STRING", **more: object) -> dict[str, object]:
    return {"name": name, "type": kind, **more}


def _feed(name: str, columns: list[dict[str, object]], key: list[str], **more: object) -> Feed:
    fields: dict[str, Any] = {
        "feed": name,
        "objects": f"incoming/{name}/*",
        "format": {"type": "csv"},
        "table": f"main.{name}",
        **({"key": key} if key else {}),
        **({} if "mode" in more else {"version": "version"}),
        "columns": columns,
        **more,
    }
    return Feed.model_validate(fields)


def _every_type() -> Feed:
    columns = [_column("id"), _column("version", "TIMESTAMP", description="Of the row.")]
    for kind in TYPES:
        name = f"a_{kind.lower()}"
        columns.append(_column(name, kind, mode="NULLABLE", check=_CHECKS[kind].replace("{}", name)))
        columns.append(_column(f"{name}_required", kind, mode="REQUIRED"))
        columns.append(_column(f"{name}_by_default", kind, default=GOOD[kind], nulls=[NULL_MARKER]))
        columns.append(
            _column(f"{name}_repeated", kind, mode="REPEATED", check=REPEATED_CHECK.replace("{}", f"{name}_repeated"))
        )
    return _feed(
        "every_type",
        columns,
        ["id"],
        format={"type": "csv", "delimiter": ";", "nulls": [NULL_MARKER, "NA"]},
        delete={"column": "operation", "equals": "D", "others": ["", "I", 'it\'s \\ "U"']},
        missing_columns="null",
        unknown_columns="ignore",
        bad_rows={"at_most": "90%"},
    )


def _every_key() -> Feed:
    kinds = [kind for kind in TYPES if REGISTRY[kind].can_be_key]
    keys = [_column(f"k_{kind.lower()}", kind) for kind in kinds]
    delete = {"column": "gone", "equals": 'it\'s \\ "D"'}
    names = [str(key["name"]) for key in keys]
    return _feed(
        "every_key",
        [*keys, _column("version", "DATE")],
        names,
        delete=delete,
        unknown_columns="reject",
        missing_columns="reject",
    )


def _reserved_words() -> Feed:
    columns = [_column("id"), *map(_column, _WORDS), _column("version", "INT64")]
    columns[3] = _column("order", check="`order` != 'it\\'s' AND `table` IS NOT NULL")
    delete = {"column": "delete", "equals": "D"}
    return _feed("reserved_words", columns, ["id", "select"], table="main.status", delete=delete)


def _long_names() -> Feed:
    return _feed(
        "l" * 64, [_column("n" * 128), _column("N" * 127 + "x", "NUMERIC")], ["n" * 128], version="N" * 127 + "x"
    )


def _rescue() -> Feed:
    columns = [_column("id"), _column("version", "INT64"), _column("aside_0")]
    return _feed("rescue", columns, ["id"], delete={"column": "op", "equals": "D"}, unknown_columns="rescue")


def _add() -> Feed:
    columns = [_column("id"), _column("version", "INT64"), _column("text", default="new")]
    return _feed("add", columns, ["id"], delete={"column": "op", "equals": "D"}, unknown_columns="add")


def _newest_file() -> Feed:
    columns = [
        *(_column("id", **{"from": "_id"}), _column("day", "DATE", **{"from": ""})),
        _column("price", "NUMERIC", **{"from": 'it\'s \\ "Größe"\t'}),
    ]
    delete = {"column": "op", "from": "__op", "equals": "D"}
    return _feed(
        "newest_file",
        columns,
        ["id", "day"],
        version="_generation",
        mode="upsert",
        twice="keep",
        history=True,
        delete=delete,
    )


_SOME = ("STRING", "NUMERIC", "FLOAT64", "JSON")
"""Types between which statements differ in more than names."""


def _append() -> Feed:
    columns = [_column(f"a_{kind.lower()}", kind) for kind in _SOME]
    return _feed("append", [_column("id", mode="REQUIRED"), *columns], [], mode="append", unknown_columns="add")


def _snapshot() -> Feed:
    columns = [_column("id"), *(_column(f"a_{kind.lower()}", kind) for kind in _SOME)]
    snapshot = {"at_least": 0}
    return _feed(
        "snapshot", columns, ["id"], mode="snapshot", snapshot=snapshot, twice="reject", unknown_columns="rescue"
    )


def _versions() -> Feed:
    columns = [_column("id"), _column("day", "DATE"), _column("at", "TIMESTAMP"), _column("rev", "INT64")]
    version = [{"column": "day", "ahead": "any"}, {"column": "at", "ahead": "7d"}, "rev", "_generation"]
    return _feed("versions", columns, ["id"], version=version, history=True, delete={"column": "op", "equals": "D"})


def _moments() -> Feed:
    """Formats and time zones, of a version too."""
    formats = ["iso", "%d/%m/%Y %I:%M:%E*S %p %z", "%b %e '%y", "epoch_ms"]
    columns = [
        _column("id"),
        _column("version", "TIMESTAMP", format=["iso", "epoch_s"], zone="Europe/Berlin"),
        _column("iso", "TIMESTAMP", format=formats, zone="Australia/Lord_Howe"),
        _column("day", "DATE", format=["%A, %d. %B %Y", "iso"], default="Monday, 3. March 2025"),
    ]
    return _feed("moments", columns, ["id"])


def _texts() -> Feed:
    """What a contract says about a field's text, in each of its words."""
    numbers = [
        *(_column("whole", "INT64", group="'"), _column("amount", "NUMERIC"), _column("ratio", "FLOAT64", group=" ")),
        *(_column("point", "NUMERIC", decimal=".", group=","), _column("comma", "FLOAT64", decimal=",")),
    ]
    rules = [
        _column(f"at_{rule}", "TIMESTAMP", zone="Europe/Berlin", local_twice=rule, local_never=rule)
        for rule in ("reject", "earlier", "later")
    ]
    # Of values that have an order; numbers are written with a comma here.
    ordered = [kind for kind in TYPES if REGISTRY[kind].comparable("v") == "v"]
    texts = {
        kind: GOOD[kind].replace(".", ",") if "decimal" in REGISTRY[kind].takes else GOOD[kind] for kind in ordered
    }
    limits = [_column(f"one_{kind.lower()}", kind, one_of=[text]) for kind, text in texts.items()]
    columns = [
        *(
            _column("id", max_length=20, pattern="[A-Za-z0-9 ]+"),
            _column("version", "INT64"),
            *numbers,
            *rules,
            *limits,
        ),
        _column("flag", "BOOL", words={'it\'s \\ "yes"': True, "No": False, "true": True}, trim=False),
        _column("flags", "BOOL", mode="REPEATED", words={"true": True, 'it\'s "no"': False}),
        _column("state", one_of=['it\'s \\ "new"', "paid"], default="paid", trim=True),
    ]
    form = {"type": "csv", "trim": True, "decimal": ",", "group": ".", "nulls": ["NA"]}
    delete = {"column": "op", "equals": "D"}
    return _feed("texts", columns, ["id"], format=form, delete=delete, unknown_columns="rescue")


def _encoded(name: str, encoding: str) -> Feed:
    columns = [_column("id"), _column("version", "INT64")]
    return _feed(
        name,
        columns,
        ["id"],
        format={"type": "csv", "encoding": encoding},
        delete={"column": "op", "equals": "D"},
        unknown_columns="rescue",
    )


def _lines() -> Feed:
    columns = [
        _column(f"a_{kind.lower()}", kind, check=_CHECKS[kind].replace("{}", f"a_{kind.lower()}")) for kind in TYPES
    ]
    columns += [_column(f"r_{kind.lower()}", kind, mode="REPEATED") for kind in TYPES]
    columns += [_column("id", **{"from": "the.id"}), _column("version", "INT64"), _column("text", default="new")]
    form = {"type": "ndjson", "encoding": "utf-8", "nulls": [NULL_MARKER], "trim": True}
    form |= {"decimal": ",", "group": "."}
    return _feed(
        "lines",
        columns,
        ["id"],
        format=form,
        delete={"column": "op", "equals": "D", "others": ["U", ""]},
        missing_columns="reject",
    )


def _typed() -> Feed:
    """Of files that say their own schema."""
    columns = [_column(f"a_{kind.lower()}", kind) for kind in TYPES]
    columns += [_column("id"), _column("version", "INT64"), _column("text", default="new")]
    return _feed(
        "typed",
        columns,
        ["id"],
        format={"type": "parquet", "nulls": [NULL_MARKER], "trim": True, "decimal": ",", "group": "."},
        delete={"column": "op", "equals": "D"},
        unknown_columns="ignore",
    )


def features() -> Mapping[str, Feed]:
    made = (
        *(_every_type(), _every_key(), _reserved_words(), _long_names(), _rescue(), _add(), _newest_file()),
        *(_append(), _snapshot(), _versions()),
        *(_moments(), _encoded("latin", "iso-8859-1"), _encoded("windows", "windows-1252"), _lines(), _texts()),
        _typed(),
    )
    return {feed.name: feed for feed in made}


def shapes() -> Mapping[str, Feed]:
    """Contracts of CSV files of other shapes: their rows are told from the raw table in other ways."""
    columns = [_column("id"), _column("version", "INT64"), _column("text", max_length=9)]
    common = {"type": "csv", "skip": 2, "blank_lines": "reject", "short_lines": "fill", "final_newline": True}
    trailed = {"type": "csv", "trailing_delimiter": True, "blank_lines": "skip_empty"}
    places = [{**one, "from": place} for place, one in enumerate(columns, 2)]
    delete = {"column": "op", "from": 1, "equals": "D"}
    escaped = {**common, "escape": "\\", "quote": '"', "short_lines": "reject"}
    split = _column("tags", mode="REPEATED", split="|")
    one_line = {**common, "quoted_newlines": False}
    layout: dict[str, Any] = {"cluster_by": ["day", "id"], "partition_by": {"column": "day", "by": "month"}}
    made = (
        _feed("laid_out", [*columns, _column("day", "DATE")], ["id", "day"], **layout, max_bytes_billed="1 TiB"),
        _feed("bare", columns, ["id"], format={**common, "header": False, "quote": "none"}, twice="reject"),
        _feed("placed", places, ["id"], format=trailed, delete=delete, unknown_columns="ignore"),
        _feed("escaped", columns, ["id"], format=escaped),
        _feed("bare_escaped", columns, ["id"], format={**trailed, "escape": "\\", "quote": "none"}, twice="keep"),
        _feed("split", [*columns, split], ["id"], format={"type": "csv", "blank_lines": "skip"}),
        _feed("smaller", columns, ["id"], mode="snapshot", snapshot={"at_least": 3}),
        _feed("said", columns, ["id"], mode="upsert", version="version"),
        # The analysing warehouse answers that the last MERGE was five seconds ago: the next one is due.
        _feed("seldom", columns, ["id"], format=one_line, merge_every="5s"),
        _feed("few_lines", columns, ["id"], format={"type": "ndjson"}),
        _feed("few_typed", columns, ["id"], format={"type": "parquet"}),
    )
    return {feed.name: feed for feed in made}


def wide(columns: int) -> Feed:
    """A contract of so many columns, of every type in turn."""
    kinds = [_column(f"column_with_a_long_name_{n}", TYPES[n % len(TYPES)]) for n in range(columns)]
    return _feed("wide", [_column("id"), _column("version", "TIMESTAMP"), *kinds], ["id"])


def write_features(folder: Path) -> None:
    for name, feed in features().items():
        text = yaml.safe_dump(feed.model_dump(mode="json", exclude_none=True))
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def header(feed: Feed, shape: str) -> list[str]:
    """The columns of a file: if it is `bare` those that it must have, if it is `marked` the delete column too."""
    if isinstance(feed.format, Csv) and (feed.places or not feed.format.header):
        return titles(feed)
    required = feed.required if feed.missing_columns == "null" else {column.name for column in feed.columns}
    names = [str(column.in_file) for column in feed.columns if shape != "bare" or column.name in required]
    marker = [str(feed.delete.in_file)] if feed.delete and shape == "marked" else []
    # What a file adds is part of its MERGE, of which there would be one for each group of such files and others.
    has_unknown = shape != "bare" or feed.unknown_columns == "add"
    return [*names, *marker, *(UNKNOWN[feed.unknown_columns] if has_unknown else ())]


def sample(feed: Feed, shape: str, bad: bool, times: int = 1) -> str | bytes:
    """A file of one good row, with a delete of another key if `marked`, and if `bad` a row that lacks what every row
    must have; each so many times."""
    kinds = {column.name: column.type for column in feed.columns}
    texts = {
        one.name: json.dumps([GOOD[one.type]]) if one.mode == "REPEATED" else GOOD[one.type] for one in feed.columns
    }
    first = next(name for name in feed.key or ["id"] if kinds[name] == "STRING")
    good = {
        **dict.fromkeys(UNKNOWN[feed.unknown_columns], "more"),
        **texts,
    }
    if feed.delete:
        good[feed.delete.column] = ""
    rows = [good]
    if bad:
        rows.append({**good, first: "a bad one", (*feed.key, *feed.versions, first)[len(feed.of_every_row) - 1]: ""})
    if feed.delete and shape == "marked":
        rows.append({**{n: good[n] for n in feed.of_every_row}, first: "gone", feed.delete.column: feed.delete.equals})
    names, rows = header(feed, shape), rows * times
    if isinstance(feed.format, Parquet):
        file = io.BytesIO()
        file.close, taken = lambda: None, file  # type: ignore[method-assign]
        typed_file.write("PARQUET", file, names, rows, {})
        return taken.getvalue()
    if isinstance(feed.format, Ndjson):
        objects = ({name: row.get(feed.names_in_file.get(name, name), "") for name in names} for row in rows)
        return "".join(json.dumps(one) + "\n" for one in objects)
    lines = [names, *([row.get(feed.names_in_file.get(name, name), "") for name in names] for row in rows)]
    assert isinstance(feed.format, Csv)
    return "".join(feed.format.delimiter.join(map(_quoted, line)) + "\n" for line in lines)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
