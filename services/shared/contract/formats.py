"""What a contract says about the format of its files."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field


class Csv(BaseModel):
    """RFC 4180, UTF-8, with a header."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    suffix: ClassVar[str] = ".csv"
    """Of a pinned copy's name."""
    content_type: ClassVar[str] = "text/csv"
    """Of a pinned copy."""

    type: Literal["csv"]
    delimiter: str = Field(",", pattern=r'^[^"\r\n\x00\x80-\x{10FFFF}]$')
    """One ASCII character."""


Format = Csv
"""One of the formats; `type` says which."""
SUFFIXES = (Csv.suffix,)
"""Of all formats."""
