"""A file's lines, each loaded as one text, for what BigQuery cannot take apart by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.shared.contract.encodings import IN_BIGQUERY
from services.shared.contract.formats import LINE

if TYPE_CHECKING:
    from google.cloud.bigquery import LoadJobConfig

CUT = "_cut"
"""Where the raw table has what comes after a separator, up to the next one; NULL of a line that has none."""
NO_FIELD = "(no field has this text: dropmerge 7c1f0e52)"
"""As null marker, so that a field is NULL only where it is not there."""
SEPARATOR = "\x0e"
"""A character that no JSON has as it is (https://www.rfc-editor.org/rfc/rfc8259#section-7), and hardly another
text."""
_OTHER = "\x0f"


def separator(delimiter: str) -> str:
    """What lines with this delimiter are loaded by: a load job has to have one."""
    return _OTHER if delimiter == SEPARATOR else SEPARATOR


def as_loaded(line: str, separator: str = SEPARATOR) -> str:
    """A line of a file as far as a load job keeps it: up to the second separator."""
    return separator.join(line.split(separator)[:2])


def load_config(encoding: str, skip: int = 0, separator: str = SEPARATOR) -> LoadJobConfig:
    """As CSV of one field, without quotes and without a header. The delimiter may be any one byte, and control
    characters stay (https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobConfigurationLoad).

    A line that has the delimiter is no end of the file: the row is refused that has text in the second field.
    """
    # Slow to import, and a command that reads a sample does not need it.
    from google.cloud import bigquery

    return bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.CSV,
        schema=[bigquery.SchemaField(LINE, "STRING"), bigquery.SchemaField(CUT, "STRING")],
        skip_leading_rows=skip,
        field_delimiter=separator,
        quote_character="",
        allow_quoted_newlines=False,
        allow_jagged_rows=True,
        ignore_unknown_values=True,
        preserve_ascii_control_characters=True,
        null_marker=NO_FIELD,
        encoding=IN_BIGQUERY[encoding],
        write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
    )
