"""The text of a first contract, with a remark wherever it is unsure."""

from __future__ import annotations

import re
from pathlib import Path

from dropmerge.operations.feeds.infer import Contract

MODELINE = "# yaml-language-server: $schema=../../docs/feed.schema.json"
"""By which an editor finds the schema (https://github.com/redhat-developer/yaml-language-server#using-inlined-schema):
a path from `deploy/feeds`, so that it is the schema of the same checkout."""


def feed_name(file: Path) -> str:
    """A feed's name for files like this one."""
    words = re.findall(r"[a-z0-9]+", file.name.partition(".")[0].lower())
    return ("_".join(words) if words and words[0][0].isalpha() else "_".join(["feed", *words]))[:64].rstrip("_")


def contract_yaml(name: str, contract: Contract) -> str:
    """YAML, one line per column; what is unsure is marked by UNSURE."""
    lines = [
        MODELINE,
        f"feed: {_flow(name)}",
        f"objects: {_flow(f'incoming/{name}/*')}",
        f"format: {_flow(contract.format.model_dump(include={'type', 'delimiter'}))}",
        f"table: {_flow(f'main.{name}')}",
        f"key: {_flow(contract.key)}{_unsure(contract.key_doubt)}",
        f"version: {_flow(contract.version)}{_unsure(contract.version_doubt)}",
    ]
    if contract.delete:
        name, header, value = contract.delete
        entry = {"column": name, **_from(name, header), "equals": value}
        lines.append(f"delete: {_flow(entry)}{_unsure('taken from its name')}")
    lines += ["columns:", *(_column(contract, number) for number in range(len(contract.columns)))]
    lines += ["unknown_columns: reject", "bad_rows: {at_most: 0}"]
    return "\n".join(lines) + "\n"


def _column(contract: Contract, number: int) -> str:
    column = contract.columns[number]
    entry = {"name": column.name, **_from(column.name, column.header), "type": column.type}
    if column.name in (*contract.key, contract.version):
        entry["mode"] = "REQUIRED"
    if column.check:
        entry["check"] = column.check
    return f"  - {_flow(entry)}{_unsure('; '.join(column.warnings))}"


def _from(name: str, header: str) -> dict[str, str]:
    return {} if name == header else {"from": header}


def _flow(value: object) -> str:
    import yaml

    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000, allow_unicode=True)
    return text.strip().removesuffix("\n...")


def _unsure(doubt: str | None) -> str:
    return f"  # UNSURE: {doubt}" if doubt else ""
