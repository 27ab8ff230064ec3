"""What a contract says about the format of its files."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

NullMarkers = list[Annotated[str, StringConstraints(min_length=1)]]
"""Texts of a field that are NULL, each as a whole and exactly; an empty field is NULL anyway."""


class Csv(BaseModel):
    """RFC 4180, UTF-8, with a header."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    suffix: ClassVar[str] = ".csv"
    """Of a pinned copy's name."""
    content_type: ClassVar[str] = "text/csv"
    """Of a pinned copy."""

    type: Literal["csv"]
    delimiter: str = Field(default=",", pattern=r'^[^"\r\n\x00\x80-\x{10FFFF}]$')
    """One ASCII character."""
    null_markers: NullMarkers = []


Format = Csv
"""One of the formats; `type` says which."""
SUFFIXES = (Csv.suffix,)
"""Of all formats."""
