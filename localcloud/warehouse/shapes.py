"""Statements that differ only in ids have one shape, and what is found out of a shape holds for each of them.

The ids are load ids, merge ids and fingerprints: runs of lower-case hexadecimal digits, which name tables or stand in
texts. To no part of a translation is one of them different from another. Neither is a text that a value is compared
to by `>=` or `<=`, as the bounds of a MERGE's keys are.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from localcloud.warehouse.bounded import remembered

# Digits alone, or digits around an `e`, could be a number; a backslash and a letter are one character; and names of
# functions are written in upper case.
_ID = re.compile(
    r"(?<![0-9A-Za-z\\])(?=[0-9e]*[a-df])(?=[a-f]*[0-9])"
    r"(?:[0-9a-f]{32}|[0-9a-f]{20}|[0-9a-f]{12})(?![0-9A-Za-z]|\s*\(|`\()"
)
_PARTS = re.compile(
    r"(?<=[<>]= )'(?P<bound>[^'\n\r]*)'(?!')|`[^`]*`|'[^']*'|\"[^\"]*\"|--[^\n]*|#[^\n]*|/\*.*?\*/" rf"|{_ID.pattern}",
    re.DOTALL,
)
_UNSURE = re.compile(r"\\|'{3}|\"{3}")
"""Where a text may end elsewhere in GoogleSQL than in DuckDB's SQL."""
_MARK = re.compile("mark([0-9]{4})kram")
_MOST = 10_000


@dataclass(frozen=True)
class Shape:
    text: str
    """The statement with a mark in the place of each id."""
    ids: tuple[str, ...]

    def restore(self, text: str) -> str:
        """A text made of this shape's, with the ids in the places of their marks."""
        return _MARK.sub(lambda mark: self.ids[int(mark[1])], text) if self.ids else text

    def restore_tree(self, tree: Any) -> Any:
        """A tree made of this shape's text, changed in place."""
        for node in tree.walk() if self.ids else ():
            text = node.args.get("this")
            if isinstance(text, str) and _MARK.search(text):
                node.set("this", self.restore(text))
        return tree


@functools.lru_cache(maxsize=64)
def shape_of(sql: str) -> Shape:
    """The shape of a statement; of one with too many ids, or with a mark in it, the statement itself."""
    if _MARK.search(sql):
        return Shape(sql, ())
    ids: list[str] = []
    numbers: dict[str, int] = {}

    def mark(found: re.Match[str]) -> str:
        number = numbers.setdefault(found[0], len(ids))
        if number == len(ids):
            ids.append(found[0])
        return f"mark{number:04}kram"

    def part(found: re.Match[str]) -> str:
        if found["bound"] is None:
            return _ID.sub(mark, found[0])
        # Two bounds that are equal by chance must not make another shape.
        ids.append(found["bound"])
        return f"'mark{len(ids) - 1:04}kram'"

    text = _ID.sub(mark, sql) if _UNSURE.search(sql) else _PARTS.sub(part, sql)
    return Shape(text, tuple(ids)) if len(ids) <= _MOST else Shape(sql, ())


def by_shape(answer: Callable[..., Any]) -> Callable[..., Any]:
    """A function of a statement, asked once of each shape; what else it is given must be hashable.

    What it returns is a text that is made of the statement's, or has nothing of it. Where it fails it is asked with
    the statement itself, so that its error names what is there.
    """
    of_shape = remembered()(answer)

    @functools.wraps(answer)
    def answered(sql: str, *more: Any) -> Any:
        shape = shape_of(sql)
        try:
            found = of_shape(shape.text, *more)
        except Exception:
            return answer(sql, *more)
        return shape.restore(found) if isinstance(found, str) else found

    return answered
