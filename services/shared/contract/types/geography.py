"""GEOGRAPHY."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from services.shared.contract.fault import Place
from services.shared.contract.types import json_text
from services.shared.contract.types.base import Whole
from services.shared.contract.types.encoded import of_one

WKT = "wkt"
_READERS = {WKT: "ST_GEOGFROMTEXT", "geojson": "ST_GEOGFROMGEOJSON"}
_KINDS = ("POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION")
_ANY_CASE = "|".join("".join(f"[{one}{one.lower()}]" for one in kind) for kind in _KINDS)
_PATTERNS = {WKT: f"({_ANY_CASE}) ?([(][-+0-9A-Za-z., ()]*[)]|[Ee][Mm][Pp][Tt][Yy])", "geojson": r"(?s:[{].*[}])"}


@dataclass(frozen=True)
class Geography(Whole):
    """Only BigQuery says whether a polygon is one, so Python takes each text that has the form of one."""

    name = "GEOGRAPHY"
    texts = "WKT such as `POINT(13.4 52.5)`; with `format: geojson`, a GeoJSON geometry"
    malformed = "not_a_geography"
    can_be_key = False
    takes: ClassVar[tuple[str, ...]] = ("format",)

    format: tuple[str, ...] = (WKT,)

    def with_options(self, options: Mapping[str, Any]) -> Self:
        return replace(self, format=tuple(options["format"])) if "format" in options else self

    def option_faults(self) -> Iterator[tuple[Place, str]]:
        return of_one(self.format, _READERS)

    @property
    def pattern(self) -> str:  # type: ignore[override]  # of the format that its texts have
        return _PATTERNS[self.format[0]]

    def is_guessed_from(self, text: str) -> bool:
        """Never: Python cannot tell."""
        return False

    def parse(self, text: str) -> str:
        matched = self.matched(text)
        if self.format != (WKT,):
            json_text.read(matched)
        return matched

    def cast(self, text: str) -> str:
        """https://cloud.google.com/bigquery/docs/reference/standard-sql/geography_functions#st_geogfromtext"""
        return f"IF({self.matches(text)}, SAFE.{_READERS[self.format[0]]}({text}), NULL)"

    def comparable(self, column: str) -> str:
        """By its text: GEOGRAPHY has no order
        (https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#orderable_data_types)."""
        return f"ST_ASTEXT({column})"
