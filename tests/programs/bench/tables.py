"""What was found, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.programs.bench.figures import Figure, Found, figures_of, wrong_of

_HEADER = ("figure", "of", "target", "before", "after", "spread", "met")
_WRONG_HEADER = (
    "files",
    "of",
    "expected rows",
    "stale rows that won",
    "money changed",
    "other values",
    "lost",
    "added",
)
_UNKNOWN = "-"


def section(now: Found, before: Found | None) -> str:
    """Its figures, and how many rows were wrong."""
    earlier = {one.key: one for one in figures_of(before)}
    text = table(_HEADER, (_row(one, earlier.get(one.key)) for one in figures_of(now)))
    if wrong := wrong_of(now):
        rows = [
            (
                one.what,
                one.who,
                *(_number(n) for n in (one.rows, one.stale, one.money, one.other, one.lost, one.added)),
            )
            for one in wrong
        ]
        text += "\nWrong rows of the table, after both files:\n\n" + table(_WRONG_HEADER, rows)
    return text


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """In Markdown; columns from the third on are aligned to the right."""
    rules = ["---" if number < 2 else "---:" for number in range(len(header))]
    return "".join(f"| {' | '.join(row)} |\n" for row in (header, rules, *rows))


def _row(now: Figure, before: Figure | None) -> Sequence[str]:
    return (
        now.what,
        now.who,
        _target(now),
        _value(before) if before else _UNKNOWN,
        f"**{_value(now)}**",
        _spread(now),
        _UNKNOWN if now.is_met is None else "yes" if now.is_met else "**no**",
    )


def _target(one: Figure) -> str:
    if one.at_most is not None:
        return f"≤ {_with_unit(one.at_most, one.unit)}"
    return _UNKNOWN if one.at_least is None else f"≥ {_with_unit(one.at_least, one.unit)}"


def _value(one: Figure) -> str:
    return _with_unit(one.value, one.unit)


def _spread(one: Figure) -> str:
    if len(one.values) == 1:
        return "once"
    return f"{_number(min(one.values))} to {_number(max(one.values))}"


def _with_unit(number: float, unit: str) -> str:
    return f"{_number(number)} {unit}".rstrip()


def _number(number: float) -> str:
    """Three digits, or all of a whole number."""
    if number == int(number) or abs(number) >= 100:
        return f"{number:,.0f}"
    return f"{number:.3g}"
