"""The formats of files: one module each. A format ends at text: the file's fields, every one a STRING."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Protocol, TextIO

from services.ingest.formats import csv
from services.shared.contract.formats import Format

if TYPE_CHECKING:
    from pathlib import Path

    from google.cloud.bigquery import LoadJobConfig


class FormatModule(Protocol):
    """What a format's module has."""

    MAGIC: bytes
    """What its files begin with; nothing where they begin with no fixed bytes."""

    def columns(self, head: bytes, is_whole: bool, options: Format) -> list[str]:
        """Names in the file's order, from its first bytes, which may be all. Raises PermanentError."""

    def hints(self, header: Sequence[str], known: AbstractSet[str], options: Format) -> Iterator[str]:
        """What in the format may be why these names are not those that the contract knows."""

    def load_config(self, columns: Sequence[str], options: Format) -> LoadJobConfig:
        """How BigQuery loads a file with these columns, every one a STRING."""

    def text(self, column: str, options: Format) -> str:
        """SQL of a field of the raw table as text; NULL where it is absent."""

    def sample(self, path: Path, most: int | None = None) -> tuple[Format, list[str], list[list[str]]]:
        """Options, names and records, at most so many, of a file on this machine. Raises ValueError."""

    def write(
        self, file: TextIO, columns: Sequence[str], records: Iterable[Mapping[str, str | None]], options: Format
    ) -> None:
        """Write records, the inverse of loading them; what is not among the columns is left out."""


_FORMATS: dict[str, FormatModule] = {"csv": csv}


def format_of(options: Format) -> FormatModule:
    """The module for a contract's format."""
    return _FORMATS[options.type]


def sample(path: Path, most: int | None = None) -> tuple[Format, list[str], list[list[str]]]:
    """A file's format, its names and its records, at most `most` of them. Raises ValueError, naming what is wrong."""
    return csv.sample(path, most)
