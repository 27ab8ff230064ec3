"""Faults of a contract, each at its line and column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import ValidationError

from services.shared.contract.feed import Feed


@dataclass(frozen=True)
class Problem:
    file: str
    line: int
    """From 1, as `column`."""
    column: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.what}"


def check(path: Path) -> tuple[Feed | None, list[Problem]]:
    """The contract, if it has no faults."""
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        return None, [_at(path, error.problem_mark or error.context_mark, f"not YAML: {error.problem}")]
    except yaml.YAMLError as error:
        return None, [Problem(str(path), 1, 1, f"not YAML: {error}")]
    except UnicodeDecodeError as error:
        return None, [Problem(str(path), 1, 1, f"not UTF-8: byte {error.start}")]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        # PyYAML lets these out for values that are not what they look like, such as 2025-02-30.
        return None, [Problem(str(path), 1, 1, f"a value cannot be read: {error}")]
    if root is None:
        return None, [Problem(str(path), 1, 1, "the file is empty")]
    faults = [
        _at(path, mark, f"{name} is there twice: only the last one counts") for name, mark in _duplicate_keys(root)
    ]
    try:
        feed = Feed.model_validate(content)
    except ValidationError as error:
        faults += [_at(path, _mark(root, p["loc"], p["type"]), _words(p["loc"], p["msg"])) for p in error.errors()]
    return (None, faults) if faults else (feed, [])


def check_together(feeds: Sequence[tuple[Path, Feed]]) -> list[Problem]:
    """Faults that no contract has by itself."""
    faults = []
    first: dict[str, Path] = {}
    tables: dict[str, str] = {}
    for path, feed in feeds:
        if feed.name in first:
            faults.append(_in(path, "feed", f"feed {feed.name} is declared in {first[feed.name]} already"))
        elif feed.table in tables:
            faults.append(_in(path, "table", f"table {feed.table} belongs to feed {tables[feed.table]} already"))
        first.setdefault(feed.name, path)
        tables.setdefault(feed.table, feed.name)
    return faults


def _in(path: Path, field: str, what: str) -> Problem:
    root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    return _at(path, _mark(root, (field,), "") if root else None, what)


def _at(path: Path, mark: yaml.Mark | None, what: str) -> Problem:
    return Problem(str(path), mark.line + 1 if mark else 1, mark.column + 1 if mark else 1, what)


def _mark(node: yaml.Node, place: Sequence[str | int], kind: str) -> yaml.Mark:
    """Where the innermost part of `place` that is there begins: a name's own mark if the name is what is wrong."""
    mark = node.start_mark
    for step in place:
        if isinstance(node, yaml.MappingNode):
            pair = next(((key, value) for key, value in node.value if key.value == str(step)), None)
            if pair is None:
                return mark
            key, node = pair
            mark = key.start_mark if kind == "extra_forbidden" else node.start_mark
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            mark = node.start_mark
        else:
            return mark
    return mark


def _words(place: Sequence[str | int], message: str) -> str:
    where = ".".join(map(str, place))
    return f"{where}: {message}" if where else message


def _duplicate_keys(node: yaml.Node) -> Iterator[tuple[str, yaml.Mark]]:
    if isinstance(node, yaml.MappingNode):
        names = set()
        for key, value in node.value:
            if key.value in names:
                yield str(key.value), key.start_mark
            if isinstance(key, yaml.ScalarNode):
                names.add(key.value)
            yield from _duplicate_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _duplicate_keys(item)
