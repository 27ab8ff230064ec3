"""A first contract from a document of the Open Data Contract Standard, with a remark on what it does not say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from dropmerge.operations.feeds.inference.names import column_names
from dropmerge.operations.feeds.inference.write import MODELINE, feed_name
from dropmerge.operations.feeds.odcs import OPTIONS
from dropmerge.operations.feeds.odcs.checks import of_options, of_rule
from dropmerge.operations.feeds.odcs.document import Document, Object, Property, Rule
from dropmerge.operations.feeds.odcs.moments import format_of, is_iso
from services.shared.contract.columns import parse_check
from services.shared.contract.feed import Feed
from services.shared.contract.formats import FORMATS
from services.shared.contract.types import TYPES, type_named
from services.shared.contract.version import GENERATION

_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("VARCHAR", "NVARCHAR", "CHAR", "NCHAR", "CHARACTER", "TEXT", "UUID"), "STRING"),
    **dict.fromkeys(("DOUBLE", "DOUBLE PRECISION", "REAL", "FLOAT4", "FLOAT8"), "FLOAT64"),
    **dict.fromkeys(("TIMESTAMPTZ", "TIMESTAMP_TZ", "TIMESTAMP WITH TIME ZONE"), "TIMESTAMP"),
    **{"NUMBER": "NUMERIC", "LONG": "INT64"},
}
"""Other systems' names of types, beside those of BigQuery."""
_LOGICAL: Mapping[str, str] = {
    **{"string": "STRING", "integer": "INT64", "number": "NUMERIC", "boolean": "BOOL", "date": "DATE"},
    **{"timestamp": "TIMESTAMP", "time": "TIME"},
}
_FORMATS: Mapping[str, str] = {"json": "ndjson", "jsonl": "ndjson", "delimited": "csv", "tsv": "csv"}
"""Names of formats, beside those that a contract has."""

_NO_CHECKS = ("format", "timezone", *OPTIONS.values())
"""Options that say how a text is written, not which value it may have."""


