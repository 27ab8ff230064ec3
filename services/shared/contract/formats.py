"""What a contract says about the format of its files."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.shared.contract.encodings import Encoding

NullMarkers = list[Annotated[str, StringConstraints(min_length=1)]]
"""Texts of a field that are NULL, each as a whole and exactly; an empty field is NULL anyway."""


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


Format = Csv
"""One of the formats; `type` says which."""
GZIP_SUFFIX = ".gz"
"""After a format's own: of a pinned copy that is packed."""
SUFFIXES = (Csv.suffix, Csv.suffix + GZIP_SUFFIX)
"""Of all formats."""
