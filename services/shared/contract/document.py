"""A contract's file as YAML: what is in it, and at which line and column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from services.shared.contract.fault import Place

QUOTE = "put it in quotes"
"""What to do with a text that YAML takes for something else."""
_KINDS = {"bool": "true or false", "float": "a number", "int": "a number", "null": "nothing", "timestamp": "a date"}
"""Of what YAML reads, by the ends of its tags."""


@dataclass(frozen=True)
class Problem:
    file: str
    line: int
    """From 1, as `column`."""
    column: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.what}"


class UnreadableError(Exception):
    """The file is not YAML, or not there."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass(frozen=True)
class Document:
    path: Path
    root: yaml.Node
    content: object
    duplicates: Sequence[Problem]
    """Keys of which YAML keeps the last only."""

    def problem(self, place: Place, what: str, at_key: bool = False) -> Problem:
        """At the innermost part of the place that is there: at a key itself, or at what it has."""
        key, value = self._find(place)
        return _problem(self.path, (key if at_key else value).start_mark, what)

    def text(self, place: Place) -> str | None:
        """What is written there, as it is written; None of a list or a mapping."""
        _, node = self._find(place)
        return str(node.value) if isinstance(node, yaml.ScalarNode) else None

    def misread_keys(self) -> Iterator[Problem]:
        """Which YAML reads as something else than text."""
        for key in _keys(self.root):
            if not key.tag.endswith(":str"):
                remedy = "; texts that are NULL are listed as nulls" if key.tag.endswith(":null") else f": {QUOTE}"
                yield _problem(self.path, key.start_mark, f"YAML takes {key.value} for {_kind(key)}{remedy}")

    def _find(self, place: Place) -> tuple[yaml.Node, yaml.Node]:
        """The innermost key, and what it has; an item of a list is its own key."""
        key = node = self.root
        for step in place:
            found = [pair for pair in _parts(node) if pair[0] == str(step)]
            if not found:
                break
            _, key, node = found[-1]
        return key, node


def read_document(path: Path) -> Document:
    """Raises UnreadableError."""
    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
        root = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        raise UnreadableError(_not_yaml(path, error)) from error
    except yaml.YAMLError as error:
        raise UnreadableError(Problem(str(path), 1, 1, f"not YAML: {error}")) from error
    except UnicodeDecodeError as error:
        raise UnreadableError(Problem(str(path), 1, 1, f"not UTF-8: byte {error.start}")) from error
    except (OSError, RecursionError) as error:
        raise UnreadableError(Problem(str(path), 1, 1, f"cannot be read: {error}")) from error
    if root is None:
        raise UnreadableError(Problem(str(path), 1, 1, "the file is empty"))
    # Before what << names is put in its place: that a key of it is there again is how it is used.
    duplicates = list(_duplicates(path, root))
    return Document(path, root, _construct(path, loader, root), duplicates)


def _duplicates(path: Path, root: yaml.Node) -> Iterator[Problem]:
    for mapping in _mappings(root):
        seen = set()
        for key, _ in mapping.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    yield _problem(path, key.start_mark, f"{key.value} appears twice: only the last one counts")
                seen.add(key.value)


def _construct(path: Path, loader: yaml.SafeLoader, root: yaml.Node) -> object:
    try:
        return loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        raise UnreadableError(_not_yaml(path, error)) from error
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        # PyYAML lets these out for values that are not what they look like: 2025-02-30, !!int "".
        raise UnreadableError(_misread(path, root)) from error


def _misread(path: Path, root: yaml.Node) -> Problem:
    """At the first value that YAML cannot read as what it takes it for."""
    for node in _nodes(root):
        if not isinstance(node, yaml.ScalarNode):
            continue
        try:
            yaml.SafeLoader("").construct_document(node)
        except (ValueError, LookupError, TypeError, AttributeError):
            what = f"YAML takes {node.value} for {_kind(node)} and cannot read it: {QUOTE}"
            return _problem(path, node.start_mark, what)
    return Problem(str(path), 1, 1, "a value cannot be read: it is nested too deeply")


def _kind(node: yaml.Node) -> str:
    tag = node.tag.rpartition(":")[2]
    return _KINDS.get(tag, tag)


def _not_yaml(path: Path, error: yaml.MarkedYAMLError) -> Problem:
    return _problem(path, error.problem_mark or error.context_mark, f"not YAML: {error.problem}")


def _problem(path: Path, mark: yaml.Mark | None, what: str) -> Problem:
    return Problem(str(path), mark.line + 1 if mark else 1, mark.column + 1 if mark else 1, what)


def _parts(node: yaml.Node) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
    """The step that leads to each part, its key, and the part."""
    if isinstance(node, yaml.MappingNode):
        yield from ((str(key.value), key, value) for key, value in node.value)
    elif isinstance(node, yaml.SequenceNode):
        yield from ((str(number), item, item) for number, item in enumerate(node.value))


def _keys(root: yaml.Node) -> Iterator[yaml.Node]:
    return (key for mapping in _mappings(root) for key, _ in mapping.value)


def _mappings(root: yaml.Node) -> Iterator[yaml.MappingNode]:
    return (node for node in _nodes(root) if isinstance(node, yaml.MappingNode))


def _nodes(root: yaml.Node) -> Iterator[yaml.Node]:
    """In the file's order, each once: an alias may name what it is in."""
    seen, waiting = set(), [root]
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            yield node
            parts = [one for _, key, part in _parts(node) for one in (key, part)]
            waiting.extend(reversed(parts))
