"""Customer ids that read like a person's: a last name and the customer's number, such as `Müller-0000042`.

Faker takes microseconds a name, so a few thousand names are drawn once and combined with the number. The pool
has a seed of its own, not `--seed`: one customer keeps one id in every file, whichever file continues which.
"""

import codecs
import unicodedata
from collections.abc import Iterable
from functools import cache

from faker import Faker

from generator.errors import GeneratorError

_LOCALES = ["en_US", "de_DE", "es_ES", "fr_FR", "pl_PL"]
_POOL_SIZE = 4096
_POOL_SEED = 20250101
_SINGLE_BYTE = ("cp1252", "iso-8859-1")
PLAIN = "generator.plain"
"""What encoders do with letters that the encoding does not have: they lose their accents, or become `?`."""
_STRIDE = 2654435761  # spreads neighbouring numbers over the pool


@cache
def last_names() -> tuple[str, ...]:
    """The pool: `_POOL_SIZE` last names, some of them many times, as in life; none needs quoting in a CSV."""
    faker = Faker(_LOCALES)
    faker.seed_instance(_POOL_SEED)
    names = tuple(faker.last_name() for _ in range(_POOL_SIZE))
    return tuple(name.replace(",", "").replace('"', "") for name in names)


def customer_ids(numbers: Iterable[int]) -> list[str]:
    """The id of each customer number (0, 1, 2 …)."""
    names = last_names()
    return [f"{names[number * _STRIDE % _POOL_SIZE]}-{number:07d}" for number in numbers]


def customer_number(customer_id: str) -> int:
    """The number in an id that `customer_ids` wrote; GeneratorError for any other text."""
    digits = customer_id.rpartition("-")[2]
    if digits.isascii() and digits.isdigit():
        (written,) = customer_ids([int(digits)])
        if customer_id in (written, *(written.encode(codec, PLAIN).decode(codec) for codec in _SINGLE_BYTE)):
            return int(digits)
    raise GeneratorError(f"customer_id {customer_id!r} was not written by this generator")


def _plain(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    letters = unicodedata.normalize("NFKD", error.object[error.start : error.end])
    return "".join(filter(str.isascii, letters)) or "?", error.end


codecs.register_error(PLAIN, _plain)
