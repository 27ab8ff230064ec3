"""Kinds of bad rows: each spoils one field, as text, in a way that the feed must refuse that row for.

A spoiled row is still a record as wide as its header: the file itself stays good.
"""

from collections.abc import Callable
from typing import NamedTuple

GOOD = -1  # in an array of kinds: a row not spoiled


class Kind(NamedTuple):
    """One way to spoil a row: `spoil` takes the good text of `column` (CSV, unquoted) and gives the bad text."""

    name: str
    column: str
    spoil: Callable[[str], str]


# A delete is checked for its key and version only, so only these make a delete a bad row.
_KEY_AND_VERSION = (
    Kind("empty customer id", "customer_id", lambda text: ""),
    Kind("quoted empty customer id", "customer_id", lambda text: '""'),
    Kind("empty account number", "account_number", lambda text: ""),
    Kind("empty version", "last_modified", lambda text: ""),
    Kind("version without offset", "last_modified", lambda text: text.removesuffix("Z")),
    Kind("version on an impossible date", "last_modified", lambda text: f"{text[:5]}02-30{text[10:]}"),
    Kind("version with a leap second", "last_modified", lambda text: f"{text[:17]}60Z"),
    Kind("version with seven decimals", "last_modified", lambda text: text.replace("Z", "1Z")),
    Kind("version that is a date only", "last_modified", lambda text: text[:10]),
)

_OTHER_COLUMNS = (
    Kind("score in words", "credit_score", lambda text: "excellent"),
    Kind("score with a decimal", "credit_score", lambda text: f"{text or 700}.5"),
    Kind("score after a space", "credit_score", lambda text: f" {text or 700}"),
    Kind("score too low", "credit_score", lambda text: "299"),
    Kind("score too high", "credit_score", lambda text: "851"),
    Kind("balance with ten decimals", "account_balance", lambda text: f"{_whole(text)}.0000000001"),
    Kind(
        "balance with thousands separators",
        "account_balance",
        lambda text: f'"1,{abs(int(_whole(text))) % 1000:03d}.50"',
    ),
    Kind("balance with an exponent", "account_balance", lambda text: f"{_whole(text)}e2"),
    Kind("balance with a currency sign", "account_balance", lambda text: f"${text or 0}"),
)

KINDS = _KEY_AND_VERSION + _OTHER_COLUMNS
KINDS_FOR_A_DELETE = len(_KEY_AND_VERSION)


def _whole(balance: str) -> str:
    return balance.partition(".")[0] or "0"
