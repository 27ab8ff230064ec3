"""Parquet, Avro and ORC: files that say their own schema, which BigQuery reads when it loads them.

The raw table has the file's names and types. What is read of it is a table of texts, as a CSV file is loaded into one:
names are matched, and rows checked, as for any format.
https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-parquet#parquet_conversions
https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-avro#avro_conversions
https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-orc#orc_conversions
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from services.ingest.formats import typed_file
from services.ingest.formats.canonical import text as canonical
from services.ingest.formats.contract import Contract
from services.ingest.formats.raw_field import RawField, fields_of
from services.ingest.formats.record import Record
from services.ingest.formats.typed_records import open_records
from services.shared.contract.formats import KINDS
from services.shared.sql import Templates, identifier

if TYPE_CHECKING:
    from google.cloud.bigquery import LoadJobConfig

_SQL = Templates(Path(__file__).parent)


@dataclass
class Typed:
    """One of the formats, by BigQuery's name for it."""

    source_format: str
    NAMES_ARE_LOADED: bool = True
    BROKEN: str | None = None

    def columns(self, head: bytes, is_whole: bool, feed: Contract) -> list[str]:
        """None: the names are those of the raw table, once it is loaded."""
        return []

    def hints(self, header: Sequence[str], known: AbstractSet[str], feed: Contract) -> Iterator[str]:
        return iter(())

    def load_config(self, columns: Sequence[str], feed: Contract, encoding: str) -> LoadJobConfig:
        """With the file's own schema. Decimals are NUMERIC where they fit, then BIGNUMERIC, then STRING
        (https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobConfigurationLoad)."""
        # Slow to import, and a command that reads a sample does not need it.
        from google.cloud import bigquery

        config = bigquery.LoadJobConfig(
            source_format=self.source_format,
            write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
            decimal_target_types=["NUMERIC", "BIGNUMERIC", "STRING"],
        )
        if self.source_format == bigquery.SourceFormat.AVRO:
            config.use_avro_logical_types = True
        if self.source_format == bigquery.SourceFormat.PARQUET:
            options = bigquery.ParquetOptions()  # type: ignore[no-untyped-call]
            options.enable_list_inference = True
            options.enum_as_string = True
            config.parquet_options = options
            config.column_name_character_map = "V2"
        return config

    def rows(self, table: str, columns: Sequence[str], feed: Contract, fields: Mapping[str, RawField]) -> str:
        """Each field as its text; and which of the contract's columns are of another type than STRING, for who writes
        such a row to a file."""
        texts = {f"_text_{name}": canonical(field.value, field.schema) for name, field in fields.items()}
        known = set(feed.names_in_file.values())
        kinds = " ".join(f"{name}:{field.kind}" for name, field in fields.items() if name in known)
        return _SQL.render("typed.sql", texts=texts, kinds=kinds, kept=KINDS, table=table)

    def kept(self, feed: Contract) -> str:
        return KINDS

    def passed(self, feed: Contract) -> str:
        return KINDS

    def rescued(self, feed: Contract) -> None:
        """The file's schema says what there is beyond the contract."""

    def marker(self, column: str, feed: Contract) -> str:
        return _text(column)

    def text(self, column: str, feed: Contract) -> str:
        """An empty text is absent."""
        return f"NULLIF({_text(column)}, '')"

    def is_absent(self, column: str, feed: Contract) -> None:
        """A file has a column in each row, or in none."""

    def refusals(self, column: str, text: str, feed: Contract) -> Iterator[tuple[str, str]]:
        return iter(())

    def row_refusals(self, feed: Contract) -> Iterator[tuple[str, str]]:
        return iter(())

    def parameters(self, feed: Contract) -> Iterator[tuple[str, str]]:
        return iter(())

    def write(
        self, file: BinaryIO, columns: Sequence[str], records: Iterable[Mapping[str, str | None]], feed: Contract
    ) -> None:
        """Each field in the type that it had; a struct, an array, and what the contract does not know, as a text."""
        typed_file.write(self.source_format, file, columns, list(records), feed.names_in_file)

    def records(self, file: BinaryIO, columns: Sequence[str], feed: Contract, encoding: str) -> Iterator[Record]:
        """A record has no line."""
        with file:
            opened = open_records(self.source_format, file)
            fields = fields_of(opened.schema, feed.names_in_file)
            for number, texts in enumerate(opened.texts(fields), 1):
                found = zip(columns, texts, strict=False)
                yield Record(number, None, {column: text for column, text in found if text is not None})


PARQUET, AVRO, ORC = Typed("PARQUET"), Typed("AVRO"), Typed("ORC")


def _text(column: str) -> str:
    return identifier(f"_text_{column}")
