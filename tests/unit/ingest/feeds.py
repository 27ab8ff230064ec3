"""The contracts of these tests."""

from __future__ import annotations

from services.shared.contract.feed import Feed


def csv_feed(encoding: str = "utf-8") -> Feed:
    """Of one column, the key."""
    return Feed.model_validate(
        {
            "feed": "things",
            "objects": "incoming/things/*",
            "format": {"type": "csv", "encoding": encoding},
            "table": "main.things",
            "key": ["id"],
            "version": "_generation",
            "columns": [{"name": "id", "type": "STRING"}],
        }
    )
