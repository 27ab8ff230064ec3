"""Contracts from YAML files; each fault with its file, line and column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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


class ContractError(Exception):
    """A contract cannot be used; the text names each fault and its place."""


def read_feeds(folder: Path) -> Mapping[str, Feed]:
    """All contracts of a folder, by name. Raises: ContractError."""
    feeds = [(path, read_feed(path)) for path in sorted(folder.glob("*.yaml"))]
    if not feeds:
        raise ContractError(f"{folder}: no feeds (*.yaml) here")
    _refuse(list(_shared_names(feeds)))
    return {feed.name: feed for _, feed in feeds}


def read_feed(path: Path) -> Feed:
    """The contract in this file. Raises: ContractError."""
    _, feed, problems = _read(path)
    _refuse(problems)
    assert feed is not None
    return feed


def check(path: Path) -> tuple[Feed | None, list[Problem]]:
    """The contract, if nothing is wrong with it; also what `read_feed` lets pass."""
    root, feed, problems = _read(path)
    twice = [
        _at(path, mark, f"{name} is there twice: only the last one counts") for name, mark in _duplicate_keys(root)
    ]
    return (None if twice else feed), twice + problems


def check_together(feeds: Sequence[tuple[Path, Feed]]) -> list[Problem]:
    """Faults that no contract has on its own; also what `read_feeds` lets pass."""
    return [*_shared_names(feeds), *_shared_tables(feeds)]


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise ContractError("; ".join(map(str, problems)))


def _shared_names(feeds: Sequence[tuple[Path, Feed]]) -> Iterator[Problem]:
    first: dict[str, Path] = {}
    for path, feed in feeds:
        if feed.name in first:
            yield _in(path, "feed", f"feed {feed.name} is declared in {first[feed.name]} already")
        first.setdefault(feed.name, path)


def _shared_tables(feeds: Sequence[tuple[Path, Feed]]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for path, feed in feeds:
        if first.setdefault(feed.table, feed.name) != feed.name:
            yield _in(path, "table", f"table {feed.table} belongs to feed {first[feed.table]} already")


def _read(path: Path) -> tuple[yaml.Node | None, Feed | None, list[Problem]]:
    """The file's syntax tree, its contract, and what is wrong with either."""
    root, content, problem = _parse(path)
    if problem or root is None:
        return root, None, [problem or Problem(str(path), 1, 1, "the file is empty")]
    try:
        return root, Feed.model_validate(content), []
    except ValidationError as error:
        places = [(one["loc"], _mark(root, one["loc"], one["type"]), one["msg"]) for one in error.errors()]
        return root, None, [_at(path, mark, _words(place, message)) for place, mark, message in places]


def _parse(path: Path) -> tuple[yaml.Node | None, object, Problem | None]:
    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
        root = loader.get_single_node()
        return root, loader.construct_document(root) if root else None, None
    except yaml.MarkedYAMLError as error:
        return None, None, _at(path, error.problem_mark or error.context_mark, f"not YAML: {error.problem}")
    except yaml.YAMLError as error:
        return None, None, Problem(str(path), 1, 1, f"not YAML: {error}")
    except UnicodeDecodeError as error:
        return None, None, Problem(str(path), 1, 1, f"not UTF-8: byte {error.start}")
    except OSError as error:
        return None, None, Problem(str(path), 1, 1, f"cannot be read: {error}")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        # PyYAML lets these out for values that are not what they look like: 2025-02-30, !!int "".
        return None, None, Problem(str(path), 1, 1, f"a value cannot be read: {error}")


def _in(path: Path, field: str, what: str) -> Problem:
    root, _, _ = _parse(path)
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


def _duplicate_keys(node: yaml.Node | None) -> Iterator[tuple[str, yaml.Mark]]:
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
