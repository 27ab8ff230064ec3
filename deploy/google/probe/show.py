"""The verdicts as a table or as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deploy.google.probe import by_hand
from deploy.google.probe.run import Answered

_WIDTH = 56
_SAID = 300
_SEPARATOR = "  "


def table(answered: Sequence[Answered], here: str) -> list[str]:
    """A line for each question, with the verdict of `here` beside the local cloud's."""
    rows = [("question", here, "local cloud", "")]
    rows += [
        (one.question.name, one.answer.verdict, one.local, "" if one.is_as_expected else "NOT AS EXPECTED")
        for one in answered
    ]
    widths = [min(_WIDTH, max(len(row[column]) for row in rows)) for column in range(3)]
    return [
        _SEPARATOR.join(
            [*(_cut(cell).ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]
        ).rstrip()
        for row in rows
    ]


def _cut(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def differences(answered: Sequence[Answered]) -> list[str]:
    """All about each question whose verdict is not what was expected."""
    found = []
    for one in (one for one in answered if not one.is_as_expected):
        found += [
            f"{one.question.name}: {one.question.asks}",
            f"    asked:    {one.question.given}",
            f"    verdict:  {one.answer.verdict}",
            f"    expected: {' or '.join(one.expected)}",
            f"    why:      {one.question.why}",
        ]
        found += [f"    said:     {one.answer.said}"] if one.answer.said else []
    return found


def said(answered: Sequence[Answered]) -> list[str]:
    """Texts of errors, and figures, of those that were as expected."""
    return [
        f"  {one.question.name}: {one.answer.said[:_SAID]}"
        for one in answered
        if one.is_as_expected and one.answer.said
    ]


def as_json(answered: Sequence[Answered], project: str, region: str) -> dict[str, Any]:
    steps = [{"what": one.what, "commands": one.typed(project, region), "right": one.right} for one in by_hand.STEPS]
    return {"project": project, "region": region, "questions": [_question(one) for one in answered], "by_hand": steps}


def _question(one: Answered) -> dict[str, Any]:
    asked = one.question
    return {
        "name": asked.name,
        "asks": asked.asks,
        "given": asked.given,
        "why": asked.why,
        "finding": asked.finding,
        "verdict": one.answer.verdict,
        "said": one.answer.said,
        "local": one.local,
        "expected": list(one.expected),
        "as_expected": one.is_as_expected,
    }
