"""A load is identified by its feed and its generation of an object."""

from services.shared.load import Load


def test_a_load_id_depends_on_each_part() -> None:
    """And on nothing else: it is the same in every process."""
    base = Load("f", "b", "o", 1)
    others = [Load("g", "b", "o", 1), Load("f", "c", "o", 1), Load("f", "b", "p", 1), Load("f", "b", "o", 2)]
    assert len({one.load_id for one in [base, *others]}) == 5
