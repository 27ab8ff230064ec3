"""The formats of files: one module each. A format ends at text: the file's fields, every one a STRING."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Protocol, TextIO

from services.ingest.formats import csv
from services.ingest.formats.compression import GZIP
from services.ingest.formats.plain_text import mark_of
from services.shared.contract.encodings import UTF_16BE, UTF_16LE
from services.shared.contract.formats import Format

if TYPE_CHECKING:
    from pathlib import Path

    from google.cloud.bigquery import LoadJobConfig


class FormatModule(Protocol):
    """What a format's module has."""

    def columns(self, head: bytes, is_whole: bool, options: Format) -> list[str]:
        """Names in the file's order, from its first bytes, which may be all. Raises PermanentError."""

    def hints(self, header: Sequence[str], known: AbstractSet[str], options: Format) -> Iterator[str]:
        """What in the format may be why these names are not those that the contract knows."""

    def load_config(self, columns: Sequence[str], options: Format, encoding: str) -> LoadJobConfig:
        """How BigQuery loads a file with these columns, every one a STRING."""

    def marker(self, column: str, options: Format) -> str:
        """SQL of a field of the raw table as text, an empty one too."""

    def text(self, column: str, options: Format) -> str:
        """SQL of a field of the raw table as text; NULL where it is absent."""

    def refusals(self, text: str, options: Format) -> Iterator[tuple[str, str]]:
        """Why a text that was read is refused whatever its column: reasons of `ROW_REASONS`, and SQL conditions."""

    def parameters(self, options: Format) -> Iterator[tuple[str, str]]:
        """Names and texts of the parameters in this module's SQL."""

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
    with path.open("rb") as file:
        head = file.read(len(GZIP) + 1)
    if head.startswith(GZIP):
        raise ValueError(f"{path} is gzip, which a feed reads as it is: unpack the sample")
    if mark_of(head) in (UTF_16LE, UTF_16BE):
        raise ValueError(
            f"{path} is UTF-16, which a feed reads if its format says encoding: utf-16: save the sample as UTF-8"
        )
    return csv.sample(path, most)
