"""G1, G7: Python and the warehouse read the text of a value alike, and a text that is refused has a reason."""

from __future__ import annotations

import random
from typing import Any

import pytest
from google.cloud import bigquery

from services.shared.contract.types import TYPES, ColumnType
from tests.corpus.values import values
from tests.harness.pipeline import Pipeline

pytestmark = pytest.mark.slow

_EDITS: list[str] = ["", *"0123456789+-.:eETZ tD٣\n"]


def _texts(pipeline: Pipeline, kind: ColumnType) -> list[str]:
    """The corpus' own for columns of this type, and others that are an edit away from them."""
    columns = {column.name for column in pipeline.connection.feed("values").columns if column.type == kind.name}
    known = [value.text for value in values() if value.column in columns and 0 < len(value.text) < 5000]
    chance = random.Random(kind.name)
    return sorted({*known, *(_edited(chance.choice(known), chance) for _ in range(1000))} - {""})


def _edited(text: str, chance: random.Random) -> str:
    """With a character more, less or exchanged."""
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(_EDITS) + text[at + chance.randrange(2) :]


def _judged(pipeline: Pipeline, kind: ColumnType, texts: list[str]) -> dict[str, tuple[Any, int]]:
    """Of each text its value, and how many faults are found in it."""
    faults = " + ".join(["0", *(f"IF({fault.condition}, 1, 0)" for fault in kind.faults("_text", "_value"))])
    sql = f"""
        WITH _texts AS (SELECT _text FROM UNNEST(@texts) AS _text),
        _typed AS (SELECT _text, {kind.cast("_text")} AS _value FROM _texts)
        SELECT _text, _value, {faults} AS _faults FROM _typed"""
    config = bigquery.QueryJobConfig(query_parameters=[bigquery.ArrayQueryParameter("texts", "STRING", texts)])
    rows = pipeline.connection.warehouse.client.query(sql, config).result()
    return {row["_text"]: (row["_value"], row["_faults"]) for row in rows}


# The others have a corpus of their own, test_arrays.py.
_OF_VALUES = ("BOOL", "DATE", "FLOAT64", "INT64", "NUMERIC", "STRING", "TIMESTAMP")


@pytest.mark.parametrize("kind", [TYPES[name] for name in _OF_VALUES], ids=_OF_VALUES)
def test_g1_g7_python_and_the_warehouse_read_a_text_alike(pipeline: Pipeline, kind: ColumnType) -> None:
    """The same texts, the same values, zeros of the same sign. Each refused text has one fault, no other has any."""
    texts = _texts(pipeline, kind)
    found = _judged(pipeline, kind, texts)
    assert set(found) == set(texts)
    for text, (value, faults) in found.items():
        wanted = kind.parse(text) if kind.accepts(text) else None
        # -0.0 == 0.0, but they are written differently.
        same = repr(value) == repr(wanted) if isinstance(value, float) else value == wanted
        assert same, (text, value, wanted)
        assert faults == (value is None), text
