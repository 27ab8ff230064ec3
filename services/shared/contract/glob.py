"""The language of `objects`: `*` and `?` stay within a folder, `**` crosses folders, any other character is itself."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

_STARS = ("*", "**")
_WILD = {"**": ".*", "*": "[^/]*", "?": "[^/]"}


def matches(pattern: str, object_name: str) -> bool:
    """Whether the pattern means the object."""
    return _compiled(pattern).fullmatch(object_name) is not None


def first_match(patterns: Iterable[str], object_name: str) -> str | None:
    """The first of these patterns that means the object; None where none does."""
    return next((pattern for pattern in patterns if matches(pattern, object_name)), None)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile("".join(map(_expression, _tokens(pattern))), re.DOTALL)


def fault(pattern: str) -> str | None:
    """Why no object is ever named so; None if one may be."""
    if pattern.startswith("gs://"):
        within = pattern.removeprefix("gs://").partition("/")[2]
        return f"begins with a bucket, which is not part of an object's name: write {within or 'incoming/accounts/*'}"
    if pattern.startswith("/"):
        return f"begins with /, which no folder of a bucket does: write {pattern.lstrip('/') or '**'}"
    if pattern.endswith("/"):
        return f"ends with /, which only a folder does: write {pattern}* for the files in it"
    sign = re.search(r"[\[\]{}]", pattern)
    if sign:
        return (
            f"has {sign[0]}, which would be read literally: a pattern has only *, ** and ?; write ? for one character"
        )
    return None


def common_name(one: str, other: str) -> str | None:
    """A name that both patterns match; None where there is none. A star stands for something in it if it can."""
    if not _begin_alike(one, other):
        return None
    name = _search(_tokens(_filled(one)), _tokens(_filled(other)))
    return _search(_tokens(one), _tokens(other)) if name is None else name


def _begin_alike(one: str, other: str) -> bool:
    """Whether the names that they match may begin alike: a quick answer for most pairs."""
    mine, theirs = (re.split(r"[*?]", pattern, maxsplit=1)[0] for pattern in (one, other))
    return mine.startswith(theirs) or theirs.startswith(mine)


def _filled(pattern: str) -> str:
    return re.sub(r"\*\*?", r"?\g<0>", pattern)


def _tokens(pattern: str) -> list[str]:
    return re.findall(r"\*\*|.", pattern, re.DOTALL)


def _expression(token: str) -> str:
    return _WILD.get(token, re.escape(token))


def _search(one: Sequence[str], other: Sequence[str]) -> str | None:
    """Breadth first through the places that both patterns can be at after the same name."""
    names = {(0, 0): ""}
    waiting = deque(names)
    while waiting:
        here = waiting.popleft()
        for there, letter in _steps(one, other, *here):
            if there not in names:
                names[there] = names[here] + letter
                waiting.append(there)
    return names.get((len(one), len(other)))


def _steps(one: Sequence[str], other: Sequence[str], i: int, j: int) -> Iterator[tuple[tuple[int, int], str]]:
    """The next places, each with the letter that leads there: none where a star ends."""
    mine, theirs = one[i] if i < len(one) else "", other[j] if j < len(other) else ""
    if mine in _STARS:
        yield (i + 1, j), ""
    if theirs in _STARS:
        yield (i, j + 1), ""
    letter = _letter(mine, theirs)
    if letter:
        yield (i + (mine not in _STARS), j + (theirs not in _STARS)), letter


def _letter(one: str, other: str) -> str:
    """One that both tokens stand for; none where there is none, or a pattern ends."""
    if not one or not other:
        return ""
    if one in _WILD and other in _WILD:
        return "x"
    literal, token = (other, one) if one in _WILD else (one, other)
    return literal if re.fullmatch(_expression(token), literal, re.DOTALL) else ""
