"""A pipeline that nothing was dropped into: its pages say so, and each CSV has its columns."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from google.api_core.exceptions import PermissionDenied
from google.cloud.pubsub_v1 import SubscriberClient

from dropmerge.operations.connection import Connection
from dropmerge.page.access import Person, Role
from dropmerge.page.app import VIEWS, make_app
from tests.harness.cloud import running
from tests.harness.feeds import write_feeds

OF_NOTHING = {
    "/overview": "merged_today",
    "/files": "file_name",
    "/dead-letters": "reason",
    "/rejected": "faults",
    "/rows": "verdict",
    "/feeds": "on_disk",
    "/feeds/accounts": "bytes_billed",
    "/operations": "what",
    "/audit": "events",
    "/health": "trouble",
}
"""By page, one of its columns. Other pages are of one thing, which is not there."""


class _Known:
    """Lets everybody in."""

    def person(self, _: object) -> Person:
        return Person("ada", Role.VIEWER, "session")


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    folder = tmp_path_factory.mktemp("nothing")
    with running(folder, write_feeds(folder / "feeds")) as pipeline:
        yield replace(pipeline.connection, may_lease=False)


@pytest.fixture
def client(connection: Connection) -> FlaskClient:
    """Of a console that was started just now."""
    return make_app(lambda: connection, _Known(), lambda _: None).test_client()


def test_no_page_of_several_things_is_left_out() -> None:
    """Those of one thing are at an address that names it, or ask for its name."""
    one = {"/file", "/dead-letters/act"}
    assert {rule for rule in VIEWS if "<" not in rule} - one == OF_NOTHING.keys() - {"/feeds/accounts"}


@pytest.mark.parametrize("page", OF_NOTHING)
def test_a_csv_has_its_columns_also_where_it_has_no_rows(client: FlaskClient, page: str) -> None:
    """Feeds, and what is to be examined, are there before anything is dropped."""
    answer = client.get(f"{page}.csv")
    assert answer.status_code == 200
    header, *lines = csv.reader(io.StringIO(answer.text))
    assert OF_NOTHING[page] in header
    assert bool(lines) == (page in ("/overview", "/feeds", "/health"))


def test_what_the_page_may_not_see_is_not_said_to_be_right_or_wrong(
    client: FlaskClient, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its account on Google Cloud has no right to see subscriptions."""
    assert "every part is as it should be" in client.get("/health").text

    def refuse(*_: object, **__: object) -> None:
        raise PermissionDenied("User not authorized to perform this action.")  # type: ignore[no-untyped-call]

    monkeypatch.setattr(SubscriberClient, "get_subscription", refuse)
    page = make_app(lambda: connection, _Known(), lambda _: None).test_client().get("/health").text
    assert "every part that this page may see is as it should be" in page
    (row,) = re.findall(r'<tr data-row="Pub/Sub">.*', page)
    assert "UNKNOWN" in row
    assert "this account may not see the subscriptions, and need not" in row
