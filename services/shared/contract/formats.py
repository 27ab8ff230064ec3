"""What a contract says about the format of its files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StringConstraints

from services.shared.contract.encodings import Encoding

Nulls = Annotated[list[str], AfterValidator(lambda texts: [text for text in texts if text])]
"""Texts of a field that are NULL, each as a whole and exactly; an empty field is NULL anyway."""
Decimal = Literal[".", ","]
Group = Literal[",", ".", "'", " "]
_Quote = Literal['"', "none"]


def _no_quote(value: object) -> object:
    return "none" if value in ("", None) else value


Quote = Annotated[_Quote, BeforeValidator(_no_quote, json_schema_input_type=Literal[_Quote, ""] | None)]


def _utf_8(name: object) -> object:
    if isinstance(name, str) and name.lower() != "utf-8":
        raise ValueError(f"NDJSON is UTF-8, as JSON is; {name!r} is not")
    return name.lower() if isinstance(name, str) else name


class Texts(BaseModel):
    """How the texts of a file's fields are read, unless a column says otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    nulls: Nulls = []
    decimal: Decimal | None = None
    group: Group | None = None
    trim: bool = Field(default=False, strict=True)
    """Whether blanks around a text are left out, and around the names of a header."""


class Csv(Texts):
    """RFC 4180, or what differs from it as the options say."""

    suffix: ClassVar[str] = ".csv"
    """Of a pinned copy's name."""
    content_type: ClassVar[str] = "text/csv"
    """Of a pinned copy."""

    type: Literal["csv"]
    delimiter: Annotated[str, StringConstraints(pattern=r'^[^"\r\n\x00\x80-\x{10FFFF}]$')] = ","
    """One ASCII character."""
    encoding: Encoding = "utf-8"
    header: StrictBool = True
    """Whether the first line has the names of the columns."""
    skip: Annotated[int, Field(strict=True, ge=0, le=1_000)] = 0
    """Lines before the header, or the data, that are no records."""
    blank_lines: Literal["skip", "skip_empty", "reject"] = "skip"
    """What becomes of a line with nothing on it, and, if skip_empty, of a record whose fields are all empty."""
    short_lines: Literal["reject", "fill"] = "reject"
    """What becomes of a record that lacks fields at its end; filled, they are NULL."""
    trailing_delimiter: StrictBool = False
    """Whether each record, the header too, ends with a delimiter."""
    quote: Quote = '"'
    """Without quoting, a quote is a character like others and a record is a line."""
    escape: Literal["\\"] | None = None
    """With it, a backslash before a quote, a delimiter or a backslash stands for that, and a record is a line."""
    quoted_newlines: StrictBool = True
    """Whether a quoted field may have line ends; without them BigQuery reads a large file in parts, all at once."""
    final_newline: StrictBool = False
    """Whether the last line must end, so that a file that was cut off is refused."""

    @property
    def is_of_lines(self) -> bool:
        """Whether a line is loaded as one text, and its fields are taken in SQL."""
        return self.escape is not None

    @property
    def spans_lines(self) -> bool:
        """Whether a record may go on past a line's end."""
        return self.quote == '"' and self.quoted_newlines and not self.is_of_lines


class Ndjson(Texts):
    """Each line a JSON object (https://jsonlines.org)."""

    suffix: ClassVar[str] = ".ndjson"
    content_type: ClassVar[str] = "application/x-ndjson"

    type: Literal["ndjson"]
    encoding: Annotated[Literal["utf-8"], BeforeValidator(_utf_8)] = "utf-8"


class _Typed(Texts):
    """A format whose files say their own names and types."""

    encoding: ClassVar[str] = "utf-8"
    """Of its texts."""


class Parquet(_Typed):
    """https://parquet.apache.org"""

    suffix: ClassVar[str] = ".parquet"
    content_type: ClassVar[str] = "application/vnd.apache.parquet"

    type: Literal["parquet"]


class Avro(_Typed):
    """An object container file (https://avro.apache.org/docs/current/specification/#object-container-files)."""

    suffix: ClassVar[str] = ".avro"
    content_type: ClassVar[str] = "application/vnd.apache.avro"

    type: Literal["avro"]


class Orc(_Typed):
    """https://orc.apache.org/specification/ORCv1"""

    suffix: ClassVar[str] = ".orc"
    content_type: ClassVar[str] = "application/vnd.apache.orc"

    type: Literal["orc"]


FORMATS: Mapping[str, type[Csv | Ndjson | Parquet | Avro | Orc]] = {
    "csv": Csv,
    "ndjson": Ndjson,
    "parquet": Parquet,
    "avro": Avro,
    "orc": Orc,
}
"""By the name that a contract has for them."""
Format = Csv | Ndjson | Parquet | Avro | Orc
"""One of the formats; `type` says which."""
GZIP_SUFFIX = ".gz"
"""After a format's own: of a pinned copy that is packed."""
SUFFIXES = tuple(one.suffix + packed for one in FORMATS.values() for packed in ("", GZIP_SUFFIX))
"""Of all pinned copies."""
RESCUED_NAME = "_rescued"
"""Where the table of a feed that keeps what its contract does not know has that."""
LINE = "_line"
"""Where a refused row of lines keeps the line as it was."""
FIELDS = "_fields"
"""Where a refused record of too few or too many fields keeps them, as a JSON array in the file's order."""
MAX_COLUMNS = 9_998
"""Of a CSV file: a BigQuery table has at most 10,000 (https://cloud.google.com/bigquery/quotas#standard_tables), and
two are for what records have past the header's columns."""
KINDS = "_kinds"
"""Where a refused row of a file with types keeps those of its fields."""
