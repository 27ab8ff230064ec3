"""A history: files, and what happens to their notifications and messages, as a value one can read and paste."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields

from tests.harness.histories.feeds import CONTRACTS, header


@dataclass(frozen=True)
class File:
    """One object generation to be dropped. A second file of the same feed and name overwrites the first."""

    feed: str
    name: str
    rows: tuple[tuple[str, ...], ...]
    """Texts in the order of `columns`; `run` is put before them."""
    columns: tuple[str, ...] = ()
    """None given: the feed's own order."""
    newline: str = "\n"
    quoted: bool = False
    """Every field, not only those that need it."""
    tail: str = ""
    """Raw text after the last row, for what breaks the format."""

    def __repr__(self) -> str:
        given = [f for f in fields(self) if f.default is MISSING or getattr(self, f.name) != f.default]
        return f"File({', '.join(f'{f.name}={getattr(self, f.name)!r}' for f in given)})"

    def data(self, run: str) -> bytes:
        delimiter = CONTRACTS[self.feed].delimiter
        records = [("run", *(self.columns or header(self.feed))), *((run, *row) for row in self.rows)]
        lines = (delimiter.join(self._field(text, delimiter) for text in record) for record in records)
        return ("".join(line + self.newline for line in lines) + self.tail).encode()

    def _field(self, text: str, delimiter: str) -> str:
        if self.quoted or any(sign in text for sign in (delimiter, '"', "\n", "\r")):
            return '"' + text.replace('"', '""') + '"'
        return text


@dataclass(frozen=True)
class Drop:
    """The file is put into the bucket; its notification is held back."""

    file: int


@dataclass(frozen=True)
class Deliver:
    """The file's notification is published, again if it was before. Drops the file first where it is not there."""

    file: int


@dataclass(frozen=True)
class WaitUntilIdle:
    """Everything published so far reaches its final state."""


@dataclass(frozen=True)
class Restage:
    """Once all is idle, and if the file's load was merged, its staged message is published again."""

    file: int


@dataclass(frozen=True)
class GiveUp:
    """Pub/Sub dead-letters the file's notification on its own, which it may do early, late or twice."""

    file: int


@dataclass(frozen=True)
class Replay:
    """Once all is idle, every dead letter of this history is replayed."""


Step = Drop | Deliver | WaitUntilIdle | Restage | GiveUp | Replay


@dataclass(frozen=True)
class History:
    """Files that no step drops or delivers are dropped and delivered at the end, in their order."""

    files: tuple[File, ...]
    steps: tuple[Step, ...] = ()

    def as_test(self) -> str:
        """A test to paste."""
        files = "".join(f"            {file!r},\n" for file in self.files)
        steps = "".join(f"            {step!r},\n" for step in self.steps)
        return (
            "def test_found(pipeline: Pipeline) -> None:\n"
            f"    history = History(\n        (\n{files}        ),\n        (\n{steps}        ),\n    )\n"
            "    run(pipeline, history)\n"
        )
