"""A load is identified by its feed and its generation of an object."""

from services.shared.generation import ObjectGeneration
from services.shared.load import Load


def test_a_load_id_depends_on_each_part() -> None:
    """The id depends on nothing else, so it is the same in every process."""
    parts = [("f", "b", "o", 1), ("g", "b", "o", 1), ("f", "c", "o", 1), ("f", "b", "p", 1), ("f", "b", "o", 2)]
    loads = [Load(feed, ObjectGeneration(bucket, name, number)) for feed, bucket, name, number in parts]
    assert len({load.load_id for load in loads}) == 5