@dataclass
class Draft:
    """A contract, and what it is unsure of."""

    contract: dict[str, Any]
    remarks: dict[str, list[str]] = field(default_factory=dict)
    """By key of the contract, or by a column's name after `columns.`."""

    def doubt(self, place: str, what: str) -> None:
        self.remarks.setdefault(place, []).append(what)

    @property
    def name(self) -> str:
        return str(self.contract["feed"])

    def faults(self) -> list[str]:
        """What `feeds check` will say of it."""
        try:
            Feed.model_validate(self.contract)
        except ValidationError as error:
            return [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        return []

    def yaml(self) -> str:
        """One line per key, and one per column; guesses are marked with UNSURE."""
        lines = [MODELINE]
        for key, value in self.contract.items():
            if key != "columns":
                lines.append(f"{key}: {_flow(value)}{self._unsure(key)}")
                continue
            lines.append(f"columns:{self._unsure(key)}")
            lines += [f"  - {_flow(one)}{self._unsure('columns.' + str(one['name']))}" for one in value]
        return "\n".join(lines) + "\n"

    def _unsure(self, place: str) -> str:
        doubts = self.remarks.get(place)
        return f"  # UNSURE: {'; '.join(' '.join(one.split()) for one in doubts)}" if doubts else ""


def drafts(document: Document) -> list[Draft]:
    """One for each object of the document."""
    return [_draft(document, one) for one in document.objects]


def _draft(document: Document, one: Object) -> Draft:
    name = feed_name(Path(re.sub(r"[./]", "_", one.name)))
    draft = Draft({"feed": name})
    ours = {key: value for key, value in one.ours.items() if key not in ("feed", "table", "key", "columns")}
    draft.contract["objects"] = ours.pop("objects", None) or _objects(document, name, draft)
    draft.contract["format"] = ours.pop("format", None) or _format(document, draft)
    draft.contract["table"] = _table(document, one, name)
    names = dict(
        zip((prop.name for prop in one.properties), column_names([p.name for p in one.properties]), strict=True)
    )
    kinds = {names[prop.name]: _type(names[prop.name], prop, draft) for prop in one.properties}
    repeated = {names[prop.name] for prop in one.properties if prop.ours.get("mode") == "REPEATED"}
    types = {name: f"ARRAY<{kind}>" if name in repeated else kind for name, kind in kinds.items()}
    columns = [_column(names[prop.name], prop, kinds[names[prop.name]], types, draft) for prop in one.properties]
    draft.contract |= _identity(one, names, ours, draft)
    draft.contract |= {**ours, "columns": columns}
    for rule in one.quality:
        if not _is_of_key(rule, one):
            draft.doubt("columns", f"left out, the rule: {rule.told}")
    return draft


def _objects(document: Document, name: str, draft: Draft) -> str:
    location = next((one.location for one in document.servers if one.location), None)
    if location and (found := re.fullmatch(r"gs://[^/]+/(.+)", location)):
        return found[1]
    draft.doubt("objects", "where are files dropped?")
    return f"incoming/{name}/*"


def _format(document: Document, draft: Draft) -> dict[str, str]:
    server = next((one for one in document.servers if one.format), None)
    named = (server.format or "").lower() if server else ""
    found = _FORMATS.get(named, named)
    if found in FORMATS:
        delimiter = server.delimiter if server and found == "csv" else None
        return {"type": found, **({"delimiter": delimiter} if delimiter else {})}
    draft.doubt(
        "format",
        f"{named} is not a format that dropmerge reads" if named else "the document does not say the files' format",
    )
    return {"type": "csv"}


def _table(document: Document, one: Object, name: str) -> str:
    dataset, _, table = (one.physicalName or name).rpartition(".")
    known = next(
        (server.dataset for server in document.servers if server.type == "bigquery" and server.dataset), "main"
    )
    fit = re.sub(r"\W", "_", table)
    return f"{re.sub(r'[^A-Za-z0-9_]', '_', dataset.rpartition('.')[2] or known)}.{fit if fit[:1].isalpha() else name}"


def _identity(one: Object, names: Mapping[str, str], ours: dict[str, Any], draft: Draft) -> dict[str, Any]:
    """The key and the version; a contract of ours that has neither says why in `ours`."""
    keys = sorted((prop for prop in one.properties if prop.primaryKey), key=lambda prop: prop.primaryKeyPosition or 0)
    if one.ours and not keys:
        return {}
    if not keys:
        alone = [prop for prop in one.properties if prop.unique] or one.properties[:1]
        keys = alone[:1]
        draft.doubt("key", "the document has no primaryKey: which columns make a row unique?")
    identity: dict[str, Any] = {"key": [names[prop.name] for prop in keys]}
    if not one.ours:
        draft.doubt("version", "the document does not say which of two rows is newer: the newest file wins")
        return {**identity, "version": GENERATION}
    return {**identity, **({"version": ours.pop("version")} if "version" in ours else {})}


def _column(name: str, prop: Property, kind: str, types: Mapping[str, str], draft: Draft) -> dict[str, Any]:
    """`types`: as checks see them, of arrays too."""
    column: dict[str, Any] = {"name": name, **_from(name, prop, draft), "type": kind}
    if prop.required or any(_forbids_null(rule) for rule in prop.quality):
        column["mode"] = "REQUIRED"
    if prop.description:
        column["description"] = prop.description
    column |= dict(_options(name, kind, prop, draft))
    checks = list(_checks(name, prop, types, draft))
    if checks:
        column["check"] = checks[0] if len(checks) == 1 else " AND ".join(f"({one})" for one in checks)
    return {**column, **prop.ours}


def _from(name: str, prop: Property, draft: Draft) -> dict[str, str]:
    """The name in the files, where that is another one."""
    in_file = prop.physicalName or prop.name
    if prop.ours or in_file == name:
        return {}
    if prop.physicalName and prop.physicalName != prop.name:
        draft.doubt(f"columns.{name}", f"do files have {in_file!r} or {prop.name!r}?")
    return {"from": in_file}


def _type(name: str, prop: Property, draft: Draft) -> str:
    physical = re.sub(r"\(.*?\)", "", prop.physicalType or "").strip().upper()
    for word in (_WORDS.get(physical, physical), _LOGICAL.get(prop.logicalType or "", "")):
        try:
            found = type_named(word).name
        except ValueError:
            continue
        if not physical and found == "NUMERIC":
            draft.doubt(f"columns.{name}", "a number: FLOAT64 if it is a measurement")
        return found
    draft.doubt(f"columns.{name}", f"no type matches {prop.physicalType or prop.logicalType or 'nothing'}")
    return "STRING"


def _options(name: str, kind: str, prop: Property, draft: Draft) -> Iterator[tuple[str, Any]]:
    """The column's options; what says more of its texts than a contract can is a remark."""
    given = prop.logicalTypeOptions or {}
    yield from (
        (option, given[theirs]) for option, theirs in OPTIONS.items() if theirs in given and kind == "TIMESTAMP"
    )
    java = given.get("format")
    if java is None or prop.ours.get("format") or not TYPES[kind].can_be_version or kind not in ("DATE", "TIMESTAMP"):
        return
    pattern = format_of(str(java))
    if pattern is None:
        draft.doubt(f"columns.{name}", f"left out, the format {java}")
    elif not is_iso(pattern):
        draft.doubt(f"columns.{name}", "is that the format of the files?")
        yield "format", pattern


def _checks(name: str, prop: Property, types: Mapping[str, str], draft: Draft) -> Iterator[str]:
    told = {option: value for option, value in (prop.logicalTypeOptions or {}).items() if option not in _NO_CHECKS}
    found = [(f"{option} {told[option]}", check) for option, check in of_options(name, types[name], told)]
    rules = [rule for rule in prop.quality if not _forbids_null(rule)]
    found += [(rule.told, of_rule(name, types[name], rule)) for rule in rules]
    for what, check in found:
        if check is not None and _is_check(check, types):
            yield check
        else:
            draft.doubt(f"columns.{name}", f"left out, the rule: {what}")


def _is_check(check: str, types: Mapping[str, str]) -> bool:
    try:
        parse_check(check, types)
    except ValueError:
        return False
    return True


def _forbids_null(rule: Rule) -> bool:
    return (rule.metric or rule.rule) == "nullValues" and type(rule.mustBe) is int and rule.mustBe == 0


def _is_of_key(rule: Rule, one: Object) -> bool:
    """Whether a rule says that a key is there once, which it is in a main table."""
    named = (rule.arguments or {}).get("properties")
    key = {prop.name for prop in one.properties if prop.primaryKey}
    return rule.metric == "duplicateValues" and isinstance(named, list) and set(map(str, named)) == key


def _flow(value: object) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000, allow_unicode=True)
    return text.strip().removesuffix("\n...")
