"""The formats of files: one module each. A format ends at text: the file's fields, every one a STRING."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, BinaryIO, Protocol

from services.ingest.formats import csv, ndjson, typed
from services.ingest.formats.contract import Contract
from services.ingest.formats.raw_field import RawField
from services.ingest.formats.record import Record

if TYPE_CHECKING:
    from google.cloud.bigquery import LoadJobConfig


class FormatModule(Protocol):
    """What a format's module has; the feed is one whose contract names the format."""

    BROKEN: str | None
    """The column of `rows` that has a reason of `ROW_REASONS` where a row cannot be read: there is nothing else to say
    of it."""

    NAMES_ARE_LOADED: bool
    """Whether the names are those of the raw table, once it is loaded, and not read from the file's first bytes."""

    def columns(self, head: bytes, is_whole: bool, feed: Contract) -> list[str]:
        """Names in the file's order, from its first bytes, which may be all. Raises PermanentError."""

    def hints(self, header: Sequence[str], known: AbstractSet[str], feed: Contract) -> Iterator[str]:
        """What in the format may be why these names are not those that the contract knows."""

    def load_config(self, columns: Sequence[str], feed: Contract, encoding: str) -> LoadJobConfig:
        """How BigQuery loads a file with these columns; whatever the raw table has is a STRING."""

    def rows(self, table: str, columns: Sequence[str], feed: Contract, fields: Mapping[str, RawField]) -> str:
        """SQL of what to read the file's rows FROM, given the raw table, the file's columns, and its fields by column
        where they have types."""

    def kept(self, feed: Contract) -> str:
        """The column of `rows` that a refused row keeps beside its fields, where it is not NULL."""

    def passed(self, feed: Contract) -> str:
        """SQL: the columns of `rows` that are needed beside the texts of fields."""

    def rescued(self, feed: Contract) -> str | None:
        """SQL, over `rows`, of a JSON object of what a row has beyond the contract, NULL where it has nothing there;
        None where the columns of the file say that, or the feed does not keep it."""

    def marker(self, column: str, feed: Contract) -> str:
        """SQL, over `rows`, of a column's field as text, an empty one too."""

    def text(self, column: str, feed: Contract) -> str:
        """SQL, over `rows`, of a column's field as text; NULL where it is absent or empty."""

    def is_absent(self, column: str, feed: Contract) -> str | None:
        """SQL, over `rows`: whether a row lacks the column; None where rows do not differ in that."""

    def refusals(self, column: str, text: str, feed: Contract) -> Iterator[tuple[str, str]]:
        """Why a field is refused whatever its type: reasons of `ROW_REASONS`, and SQL conditions over `rows` and the
        text that was read."""

    def row_refusals(self, feed: Contract) -> Iterator[tuple[str, str]]:
        """The same of a row as a whole."""

    def parameters(self, feed: Contract) -> Iterator[tuple[str, str]]:
        """Names and texts of the parameters in this module's SQL."""

    def write(
        self, file: BinaryIO, columns: Sequence[str], records: Iterable[Mapping[str, str | None]], feed: Contract
    ) -> None:
        """Write records, the inverse of loading them; what is not among the columns is left out. Closes the file."""

    def records(self, file: BinaryIO, columns: Sequence[str], feed: Contract, encoding: str) -> Iterator[Record]:
        """A file's records in their order, one at a time; the file is unpacked, `columns` and `encoding` are as
        `load_config` has them. Raises ValueError where the records cannot be told apart."""


_FORMATS: dict[str, FormatModule] = {
    "csv": csv,
    "ndjson": ndjson,
    "parquet": typed.PARQUET,
    "avro": typed.AVRO,
    "orc": typed.ORC,
}


def format_of(feed: Contract) -> FormatModule:
    """The module for the format of a contract."""
    return _FORMATS[feed.format.type]
