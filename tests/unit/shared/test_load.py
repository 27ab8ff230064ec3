"""A load is identified by its feed and its generation of an object."""

from services.shared.generation import ObjectGeneration
from services.shared.load import Load, staged_load


def test_a_load_id_depends_on_each_part() -> None:
    """The id depends on nothing else, so it is the same in every process."""
    parts = [("f", "b", "o", 1), ("g", "b", "o", 1), ("f", "c", "o", 1), ("f", "b", "p", 1), ("f", "b", "o", 2)]
    loads = [Load(feed, ObjectGeneration(bucket, name, number)) for feed, bucket, name, number in parts]
    assert len({load.load_id for load in loads}) == 5


def test_a_staging_table_says_its_load_and_contract() -> None:
    load = Load("orders", ObjectGeneration("landing", "orders/a.csv", 1))
    assert staged_load("orders", load.staging_table("5f1c")) == (load.load_id, "5f1c")
    assert staged_load("orders", load.staging_table("")) == (load.load_id, "")
    assert staged_load("order", load.staging_table("5f1c")) is None
    assert staged_load("orders", load.raw_table("5f1c")) is None
