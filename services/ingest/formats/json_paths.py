"""Names of a contract that lead into objects: of `commit.author.name` the object `commit`, then `author` in it.

A name that an object has as it is, dot and all, comes first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any


def steps(name: str) -> list[str]:
    """Of a path, its names; of a name that is none, that alone."""
    found = name.split(".")
    return found if all(found) else [name]


def path(names: Sequence[str]) -> str:
    """In JSONPath as GoogleSQL has it."""
    return "$" + "".join(f'."{name}"' for name in names)


def has(line: Mapping[str, Any], name: str) -> bool:
    """Whether a line's object has the name, or the path."""
    value: Any = line
    for step in steps(name):
        if not isinstance(value, Mapping) or step not in value:
            return name in line
        value = value[step]
    return True


@dataclass(frozen=True)
class Paths:
    names: Sequence[str]
    """Of a contract, in its order."""

    @cached_property
    def inner(self) -> list[int]:
        """Places of those that lead into objects."""
        return [place for place, name in enumerate(self.names) if len(steps(name)) > 1]

    @cached_property
    def objects(self) -> list[tuple[str, ...]]:
        """Those that they lead through, the outer ones first."""
        found = [tuple(steps(self.names[place])) for place in self.inner]
        through = {names[:length] for names in found for length in range(1, len(names))}
        return sorted(through, key=lambda names: (len(names), names))

    def children(self, above: tuple[str, ...]) -> list[str]:
        """What the contract knows in an object; nothing where it reads that as a whole."""
        if above and ".".join(above) in self.names:
            return []
        named = [tuple(steps(self.names[place])) for place in self.inner]
        return sorted(
            {names[len(above)] for names in named if len(names) > len(above) and names[: len(above)] == above}
        )

    @cached_property
    def in_parts(self) -> list[int]:
        """Places of the objects that the contract does not read as a whole."""
        return [place for place, names in enumerate(self.objects) if self.children(names)]

    def through(self, place: int) -> Iterator[int]:
        """Of a path, the places of the objects that it leads through."""
        names = tuple(steps(self.names[place]))
        yield from (self.objects.index(names[:length]) for length in range(1, len(names)))
