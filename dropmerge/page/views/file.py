"""One file: where it stands and why, what happened when, its generations, its MERGE, its rejected rows, its letter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dropmerge.operations.connection import Connection
from dropmerge.operations.errors import UsageError
from dropmerge.operations.explained_file import ExplainedFile, explain_file
from dropmerge.operations.loads.events import COLUMNS
from dropmerge.operations.loads.history import LoadHistory
from dropmerge.page.arguments import Arguments
from dropmerge.page.command_line import command_line
from dropmerge.page.site import Site
from dropmerge.page.view_model import ViewModel


@dataclass(frozen=True)
class _Found:
    explained: ExplainedFile
    jobs: Sequence[tuple[Any, str]]
    """Each with where to open it."""


@dataclass(frozen=True)
class Moment:
    """One event of the timeline."""

    event: Any
    seconds: float | None
    """Since the event before, or since the upload."""


def file(site: Site, arguments: Arguments) -> ViewModel:
    """`name`: any of the file's names, as `dropmerge explain` takes them."""
    name = arguments.text("name")
    if not name:
        raise UsageError("name a file, such as ?name=gs://bucket/object")

    def read(connection: Connection) -> _Found:
        explained = explain_file(connection, name)
        jobs = explained.history.jobs
        is_link = not site.is_local
        return _Found(explained, [(job, connection.job_link(job.job_id) if is_link else "") for job in jobs])

    answer = site.read(("file", name), read)
    explained = answer.value.explained
    history = explained.history
    moments = list(_moments(history))
    return ViewModel(
        history.source.name.rpartition("/")[2] or history.source.name,
        "file.html",
        command_line("explain", name),
        answer.as_of,
        json=explained.as_json,
        columns=(*COLUMNS, "seconds"),
        rows=lambda: (one.event.as_json() | {"seconds": one.seconds} for one in moments),
        values={
            "file": explained,
            "history": history,
            "moments": moments,
            "longest": max((one.seconds or 0.0 for one in moments), default=0.0),
            "jobs": answer.value.jobs,
        },
        trouble=answer.trouble,
        status=404 if history.state == "unknown" and not history.is_live and not history.events else 200,
    )


def _moments(history: LoadHistory) -> Sequence[Moment]:
    before = history.source.created if history.source.generation else None
    found = []
    for event in history.timeline:
        found.append(Moment(event, max(0.0, (event.at - before).total_seconds()) if before else None))
        before = event.at
    return found
