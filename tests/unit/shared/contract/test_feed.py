"""A contract with a fault is refused, and the error names the file and the field."""

from pathlib import Path

import pytest

from deploy.topology import ROOT
from services.shared.contract.reader import ContractError, read_feed, read_feeds

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
        ("credit_score BETWEEN 300 AND 850", "score > 3", "columns that are not in the contract: score"),
        ("at_most: 0", "at_most: lots", "a share"),
        ("{type: csv", "{type: xlsx", "format.type"),
        ("unknown_columns: reject", "unknown_colums: reject", "unknown_colums"),
        ("feed: accounts", "feed: [", "not YAML"),
    ],
)
def test_a_fault_in_a_contract_is_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    """The error names the file and the field."""
    assert old in _GOOD
    path = tmp_path / "broken.yaml"
    path.write_text(_GOOD.replace(old, new))
    with pytest.raises(ContractError, match=r"broken\.yaml") as caught:
        read_feed(path)
    assert words in str(caught.value)


def test_a_fault_has_its_place(tmp_path: Path) -> None:
    """A service that does not start says where to look."""
    path = tmp_path / "f.yaml"
    path.write_text(_GOOD.replace("type: INT64", "type: INTEGR").replace("unknown_columns:", "unknown_colums:"))
    with pytest.raises(ContractError) as caught:
        read_feeds(tmp_path)
    lines = path.read_text().splitlines()
    (line,) = [n for n, text in enumerate(lines, 1) if "INTEGR" in text]
    assert f"{path}:{line}:{lines[line - 1].index('INTEGR') + 1}: columns.2.type" in str(caught.value)
    assert "unknown_colums" in str(caught.value)


def test_a_name_is_given_once(tmp_path: Path) -> None:
    """Two contracts of one name are refused, whatever their files' names."""
    (tmp_path / "a.yaml").write_text(_GOOD)
    (tmp_path / "b.yml").write_text(_GOOD.replace("accounts", "others"))
    assert list(read_feeds(tmp_path)) == ["accounts", "others"]
    (tmp_path / "c.yaml").write_text(_GOOD)
    with pytest.raises(ContractError, match=r"c\.yaml:1:7: feed: feed accounts is declared in .*a\.yaml already"):
        read_feeds(tmp_path)


def test_a_folder_without_feeds_is_an_error(tmp_path: Path) -> None:
    """A service that wants nothing would ignore everything in silence."""
    with pytest.raises(ContractError, match="no feeds"):
        read_feeds(tmp_path)


def test_a_pattern_crosses_folders_with_two_stars_only(tmp_path: Path) -> None:
    """One star stays within a folder."""
    path = tmp_path / "f.yaml"
    path.write_text(_GOOD)
    one = read_feed(path)
    path.write_text(_GOOD.replace("accounts/*", "accounts/**"))
    two = read_feed(path)
    assert (one.wants("incoming/accounts/a.csv"), one.wants("incoming/accounts/b/a.csv")) == (True, False)
    assert (two.wants("incoming/accounts/b/a.csv"), two.wants("incoming/accountsb/a.csv")) == (True, False)
