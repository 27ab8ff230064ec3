"""BYTES."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from services.shared.contract.fault import Place
from services.shared.contract.meant import meant
from services.shared.contract.types.base import Whole

BASE64 = "base64"
_PATTERNS = {
    # With the bits that no byte has left at zero: else two texts would be one value.
    BASE64: "([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?",
    "hex": "([0-9A-Fa-f]{2})*",
}
_DECODERS = {BASE64: "FROM_BASE64", "hex": "FROM_HEX"}


@dataclass(frozen=True)
class Bytes(Whole):
    name = "BYTES"
    texts = "base64 of RFC 4648, with its final `=` and without line breaks; with `format: hex`, hexadecimal digits"
    malformed = "not_bytes"
    can_cluster = False
    takes: ClassVar[tuple[str, ...]] = ("format",)

    format: tuple[str, ...] = (BASE64,)

    def with_options(self, options: Mapping[str, Any]) -> Self:
        return replace(self, format=tuple(options["format"])) if "format" in options else self

    def option_faults(self) -> Iterator[tuple[Place, str]]:
        return of_one(self.format, _PATTERNS)

    @property
    def pattern(self) -> str:  # type: ignore[override]  # of the format that its texts have
        return _PATTERNS[self.format[0]]

    def is_guessed_from(self, text: str) -> bool:
        """Never: every word of four letters is base64."""
        return False

    def parse(self, text: str) -> bytes:
        matched = self.matched(text)
        return base64.b64decode(matched) if self.format == (BASE64,) else bytes.fromhex(matched)

    def cast(self, text: str) -> str:
        # FROM_BASE64 takes line breaks, and a text without its end
        # (https://cloud.google.com/bigquery/docs/reference/standard-sql/string_functions#from_base64).
        return f"IF({self.matches(text)}, SAFE.{_DECODERS[self.format[0]]}({text}), NULL)"

    def literal(self, value: Any) -> str | None:
        """No table is clustered by BYTES, so none of its blocks would be left out."""
        return None


def of_one(given: tuple[str, ...], known: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    """What is wrong with the format of a type whose texts have one of these, never several."""
    names = ", ".join(known)
    for number, text in enumerate(given):
        if text not in known:
            yield ("format", number), f"{text!r} is none of {names}{meant(text, known)}"
        elif number:
            yield ("format", number), f"is one too many: a column's texts have one of {names}"
