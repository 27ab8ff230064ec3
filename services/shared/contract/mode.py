"""What a feed's files do to its main table, and what a contract can and cannot say beside it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Literal, Protocol

from services.shared.contract.fault import Fault
from services.shared.contract.version import Version
from services.shared.contract.wording import IS

Mode = Literal["upsert", "append", "snapshot"]
"""`upsert`: the newest row of each key. `append`: each row of each file once. `snapshot`: the rows of the newest
file."""


class Contract(Protocol):
    """The part of a feed that depends on its mode."""

    @property
    def mode(self) -> Mode: ...

    @property
    def key(self) -> Sequence[str]: ...

    @property
    def version(self) -> Version | None: ...

    @property
    def model_fields_set(self) -> Collection[str]:
        """Names of what the contract says."""


_WHY = {
    "append": "with mode: append each row of each file is a row of the table, and rows have no key: leave it out",
    "snapshot": "with mode: snapshot the newest file is the whole table: leave it out",
}
_NO_HISTORY = {
    "append": "with mode: append the table keeps each row of each file for ever and is its own history: leave it out",
    "snapshot": "is for mode: upsert only: it would keep every row of every snapshot. Leave it out, or use "
    "mode: upsert with version: _generation, which does not need whole files",
}
_LEFT_OUT = {
    "upsert": ("snapshot",),
    "append": ("key", "version", "delete", "twice", "snapshot"),
    "snapshot": ("delete",),
}


def faults_of_mode(feed: Contract, given: Collection[str]) -> Iterator[Fault]:
    """`given`: names of what the contract says and that is no default."""
    for name in _LEFT_OUT[feed.mode]:
        if name in given:
            what = _WHY.get(feed.mode, "is for mode: snapshot; leave it out")
            yield Fault((name,), what)
    if "history" in given and feed.mode in _NO_HISTORY:
        yield Fault(("history",), _NO_HISTORY[feed.mode])
    if feed.mode == "snapshot" and feed.version and feed.version.columns:
        yield Fault(("version",), "with mode: snapshot the newest file wins as a whole: leave it out")
    needed = {"upsert": ("key", "version"), "append": (), "snapshot": ("key",)}[feed.mode]
    for name in needed:
        if name not in given:
            is_there = name in feed.model_fields_set
            yield Fault((name,), f"is {'empty' if is_there else 'missing'}; it is {IS[name]}")
