"""What exists already: per account its customer and its newest version, 12 bytes an account.

Accounts and customers are numbered 0, 1, 2 … as they appear. The account number people see is that serial number
scrambled by a fixed bijection on ten digits, so it is unique for ever and needs no memory of its own.
"""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

_NUMBERS = 10**10  # ten digits
_FACTOR = 412_345_679  # odd and no multiple of 5: multiplying by it is a bijection modulo ten digits
_OFFSET = 3_141_592_653
_INVERSE = pow(_FACTOR, -1, _NUMBERS)
_HALF = 10**5  # five digits at a time keeps every product below 2**63

LARGEST_SERIAL = 2**31 - 1


def account_numbers(serials: Ints) -> Ints:
    """The ten-digit number of each serial (at most LARGEST_SERIAL)."""
    return (serials * _FACTOR + _OFFSET) % _NUMBERS


def account_serials(numbers: Ints) -> Ints:
    """The serial of each ten-digit number: the inverse of `account_numbers`."""
    shifted = (numbers - _OFFSET) % _NUMBERS
    high, low = shifted // _HALF, shifted % _HALF
    return (high * _INVERSE % _NUMBERS * _HALF + low * _INVERSE) % _NUMBERS


class Accounts:
    """Every account so far, addressed by its serial number."""

    def __init__(self) -> None:
        self.count = 0
        self.customers = 0
        self._customer = np.empty(0, np.int32)
        self._version = np.empty(0, np.int64)

    def customer_of(self, serials: Ints) -> Ints:
        """The customer number of each account."""
        return self._customer[serials].astype(np.int64)

    def version_of(self, serials: Ints) -> Ints:
        """The newest version of each account, in microseconds since 1970."""
        return self._version[serials]

    def newest_version(self) -> int | None:
        """The newest version of all, None when there are no accounts."""
        return int(np.max(self._version[: self.count])) if self.count else None

    def add(self, customers: Ints, versions: Ints) -> None:
        """Accounts with the next serial numbers, one for each customer number given."""
        first = self.count
        self._make_room(first + len(customers))
        self.count += len(customers)
        self._customer[first : self.count] = customers
        self._version[first : self.count] = versions
        self.customers = max(self.customers, int(np.max(customers, initial=-1)) + 1)

    def assign(self, serials: Ints, customers: Ints) -> None:
        """Say whose accounts these are."""
        self._customer[serials] = customers
        self.customers = max(self.customers, int(np.max(customers, initial=-1)) + 1)

    def saw(self, serials: Ints, versions: Ints) -> None:
        """Note versions of existing accounts; older ones than the newest change nothing."""
        np.maximum.at(self._version, serials, versions)

    def _make_room(self, size: int) -> None:
        if size > len(self._customer):
            room = max(size, len(self._customer) * 3 // 2)
            self._customer = np.concatenate([self._customer, np.empty(room - len(self._customer), np.int32)])
            self._version = np.concatenate([self._version, np.empty(room - len(self._version), np.int64)])
