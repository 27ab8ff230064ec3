"""The bench of the warehouse's memory judges growth by a straight line."""

import pytest

from tests.programs.bench_memory import growth


@pytest.mark.parametrize(
    ("values", "rise"),
    [
        pytest.param([300.0] * 20, 0, id="flat"),
        pytest.param([300.0 + n for n in range(20)], 19, id="steady"),
        pytest.param([300.0, 320.0] * 10, 10, id="up and down is little, wherever it begins and ends"),
        pytest.param([400.0 - n for n in range(20)], -19, id="falling"),
    ],
)
def test_growth_is_what_the_line_rises_by(values: list[float], rise: float) -> None:
    assert growth(values) == pytest.approx(rise, abs=8)


def test_one_jump_counts() -> None:
    """The first and the last value alone would show it as well, and their mean would not."""
    assert growth([300.0] * 10 + [400.0] * 10) > 100
