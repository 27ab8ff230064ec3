"""Whether each part answers and is as it should be."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version

from dropmerge.operations.doctor import Finding, examine
from dropmerge.operations.texts import field_names
from dropmerge.page.arguments import Arguments
from dropmerge.page.site import Site
from dropmerge.page.view_model import ViewModel


def health(site: Site, arguments: Arguments) -> ViewModel:
    """What `dropmerge doctor` finds, and how each service takes its messages."""
    answer = site.read("health", examine)
    status = site.status()
    found = answer.value
    return ViewModel(
        "Health",
        "health.html",
        "dropmerge doctor",
        answer.as_of,
        json=lambda: {"version": release(), "findings": [asdict(one) for one in found]},
        columns=field_names(Finding),
        rows=lambda: (asdict(one) for one in found),
        values={
            "findings": found,
            "wrong": [one for one in found if one.trouble],
            # Of the same moment, or not at all: the findings speak of the services, too.
            "services": {} if status.trouble else status.value.services,
            "release": release(),
        },
        trouble=answer.trouble,
        every=10,
    )


def release() -> str:
    """The version that is installed; empty where it runs from its files."""
    try:
        return version("dropmerge")
    except PackageNotFoundError:
        return ""
