"""Jobs and tables have labels that BigQuery takes, and the release that they name is the project's."""

import re
import tomllib

import pytest

from deploy.topology import ROOT
from services.shared.labels import FEED, RELEASE, SERVICE, feed_labels, service_labels, value, working_on
from services.shared.release import VERSION
from services.shared.warehouse import connect


def test_the_release_is_the_project_s() -> None:
    """The functions are deployed without pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == VERSION


@pytest.mark.parametrize("text", ["0.1.0", "1.0.0rc1+Local", "a" * 64, "order_lines", "É"])
def test_a_value_is_one_that_bigquery_takes(text: str) -> None:
    """The longest name of a feed has 64 characters, and a release has dots."""
    assert re.fullmatch(r"[a-z0-9_-]{1,63}", value(text))


def test_the_feed_is_that_of_the_delivery() -> None:
    """It comes to be known while the delivery is worked on, and is forgotten after it."""
    subject: dict[str, object] = {}
    with working_on(subject):
        assert feed_labels() == {}
        subject["feed"] = "accounts"
        assert feed_labels() == {FEED: "accounts"}
        assert feed_labels("orders__rebuild") == {FEED: "orders"}
    assert feed_labels() == {}


def test_a_reservation_is_that_of_every_query(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is set once, where the client is made; without one the project's assignments decide."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:1")
    name = "projects/p/locations/EU/reservations/merge"
    clients = [connect("p", "EU", service_labels("merge"), one) for one in (name, "")]
    sent, without = (one.default_query_job_config.to_api_repr() for one in clients if one.default_query_job_config)
    assert sent["reservation"] == name
    assert "reservation" not in without
    assert without["labels"] == {SERVICE: "merge", RELEASE: value(VERSION)}
