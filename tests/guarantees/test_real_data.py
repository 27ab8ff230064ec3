"""A file from elsewhere, the airports of the `airportsdata` package, arrives equal to its source."""

import csv
from decimal import Decimal
from pathlib import Path

import airportsdata

from tests.harness.pipeline import Pipeline

_FILE = Path(airportsdata.__file__).parent / "airports.csv"
_NUMBERS = {"elevation", "lat", "lon"}


def test_a_real_file_arrives_equal_to_its_source(pipeline: Pipeline) -> None:
    """Every row and column of 28,000 airports is equal, accents and quotes included."""
    uri = pipeline.drop("airports.csv", _FILE.read_bytes(), feed="airports")
    pipeline.wait_until_idle()
    found = pipeline.explain(uri)
    assert found["state"] == "merged", found
    with _FILE.open(encoding="utf-8", newline="") as file:
        source = {
            tuple((Decimal(text) if name in _NUMBERS else text) if text else None for name, text in record.items())
            for record in csv.DictReader(file)
        }
    rows = [tuple(row.values()) for row in pipeline.connection.rows("SELECT * FROM `main.airports_current`")]
    assert len(rows) == len(source) > 28_000
    assert set(rows) == source
