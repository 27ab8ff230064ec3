"""Points in time as numbers: seconds, milliseconds or microseconds since 1970 in UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Epoch:
    """Turns a number into one of microseconds, a text of digits."""

    digits: int
    """Of the number, at most: year 9999 has so many."""
    decimals: int
    """That may follow; those of a microsecond."""

    def sql(self, text: str) -> str:
        """The microseconds as a text; NULL for a text that does not fit as a whole."""
        whole = f"REGEXP_EXTRACT({text}, r'^([+-]?[0-9]+)')"
        decimals = f"RPAD(COALESCE(REGEXP_EXTRACT({text}, r'[.]([0-9]+)$'), ''), {self.decimals}, '0')"
        micros = f"CONCAT({whole}, {decimals})" if self.decimals else whole
        return f"IF(REGEXP_CONTAINS({text}, r'^{self._regex}$'), {micros}, NULL)"

    def read(self, text: str) -> str | None:
        """The same in Python."""
        if not re.fullmatch(self._regex, text):
            return None
        whole, _, decimals = text.partition(".")
        return whole + decimals.ljust(self.decimals, "0")

    @property
    def _regex(self) -> str:
        decimals = f"(?:[.][0-9]{{1,{self.decimals}}})?" if self.decimals else ""
        return f"[+-]?[0-9]{{1,{self.digits}}}{decimals}"


EPOCHS = {"epoch_s": Epoch(12, 6), "epoch_ms": Epoch(15, 3), "epoch_us": Epoch(18, 0)}
"""By a contract's word."""
