"""The examples of docs/contracts.md: what each adds to a contract, files that are dropped, and what becomes of them.

An example is a block of YAML followed by files, each a block whose language is its format, perhaps with a name. A
block of `records` is CSV that is written in the feed's format, for one that is no text. Then come `table`, `rejected`
and `dead_letter`, each where there is any. A block of YAML without files is the contract that those after it add to,
unless they begin with `feed:`.
"""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import yaml

from services.ingest.formats import format_of
from services.shared.contract.encodings import CODECS
from services.shared.contract.feed import Feed
from services.shared.contract.types import TYPES

_ALIASES = {name for one in TYPES.values() for name in one.aliases}
_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.M | re.S)
Rows = list[dict[str, str]]
"""Column to text, as a page shows it."""


@dataclass
class Example:
    line: int
    """Of the page."""
    yaml: Mapping[str, Any]
    """What it shows."""
    contract: Mapping[str, Any]
    """With what it adds to."""
    feed: Feed
    files: dict[str, bytes] = field(default_factory=dict)
    """By name, in the order in which they are dropped."""
    blocks: dict[str, str] = field(default_factory=dict)
    """What becomes of them: `table`, `table` and what follows its name, `rejected`, `dead_letter`."""

    def rows(self, block: str) -> Rows | None:
        """Of a block that is a table; None where there is none."""
        if block not in self.blocks:
            return None
        header, *lines = ([cell.strip() for cell in line.split(" |")] for line in self.blocks[block].splitlines())
        return [dict(zip(header, [cell.removeprefix("| ") for cell in line], strict=True)) for line in lines]


def read_examples(page: str) -> list[Example]:
    """Raises ValidationError for a contract that is none."""
    base: dict[str, Any] = {}
    found: list[Example] = []
    blocks = list(_BLOCK.finditer(page))
    for number, block in enumerate(blocks):
        language, name, text = block.groups()
        if language == "yaml":
            shown = yaml.safe_load(text)
            if number + 1 == len(blocks) or blocks[number + 1][1] == "yaml":
                base = shown
                continue
            contract = shown if "feed" in shown else _filled(base, shown, f"{base['feed']}_{len(found)}")
            found.append(
                Example(page.count("\n", 0, block.start()) + 1, shown, contract, Feed.model_validate(contract))
            )
        elif language in ("table", "rejected", "dead_letter"):
            found[-1].blocks[f"{language} {name}" if name else language] = text
        else:
            feed, files = found[-1].feed, found[-1].files
            files[name or f"{len(files) + 1}.{language}"] = _packed(name or "", _bytes(language, text, feed))
    return found


def _filled(base: Mapping[str, Any], shown: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The base with a name of its own, and with what is shown: keys replace those of the base, columns are added."""
    contract = {**base, **shown, "feed": name, "objects": f"incoming/{name}/**", "table": f"main.{name}"}
    named = {column["name"] for column in shown.get("columns", ())}
    kept = [column for column in base["columns"] if column["name"] not in named]
    return {**contract, "columns": [*kept, *shown.get("columns", ())]}


def _bytes(language: str, text: str, feed: Feed) -> bytes:
    """A file in the feed's format and encoding."""
    if language != "records":
        assert language == feed.format.type, f"a file of {feed.format.type} is no block of {language}"
        return text.encode(CODECS[feed.format.encoding])
    header, *lines = csv.reader(io.StringIO(text))
    file = _Kept()
    records = [dict(zip(header, (cell or None for cell in line), strict=True)) for line in lines]
    format_of(feed).write(file, header, records, feed)
    return file.content


class _Kept(io.BytesIO):
    """Whose content is there once it is closed."""

    content = b""

    def close(self) -> None:
        self.content = self.content or self.getvalue()
        super().close()


def _packed(name: str, data: bytes) -> bytes:
    return gzip.compress(data, mtime=0) if name.endswith(".gz") else data


_AS_OTHERS = ("format.encoding",)
"""Options whose words differ in nothing that an example would show."""


def without_example(options: Sequence[tuple[str, Mapping[str, Any]]], examples: Sequence[Example]) -> list[str]:
    """Options of a schema, and words that they may be, that no example shows: as `path` and as `path: word`."""
    shown = {one for example in examples for one in _shown(example.yaml, "")}
    missing = [path for path, _ in options if path not in shown]
    for path, part in options:
        words = [word for word in _words(part) if path not in _AS_OTHERS and word not in _ALIASES]
        missing += [f"{path}: {word}" for word in words if f"{path}: {word}" not in shown]
    return list(dict.fromkeys(missing))


def _shown(value: Any, path: str) -> Iterator[str]:
    match value:
        case dict():
            for name, inner in value.items():
                inside = f"{path}.{name}" if path else str(name)
                yield inside
                yield from _shown(inner, inside)
        case list():
            for inner in value:
                yield from _shown(inner, f"{path}.*")
        case _:
            yield f"{path}: {value}"


def _words(part: Mapping[str, Any]) -> Iterator[str]:
    for one in (part, *part.get("anyOf", ()), *part.get("oneOf", ())):
        words = [str(word) for word in (*one.get("enum", ()), *([one["const"]] if "const" in one else ()))]
        # Signs that may stand for each other, as those that group digits do, are not shown one by one.
        yield from (word for word in words if any(map(str.isalpha, word)))


def shown_as(value: Any) -> str:
    """A value of a table as the page shows it: a text that could be something else as JSON has it."""
    match value:
        case None:
            return "NULL"
        case str():
            is_plain = value == value.strip() and not re.search(r'^$|^NULL$|^"|[\n|]', value)
            return value if is_plain else json.dumps(value, ensure_ascii=False)
        case bool() | list() | dict():
            return json.dumps(value, ensure_ascii=False, default=shown_as)
        case bytes():
            return base64.b64encode(value).decode()
        case Decimal():
            return f"{value.normalize():f}"
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case _:
            return str(value)
