"""A file for a CSV feed that is JSON is called JSON."""

from __future__ import annotations

import pytest

from services.ingest.formats import csv
from services.shared.errors import PermanentError
from tests.unit.ingest.feeds import csv_feed


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"id": "a", "v": 1}\n{"id": "b", "v": 2}\n', "newline-delimited JSON"),
        ('\ufeff{"id": "a", "v": [1, {}]}\r\n', "newline-delimited JSON"),
        ("{}", "newline-delimited JSON"),
        ('[{"id": "a"}]', "a JSON document"),
        ('[\n  {"id": "a"}\n]\n', "a JSON document"),
        ('{\n  "rows": []\n}\n', "a JSON document"),
    ],
)
def test_g7_json_is_called_json(text: str, kind: str) -> None:
    """It was a header that cannot be read, or has unknown names."""
    with pytest.raises(PermanentError) as caught:
        csv.columns(text.encode(), True, csv_feed())
    assert (caught.value.reason, kind in caught.value.detail) == ("wrong_format", True)


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("{a},[b]", ["{a}", "[b]"]),
        ("[id],v", ["[id]", "v"]),
        ('"[1]",v', ["[1]", "v"]),
        ("{,}", ["{", "}"]),
        ("[" * 9999 + ",v", ["[" * 9999, "v"]),
        ("1,2", ["1", "2"]),
    ],
)
def test_a_header_with_brackets_is_a_header(line: str, names: list[str]) -> None:
    assert csv.columns(f"{line}\n".encode(), True, csv_feed()) == names
