"""The settings of a service, read from its environment once, at start."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, Json, StringConstraints, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

_RESERVATION = r"^(projects/[\w.:-]+/locations/[\w-]+/reservations/[a-z][a-z0-9-]*)?$"
"""https://cloud.google.com/bigquery/docs/reference/reservations/rest/v1/projects.locations.reservations#Reservation"""


class Settings(BaseSettings):
    """Each field is the variable DROPMERGE_<FIELD>; the project is GOOGLE_CLOUD_PROJECT, threads are THREADS."""

    model_config = SettingsConfigDict(env_prefix="DROPMERGE_", frozen=True)

    project: str = Field(validation_alias="GOOGLE_CLOUD_PROJECT", min_length=1)
    service: Literal["ingest", "merge"]
    location: str = "US"
    feeds: Path
    landing_prefix: str = "incoming/"
    ignore: Json[tuple[str, ...]] = Field((), validate_default=False)
    """A JSON list of patterns: an object whose name one of them means is ignored, whichever feed's pattern it fits."""
    archive_bucket: str = "archive"
    arrived_topic: str = "file-arrived"
    staged_topic: str = "file-staged"
    dead_letter_topic: str
    reservation: Annotated[str, StringConstraints(pattern=_RESERVATION)] = ""
    """Whose slots the service's queries run on, `projects/P/locations/L/reservations/R`; empty: what the project is
    assigned to, or on demand."""
    budget_seconds: float = Field(540.0, gt=0, lt=600)
    """How long one delivery may work: just under the push deadline of 600 s."""
    threads: int = Field(32, validation_alias="THREADS", gt=0)
    """Requests that the server works on at once, by the variable that functions-framework reads."""
    patience_seconds: float = Field(1200.0, ge=0)
    """While a message is younger, what it is denied or cannot find may just not have arrived yet: a grant takes 2
    minutes, sometimes 7 or more (https://cloud.google.com/iam/docs/access-change-propagation)."""


class SettingsError(Exception):
    """A variable is missing or malformed; the text names it."""


def read_settings() -> Settings:
    """Raises: SettingsError."""
    try:
        return Settings()  # type: ignore[call-arg]  # the values come from the environment
    except ValidationError as error:
        lines = []
        for problem in error.errors():
            name = str(problem["loc"][0])
            variable = name if name.isupper() else f"DROPMERGE_{name.upper()}"
            lines.append(f"{variable}: {problem['msg']}")
        raise SettingsError("environment: " + "; ".join(lines)) from error
