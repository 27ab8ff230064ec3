"""The page on Google Cloud: `python -m dropmerge.page.google`, as deploy/google/console/Dockerfile says."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dropmerge.operations.connection import Connection
from dropmerge.operations.errors import NotDone
from dropmerge.operations.light_imports import import_bigquery
from dropmerge.page.access import Role
from services.shared.settings import SettingsError

if TYPE_CHECKING:
    import flask

_LOCATION = r"[a-z]+(-[a-z]+)+[0-9]+|EU|US"
_FORMS = {
    "GOOGLE_CLOUD_PROJECT": (r"[a-z][a-z0-9-]{4,28}[a-z0-9]", "the id of a project"),
    "DROPMERGE_FEEDS": (r".+", "the folder of the contracts"),
    "DROPMERGE_LOCATION": (_LOCATION, "where the datasets are: a region, EU or US"),
    "DROPMERGE_CONSOLE_ROLE": ("|".join(Role), "viewer or operator"),
    "DROPMERGE_CONSOLE_AUDIENCE": (
        r"/projects/[0-9]+/locations/[\w-]+/services/[\w-]+",
        "what IAP signs for: /projects/NUMBER/locations/REGION/services/SERVICE",
    ),
    "DROPMERGE_CONSOLE_JOB": (
        r"(projects/[\w.:-]+/locations/[\w-]+/jobs/[\w-]+)?",
        "projects/P/locations/R/jobs/NAME, or empty for a viewer",
    ),
}
"""The variables, what each looks like, and that in words."""


@dataclass(frozen=True)
class Settings:
    project: str
    feeds: Path
    location: str
    """Connection reads it from the environment itself; here it is only seen to be there."""
    role: Role
    audience: str
    job: str
    """Which carries operations out; empty for a viewer, who starts none."""


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Raises SettingsError, which names every variable that is missing or malformed."""
    faults = [
        f"{name}: {'not set' if name not in environ else repr(environ[name])}; it is {words}"
        for name, (form, words) in _FORMS.items()
        if not re.fullmatch(form, environ.get(name, ""))
    ]
    job, role = environ.get("DROPMERGE_CONSOLE_JOB", ""), environ.get("DROPMERGE_CONSOLE_ROLE")
    if role in list(Role) and bool(job) != (role == Role.OPERATOR):
        faults.append(f"DROPMERGE_CONSOLE_JOB: {job!r}; an operator has one and a viewer has none")
    if faults:
        raise SettingsError("environment: " + "; ".join(faults))
    return Settings(
        environ["GOOGLE_CLOUD_PROJECT"],
        Path(environ["DROPMERGE_FEEDS"]),
        environ["DROPMERGE_LOCATION"],
        Role(environ["DROPMERGE_CONSOLE_ROLE"]),
        environ["DROPMERGE_CONSOLE_AUDIENCE"],
        job,
    )


def connect(settings: Settings) -> Connection:
    """To the deployment of which this page is a part: its buckets are named by their rule.

    Looking takes no lease, which a viewer could not have.
    """
    return Connection(settings.project, settings.feeds, bucket_prefix=f"{settings.project}-", may_lease=False)


def app() -> flask.Flask:
    """Raises SettingsError."""
    import_bigquery()
    from dropmerge.page.app import make_app
    from dropmerge.page.iap import Iap

    settings = read_settings()
    connection = connect(settings)
    return make_app(lambda: connection, Iap(settings.audience, settings.role), _starter(settings.job))


def _starter(job: str) -> Callable[[str], None]:
    def start(operation_id: str) -> None:
        """Raises NotDone."""
        if not job:
            raise NotDone("this is a viewer's page, which has no job that carries anything out")
        from dropmerge.page import cloud_run_job

        cloud_run_job.start(job, [operation_id])

    return start


def main() -> None:
    """Serve the page. Raises SettingsError."""
    from dropmerge.page.serve import listen, serve

    # A container is reached from outside itself.
    serve(app(), listen("0.0.0.0", _port(os.environ)), lambda: None)  # noqa: S104


def _port(environ: Mapping[str, str]) -> int:
    text = environ.get("PORT", "")
    if not re.fullmatch(r"[0-9]{1,5}", text):
        raise SettingsError(f"environment: PORT: {text!r}; it is the port to listen on, which Cloud Run sets")
    return int(text)


if __name__ == "__main__":
    main()
