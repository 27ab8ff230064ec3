"""A file's lines, each loaded as one text, for what BigQuery cannot take apart by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.shared.contract.encodings import IN_BIGQUERY
from services.shared.contract.formats import LINE

if TYPE_CHECKING:
    from google.cloud.bigquery import LoadJobConfig

_NEVER = "\x01"
"""A character that no JSON has as it is (https://www.rfc-editor.org/rfc/rfc8259#section-7), and no other text here."""


def load_config(encoding: str, skip: int = 0) -> LoadJobConfig:
    """As CSV of one column, without quotes and without a header. The delimiter may be any one byte, and control
    characters stay (https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobConfigurationLoad)."""
    # Slow to import, and a command that reads a sample does not need it.
    from google.cloud import bigquery

    return bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.CSV,
        schema=[bigquery.SchemaField(LINE, "STRING")],
        skip_leading_rows=skip,
        field_delimiter=_NEVER,
        quote_character="",
        allow_quoted_newlines=False,
        allow_jagged_rows=False,
        preserve_ascii_control_characters=True,
        encoding=IN_BIGQUERY[encoding],
        write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
    )
