"""What holds for every type. That Python and SQL read texts alike is for `tests/corpus/test_types.py`."""

import pytest

from deploy.topology import ROOT
from services.shared.contract.types import TYPES, ColumnType, table, type_named
from services.shared.reasons import ROW_REASONS


def test_the_documentations_table_is_made_from_the_registry() -> None:
    """`python -c "from services.shared.contract.types import table; print(*table(), sep=chr(10))"` prints it anew."""
    assert "\n".join(table()) in (ROOT / "docs" / "contracts.md").read_text(encoding="utf-8")


def test_a_name_that_is_no_type_is_refused_with_those_that_are() -> None:
    words = r"'INTEGR' is not a type \(did you mean INT64\?\); the types are BIGNUMERIC, BOOL, BYTES, DATE"
    with pytest.raises(ValueError, match=words):
        type_named("INTEGR")


def test_a_type_has_bigquerys_other_names_too() -> None:
    """Each of one type only; those that `bq show --schema` prints are among them."""
    names = [name for one in TYPES.values() for name in (one.name, *one.aliases)]
    assert len(set(names)) == len(names)
    printed = ("INTEGER", "FLOAT", "BOOLEAN", *TYPES)
    meant = ["INT64", "FLOAT64", "BOOL", *TYPES]
    assert [type_named(name).name for name in printed] == meant
    assert type_named("DECIMAL") is TYPES["NUMERIC"]
    assert type_named("BIGINT") is TYPES["INT64"]


@pytest.mark.parametrize("kind", TYPES.values(), ids=TYPES)
def test_every_reason_of_a_type_is_listed(kind: ColumnType) -> None:
    """With its sentence, for people."""
    assert {fault.reason for fault in kind.faults("t", "v")} <= set(ROW_REASONS)


def test_a_date_in_the_future_is_one_in_utc() -> None:
    """By name: a project's default time zone, which may change, must not decide a row's fate."""
    assert TYPES["DATE"].at("@created") == "DATE(@created, 'UTC')"


def test_an_integer_of_any_length_is_read_or_refused() -> None:
    """Python itself reads no more than 4,300 digits."""
    kind = TYPES["INT64"]
    assert not kind.accepts("9" * 5000)
    assert kind.parse("-" + "0" * 5000 + "7") == -7
