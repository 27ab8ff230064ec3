"""A batch of rows as CSV text."""

import numpy as np

from generator.accounts import Ints, account_numbers
from generator.bad_rows import GOOD, KINDS
from generator.people import customer_ids
from generator.rows import NO_BALANCE, NO_SCORE, Batch

COLUMNS = ("customer_id", "account_number", "credit_score", "account_balance", "last_modified")
OPERATION = "operation"

_BILLION = 10**9
_CENT = 10**7


def header(with_operation: bool) -> str:
    """The first line, with its newline."""
    return ",".join(COLUMNS + ((OPERATION,) if with_operation else ())) + "\n"


def lines(batch: Batch, with_operation: bool) -> str:
    """One line per row, each with its newline. `operation` is D for a delete, U otherwise."""
    columns = {
        "customer_id": customer_ids(batch.customer.tolist()),
        "account_number": [f"{number:010d}" for number in account_numbers(batch.account).tolist()],
        "credit_score": ["" if score == NO_SCORE else str(score) for score in batch.score.tolist()],
        "account_balance": _balances(batch.balance),
        "last_modified": _timestamps(batch.version),
    }
    _spoil(columns, batch.bad)
    if with_operation:
        columns[OPERATION] = ["D" if deleted else "U" for deleted in batch.deleted.tolist()]
    return "\n".join(map(",".join, zip(*columns.values(), strict=True))) + "\n"


def _balances(balances: Ints) -> list[str]:
    texts = list(map("%.2f".__mod__, (balances / _BILLION).tolist()))
    for row in np.flatnonzero(balances % _CENT).tolist():
        texts[row] = _with_nine_decimals(int(balances[row]))
    for row in np.flatnonzero(balances == NO_BALANCE).tolist():
        texts[row] = ""
    return texts


def _with_nine_decimals(billionths: int) -> str:
    whole, decimals = divmod(abs(billionths), _BILLION)
    return f"{'-' if billionths < 0 else ''}{whole}.{decimals:09d}"


def _timestamps(versions: Ints) -> list[str]:
    return [f"{text}Z" for text in np.datetime_as_string(versions.astype("datetime64[us]")).tolist()]


def _spoil(columns: dict[str, list[str]], bad: Ints) -> None:
    for row in np.flatnonzero(bad != GOOD).tolist():
        kind = KINDS[bad[row]]
        columns[kind.column][row] = kind.spoil(columns[kind.column][row])
