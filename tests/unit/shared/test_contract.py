"""Contracts and settings: each fault is named where it is."""

from pathlib import Path

import pytest

from deploy.topology import ROOT
from services.shared.contract.feed import ContractError, read_feed, read_feeds
from services.shared.settings import SettingsError, read_settings
from services.shared.sql import Templates

_GOOD = (ROOT / "deploy" / "feeds" / "accounts.yaml").read_text()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("feed: accounts", "feed: Ac-counts", "feed"),
        ("table: main.accounts", "table: main.a`; DROP TABLE x", "table"),
        ("type: INT64", "type: INTEGR", "columns.2.type"),
        ("version: last_modified", "version: modified", "modified is not"),
        ("key: [customer_id", "key: [customer", "customer is not"),
        ("credit_score BETWEEN 300 AND 850", "(SELECT 1)", "one expression"),
        ("credit_score BETWEEN 300 AND 850", "1=1); DROP TABLE x; --", "check"),
        ("credit_score BETWEEN 300 AND 850", "score > 3", "no column of the contract: score"),
        ("at_most: 0", "at_most: lots", "1%"),
        ("{type: csv", "{type: xlsx", "format.type"),
        ("unknown_columns: reject", "unknown_colums: reject", "unknown_colums"),
        ("feed: accounts", "feed: [", "not YAML"),
    ],
)
def test_a_fault_in_a_contract_is_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    """With the file and the field."""
    assert old in _GOOD
    path = tmp_path / "broken.yaml"
    path.write_text(_GOOD.replace(old, new))
    with pytest.raises(ContractError, match=r"broken\.yaml") as caught:
        read_feed(path)
    assert words in str(caught.value)


def test_a_folder_without_feeds_is_an_error(tmp_path: Path) -> None:
    """A service that wants nothing would ignore everything in silence."""
    with pytest.raises(ContractError, match="no feeds"):
        read_feeds(tmp_path)


def test_a_pattern_crosses_folders_with_two_stars_only(tmp_path: Path) -> None:
    """* stays within a folder."""
    path = tmp_path / "f.yaml"
    path.write_text(_GOOD)
    one = read_feed(path)
    path.write_text(_GOOD.replace("accounts/*", "accounts/**"))
    two = read_feed(path)
    assert (one.wants("incoming/accounts/a.csv"), one.wants("incoming/accounts/b/a.csv")) == (True, False)
    assert (two.wants("incoming/accounts/b/a.csv"), two.wants("incoming/accountsb/a.csv")) == (True, False)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("GOOGLE_CLOUD_PROJECT", None, "GOOGLE_CLOUD_PROJECT"),
        ("DROPMERGE_SERVICE", "both", "DROPMERGE_SERVICE"),
        ("DROPMERGE_FEEDS", None, "DROPMERGE_FEEDS"),
        ("DROPMERGE_STAGING_DATASET", "a`b", "DROPMERGE_STAGING_DATASET"),
        ("DROPMERGE_BUDGET_SECONDS", "soon", "DROPMERGE_BUDGET_SECONDS"),
    ],
)
def test_a_bad_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str | None, words: str) -> None:
    """Missing or malformed, at start and not in the middle of a load."""
    for good, text in {
        "GOOGLE_CLOUD_PROJECT": "p",
        "DROPMERGE_SERVICE": "ingest",
        "DROPMERGE_FEEDS": "feeds",
        "DROPMERGE_DEAD_LETTER_TOPIC": "t",
    }.items():
        monkeypatch.setenv(good, text)
    assert read_settings().service == "ingest"
    monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=words):
        read_settings()


@pytest.mark.parametrize("text", ["a`b", "a b", "", "a;b", "é'"])
def test_sql_refuses_what_could_leave_its_quotes(tmp_path: Path, text: str) -> None:
    """The last gate before a statement."""
    template = tmp_path / "t.sql"
    template.write_text("SELECT * FROM {{ name | identifier }}")
    with pytest.raises(ValueError, match="identifier"):
        Templates(tmp_path).render("t.sql", name=text)
