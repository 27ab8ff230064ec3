"""The text of a first contract, with a remark wherever it is unsure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from dropmerge.operations.errors import NotDone
from dropmerge.operations.feeds.inference.columns import Column
from dropmerge.operations.feeds.inference.infer import Contract

MODELINE = "# yaml-language-server: $schema=../../docs/feed.schema.json"
"""By which an editor finds the schema (https://github.com/redhat-developer/yaml-language-server#using-inlined-schema):
a path from `deploy/feeds`, so that it is the schema of the same checkout."""


def feed_name(file: Path) -> str:
    """A feed's name for files like this one."""
    words = re.findall(r"[a-z0-9]+", file.name.partition(".")[0].lower())
    return ("_".join(words) if words and words[0][0].isalpha() else "_".join(["feed", *words]))[:64].rstrip("_")


def contract_yaml(name: str, contract: Contract) -> str:
    """YAML, one line per column; what is unsure is marked by UNSURE."""
    return "\n".join(_lines(name, contract)) + "\n"


def verdict(contract: Contract) -> str:
    """How many rows of the sample the contract keeps, in capitals where it is fewer than there are."""
    sample = contract.sample
    looked = "all" if sample.rows + sample.broken == sample.total else f"the first {sample.rows + sample.broken:,}"
    of_all = sample.rows + sample.broken
    kept = f"keeps {contract.kept:,} of {of_all:,} rows"
    if contract.kept == of_all:
        return f"{kept}; {looked} of the file's {sample.total:,} rows were read"
    older, broken = sample.rows - contract.kept, sample.broken
    why = [f"{older:,} older versions of a key"] if older else []
    why += [f"{broken:,} refused"] if broken else []
    return f"UNSURE: {kept.upper()}: {', '.join(why)}; {looked} of the file's {sample.total:,} rows were read"


def write_contract(folder: Path, name: str, text: str) -> Path:
    """The contract's file, new in the folder of contracts. Raises NotDone where one of its name is there."""
    path = folder / f"{name}.yaml"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise NotDone(f"{path} already exists: move it, or choose another name with --name") from None
    except OSError as error:
        raise NotDone(f"{path} cannot be written: {error.strerror}") from error
    return path


def next_commands(name: str, contract: Path, file: Path) -> list[str]:
    """What to type next, until the sample is merged."""
    sample = shlex.quote(str(file))
    return [
        f"dropmerge feeds test {shlex.quote(str(contract))} {sample}",
        "dropmerge up --restart --detach",
        f"dropmerge drop {sample} --feed {name}",
    ]


def _lines(name: str, contract: Contract) -> Iterator[str]:
    identity = contract.identity
    yield MODELINE
    yield f"# {verdict(contract)}"
    yield from (f"# UNSURE: {remark}" for remark in contract.remarks)
    yield f"feed: {_flow(name)}"
    yield f"objects: {_flow(f'incoming/{name}/*')}"
    yield f"format: {_flow(contract.format)}"
    yield f"table: {_flow(f'main.{name}')}"
    if identity.key:
        yield f"key: {_flow(list(identity.key))}{_unsure(identity.key_doubt)}"
        yield f"version: {_flow(identity.version)}{_unsure(identity.version_doubt)}"
    else:
        yield f"mode: append{_unsure(identity.key_doubt)}"
    if contract.delete and contract.delete_field:
        header = contract.delete_field.header
        entry = {
            "column": contract.delete.column,
            **_from(contract.delete.column, header),
            "equals": contract.delete.equals,
        }
        yield f"delete: {_flow(entry)}{_unsure('guessed from its name and values')}"
    yield "columns:"
    yield from (_column(contract, column) for column in contract.columns)
    yield "unknown_columns: reject"
    yield f"bad_rows: {_flow({'at_most': contract.sample.broken})}"


def _column(contract: Contract, column: Column) -> str:
    header = column.source.header.strip() if contract.format.get("trim") else column.source.header
    source: dict[str, object] = _from(column.name, header)
    if column.source.place is not None:
        # Without a header places are those of the contract's own columns.
        source = {} if contract.format.get("header") is False else {"from": column.source.place}
    entry = {"name": column.name, **source, "type": column.type}
    return f"  - {_flow({**entry, **column.options})}{_unsure('; '.join(column.remarks))}"


def _from(name: str, header: str) -> dict[str, object]:
    return {} if name == header else {"from": header}


def _flow(value: object) -> str:
    import yaml

    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000, allow_unicode=True)
    return text.strip().removesuffix("\n...")


def _unsure(doubt: str | None) -> str:
    return f"  # UNSURE: {doubt}" if doubt else ""
