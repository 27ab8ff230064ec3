"""On Google Cloud the page is what its environment says, or does not start."""

from __future__ import annotations

import sys
import types
from collections.abc import Mapping
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import flask
import pytest
from werkzeug.test import EnvironBuilder

from dropmerge.operations.errors import NotDone
from dropmerge.page import cloud_run_job, google
from dropmerge.page.access import Refused, Role
from dropmerge.page.iap import HEADER, Iap
from services.shared.settings import SettingsError

JOB = "projects/my-project/locations/europe-west1/jobs/dropmerge-console"
AUDIENCE = "/projects/12345/locations/europe-west1/services/dropmerge-console-operator"
OPERATOR = {
    "GOOGLE_CLOUD_PROJECT": "my-project",
    "DROPMERGE_FEEDS": "feeds",
    "DROPMERGE_LOCATION": "EU",
    "DROPMERGE_CONSOLE_ROLE": "operator",
    "DROPMERGE_CONSOLE_AUDIENCE": AUDIENCE,
    "DROPMERGE_CONSOLE_JOB": JOB,
}
VIEWER = {**OPERATOR, "DROPMERGE_CONSOLE_ROLE": "viewer", "DROPMERGE_CONSOLE_JOB": ""}


def test_each_setting_is_a_variable() -> None:
    """And none changes later."""
    settings = google.read_settings(OPERATOR)
    assert settings == google.Settings("my-project", Path("feeds"), "EU", Role.OPERATOR, AUDIENCE, JOB)
    assert google.read_settings(VIEWER).role == Role.VIEWER
    with pytest.raises(FrozenInstanceError):
        settings.role = Role.VIEWER  # type: ignore[misc]


def test_whatever_is_missing_is_named() -> None:
    """All at once; that a viewer has no job may be said by leaving it out."""
    with pytest.raises(SettingsError) as error:
        google.read_settings({})
    assert all(name in str(error.value) for name in OPERATOR if name != "DROPMERGE_CONSOLE_JOB")
    assert google.read_settings({k: v for k, v in VIEWER.items() if k != "DROPMERGE_CONSOLE_JOB"}).job == ""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("GOOGLE_CLOUD_PROJECT", ""),
        ("GOOGLE_CLOUD_PROJECT", "My Project"),
        ("DROPMERGE_FEEDS", ""),
        ("DROPMERGE_LOCATION", ""),
        ("DROPMERGE_LOCATION", "europe"),
        ("DROPMERGE_CONSOLE_ROLE", "admin"),
        ("DROPMERGE_CONSOLE_AUDIENCE", AUDIENCE[1:]),
        ("DROPMERGE_CONSOLE_AUDIENCE", AUDIENCE.replace("12345", "my-project")),
        ("DROPMERGE_CONSOLE_AUDIENCE", f"{AUDIENCE}\n"),
        ("DROPMERGE_CONSOLE_JOB", "dropmerge-console"),
        ("DROPMERGE_CONSOLE_JOB", ""),
    ],
)
def test_whatever_is_malformed_is_named(name: str, text: str) -> None:
    """An audience with the project's id, for one: IAP signs for its number, and everybody would be refused."""
    with pytest.raises(SettingsError) as error:
        google.read_settings({**OPERATOR, name: text})
    assert str(error.value).startswith(f"environment: {name}: {text!r}; ")


def test_a_viewer_has_no_job_to_start() -> None:
    with pytest.raises(SettingsError, match="a viewer has none"):
        google.read_settings({**VIEWER, "DROPMERGE_CONSOLE_JOB": JOB})


def test_buckets_are_those_of_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DROPMERGE_LANDING_BUCKET", "DROPMERGE_ARCHIVE_BUCKET"):
        monkeypatch.delenv(name, raising=False)
    connection = google.connect(google.read_settings(OPERATOR))
    assert (connection.landing, connection.archive) == ("my-project-landing", "my-project-archive")
    assert (connection.project, connection.feeds_folder) == ("my-project", Path("feeds"))


def made_by_the_server(environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> tuple[Any, ...]:
    """What the page is made of."""
    given: list[tuple[Any, ...]] = []

    def make_app(*parts: object) -> flask.Flask:
        given.append(parts)
        return flask.Flask("page")

    page = types.ModuleType("dropmerge.page.app")
    page.make_app = make_app  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "dropmerge.page.app", page)
    for name, text in environment.items():
        monkeypatch.setenv(name, text)
    assert isinstance(google.app(), flask.Flask)
    (parts,) = given
    return parts


def test_an_operator_s_page_starts_the_job_with_the_operation(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(cloud_run_job, "start", lambda job, arguments: started.append((job, arguments)))
    connect, access, start = made_by_the_server(OPERATOR, monkeypatch)
    start("operation-1")
    assert started == [(JOB, ["operation-1"])]
    assert connect().project == "my-project"
    assert (access._audience, access._role) == (AUDIENCE, Role.OPERATOR)


def test_a_viewer_s_page_starts_nothing_and_asks_iap_who_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    connect, access, start = made_by_the_server(VIEWER, monkeypatch)
    with pytest.raises(NotDone, match="viewer"):
        start("operation-1")
    assert connect() is connect()
    assert not connect().may_lease
    assert isinstance(access, Iap)
    assert access._role == Role.VIEWER
    with pytest.raises(Refused):
        access.person(flask.Request(EnvironBuilder(headers=[(HEADER, "garbage")]).get_environ()))
