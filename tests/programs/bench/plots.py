"""The plots of a report, as SVG: `python -m tests.programs.bench.plots REPORT FOLDER`, where matplotlib is.

The same report gives the same bytes.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot
from matplotlib.figure import Figure

mpl.use("svg")
mpl.rcParams.update(
    {
        "svg.hashsalt": "dropmerge",
        "font.size": 11,
        # White behind all of it, so that it is read on a dark page too.
        "figure.facecolor": "white",
        "savefig.facecolor": "white",
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
)
_MIB = 2**20
_OURS, _OTHERS, _WRONG = "#1a73e8", "#9aa0a6", "#d93025"

Found = Mapping[str, Any]


def large(found: Found) -> Figure:
    """Seconds per contestant, both files of the first size, with the rows that are wrong."""
    size = found["wrong"][0]["what"]
    wrong = {one["who"]: one for one in found["wrong"] if one["what"] == size}
    parts = list(dict.fromkeys(one["what"] for one in found["figures"] if one["unit"] == "s"))[:2]
    seconds = {
        who: [_median(found, part, who) for part in parts] for who in sorted(wrong, key=lambda one: one != "dropmerge")
    }
    figure, axes = pyplot.subplots(figsize=(9, 0.7 * len(seconds) + 1.6), layout="constrained")
    for place, (who, values) in enumerate(reversed(seconds.items())):
        colour = _OURS if who == "dropmerge" else _OTHERS
        axes.barh(place, values[0], color=colour)
        axes.barh(place, values[1], left=values[0], color=colour, alpha=0.55)
        count = sum(wrong[who][kind] for kind in ("stale", "money", "other", "lost", "added"))
        text = f" {sum(values):.1f} s, " + (f"{count:,} wrong rows" if count else "no wrong row")
        axes.text(sum(values), place, text, va="center", color=_WRONG if count else "black")
    axes.set_yticks(range(len(seconds)), list(reversed(seconds)))
    axes.set_xlim(0, 1.35 * max(map(sum, seconds.values())))
    axes.set_xlabel(f"seconds from the drop to the table: {size} (lighter)")
    return figure


def latency(found: Found) -> Figure:
    """How many files are merged after how many seconds."""
    figure, axes = pyplot.subplots(figsize=(9, 4), layout="constrained")
    for one in found["figures"]:
        if one["quantile"] == 0.5:
            ordered = sorted(one["values"])
            shares = [100 * (number + 1) / len(ordered) for number in range(len(ordered))]
            where = one["what"].partition("into ")[2].rpartition(", ")[0]
            is_ours = one["who"] == "dropmerge"
            is_empty = where == "an empty table"
            axes.step(
                ordered,
                shares,
                where="post",
                label=f"{one['who']}, {where}",
                color=_OURS if is_ours else _OTHERS,
                linestyle="-" if is_empty else "--",
            )
    axes.set_xlim(left=0)
    axes.set_xlabel("seconds from the upload of one small file")
    axes.set_ylabel("% merged")
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return figure


def bytes_per_file(found: Found) -> Figure:
    """What BigQuery bills for a file as the main table grows."""
    billed = found["bytes"]
    figure, axes = pyplot.subplots(figsize=(9, 4.5), layout="constrained")
    for keys, colour in (("random", _WRONG), ("ordered", _OURS)):
        for every, line, marker in ((0.0, "-", "o"), (billed["merge_every"], "--", "s")):
            name = f"merge_every: {every / 60:g}m" if every else "at once"
            computed = [one for one in billed["computed"] if (one["keys"], one["merge_every"]) == (keys, every)]
            axes.plot(*_points(computed), line, color=colour, label=f"{keys} keys, {name}")
            alone = [one for one in billed["measured"] if one["keys"] == keys and (one["group"] > 1) == bool(every)]
            axes.plot(*_points(alone), marker, color=colour, markerfacecolor="none")
    axes.set(xscale="log", yscale="log", xlabel="main table, MiB", ylabel="billed per file, MiB")
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return figure


def _points(found: Sequence[Mapping[str, Any]]) -> tuple[list[float], list[float]]:
    return [one["main_bytes"] / _MIB for one in found], [one["billed_per_file"] / _MIB for one in found]


PLOTS: Mapping[str, tuple[str, Callable[[Found], Figure]]] = {
    "large": ("large", large),
    "latency": ("latency", latency),
    "bytes_per_file": ("bigquery", bytes_per_file),
}
"""By file name: the scenario that it is of, and what draws it."""


def draw(report: Mapping[str, Any], folder: Path) -> Iterator[Path]:
    for name, (scenario, plot) in PLOTS.items():
        if scenario in report["scenarios"]:
            figure = plot(report["scenarios"][scenario])
            path = folder / f"{name}.svg"
            figure.savefig(path, metadata={"Date": None})
            pyplot.close(figure)
            yield path


def _median(found: Found, what: str, who: str) -> float:
    (values,) = [one["values"] for one in found["figures"] if one["what"] == what and one["who"] == who]
    return float(statistics.median(values))


if __name__ == "__main__":
    for written in draw(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2])):
        print(written.name, file=sys.stderr)
