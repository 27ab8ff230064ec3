"""What a contract says about the format of its files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from services.shared.contract.encodings import Encoding

NullMarkers = list[Annotated[str, StringConstraints(min_length=1)]]
"""Texts of a field that are NULL, each as a whole and exactly; an empty field is NULL anyway."""


def _utf_8(name: object) -> object:
    if isinstance(name, str) and name.lower() != "utf-8":
        raise ValueError(f"NDJSON is UTF-8, as JSON is; {name!r} is not")
    return name.lower() if isinstance(name, str) else name


class Csv(BaseModel):
    """RFC 4180, with a header."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    suffix: ClassVar[str] = ".csv"
    """Of a pinned copy's name."""
    content_type: ClassVar[str] = "text/csv"
    """Of a pinned copy."""

    type: Literal["csv"]
    delimiter: str = Field(default=",", pattern=r'^[^"\r\n\x00\x80-\x{10FFFF}]$')
    """One ASCII character."""
    encoding: Encoding = "utf-8"
    null_markers: NullMarkers = []


class Ndjson(BaseModel):
    """Each line a JSON object (https://jsonlines.org)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    suffix: ClassVar[str] = ".ndjson"
    content_type: ClassVar[str] = "application/x-ndjson"

    type: Literal["ndjson"]
    encoding: Annotated[Literal["utf-8"], BeforeValidator(_utf_8)] = "utf-8"
    null_markers: NullMarkers = []


class _Typed(BaseModel):
    """A format whose files say their own names and types."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    encoding: ClassVar[str] = "utf-8"
    """Of its texts."""

    null_markers: NullMarkers = []


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
LINE = "_line"
"""Where a refused row of lines keeps the line as it was."""
KINDS = "_kinds"
"""Where a refused row of a file with types keeps those of its fields."""
