"""`dropmerge feeds` checks, shows and proposes contracts before they are deployed."""

from pathlib import Path

import pytest
import yaml

from deploy.topology import ROOT
from dropmerge.operations.feeds.inference.errors import InferenceError
from dropmerge.operations.feeds.inference.infer import infer
from services.shared.contract.reader import check, check_together, read_feed
from tests.harness.commands import Commands

_GOOD = (ROOT / "deploy" / "feeds" / "accounts.yaml").read_text()


def test_check_names_line_and_column(commands: Commands, tmp_path: Path) -> None:
    """Every fault of every contract is printed as editors and CI read it, with exit code 1."""
    bad = _GOOD.replace("type: INT64", "type: INTEGR").replace("unknown_columns:", "unknown_colums:")
    (tmp_path / "bad.yaml").write_text(bad)
    (tmp_path / "good.yaml").write_text(_GOOD)
    said = commands.run("feeds", "check", "--feeds", tmp_path, code=1).stderr
    lines = bad.splitlines()
    typed = next(n for n, line in enumerate(lines, 1) if "INTEGR" in line)
    misspelt = next(n for n, line in enumerate(lines, 1) if "colums" in line)
    assert f"bad.yaml:{typed}:{lines[typed - 1].index('INTEGR') + 1}: columns.2.type" in said
    assert f"bad.yaml:{misspelt}:1: unknown_colums" in said
    found = commands.json("feeds", "check", tmp_path / "bad.yaml", code=1)
    assert {(one["line"], one["column"]) for one in found} == {
        (typed, lines[typed - 1].index("INTEGR") + 1), (misspelt, 1),
    }  # fmt: skip
    assert "accounts" in commands.run("feeds", "check", tmp_path / "good.yaml").stdout


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("feed: accounts", "feed: [", 3, "not YAML"),
        ("version: last_modified", "version: modified", 6, "modified is not"),
        ("table: main.accounts", "table: main.accounts\ntable: main.other", 5, "appears twice"),
        ("equals: D", "equals: 2025-02-30", 7, "cannot read"),
        ("key: [customer_id, account_number]", "key: []", 5, "key:"),
    ],
)
def test_each_kind_of_fault_has_its_place(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    """A fault of the contract as a whole has one too."""
    path = tmp_path / "f.yaml"
    path.write_text(_GOOD.replace(old, new, 1))
    feed, (fault, *_) = check(path)
    assert feed is None
    assert words in fault.what
    assert fault.line == line


def test_two_contracts_may_not_share_a_name_or_a_table(tmp_path: Path) -> None:
    """Each of the two would undo the other's rows. No more is said of a contract that is there twice."""
    paths = [tmp_path / "a.yaml", tmp_path / "b.yml", tmp_path / "c.yaml"]
    paths[0].write_text(_GOOD)
    paths[1].write_text(_GOOD)
    paths[2].write_text(_GOOD.replace("feed: accounts", "feed: others"))
    faults = check_together([(path, read_feed(path)) for path in paths])
    assert [(Path(one.file).name, one.line) for one in faults] == [("b.yml", 1), ("c.yaml", 4), ("c.yaml", 2)]


def test_faults_are_in_the_order_of_files_and_lines(commands: Commands, tmp_path: Path) -> None:
    """Those of a contract on its own, and those that it has with another."""
    (tmp_path / "a.yaml").write_text(_GOOD.replace("incoming/accounts/*", "incoming/accounts/**"))
    (tmp_path / "b.yaml").write_text(_GOOD.replace("feed: accounts", "feed: others"))
    (tmp_path / "c.yaml").write_text(_GOOD.replace("at_most: 0", "at_most: no"))
    found = commands.json("feeds", "check", "--feeds", tmp_path, code=1)
    assert [(Path(one["file"]).name, one["line"]) for one in found] == [("b.yaml", 2), ("b.yaml", 4), ("c.yaml", 15)]


def test_show_prints_what_is_understood(commands: Commands) -> None:
    """All feeds are shown in one line per feed, a single feed with its columns."""
    assert "incoming/tolerant/*" in commands.run("feeds", "show").stdout
    assert "credit_score BETWEEN 300 AND 850" in commands.run("feeds", "show", "accounts").stdout
    assert commands.json("feeds", "show", "accounts")[0]["key"] == ["customer_id", "account_number"]
    assert "there are: accounts" in commands.run("feeds", "show", "nobody", code=2).stderr


SAMPLE = """\
order_id;line;customer;zip;amount;rate;paid;ordered;updated_at;note;op
1001;1;Ann;01234;12.50;0.12345678901;true;2025-01-01;2025-01-02T00:00:00Z;;U
1001;2;Bob;98765;-3;1e3;false;2025-01-02;2025-01-02T00:00:00.5+01:00;;D
1002;1;;10000;0.123456789;2;TRUE;2025-01-03;2025-01-03T10:00:00Z;;U
"""


def test_init_makes_a_contract_that_passes_its_check(commands: Commands, tmp_path: Path) -> None:
    """It infers types by the pipeline's text rules, key, version and delete marker; comments name warnings."""
    file = tmp_path / "Order lines 2025.csv"
    file.write_text(SAMPLE)
    printed = commands.run("feeds", "init", file).stdout
    contract = tmp_path / "order_lines.yaml"
    contract.write_text(printed)
    commands.run("feeds", "check", contract)
    content = yaml.safe_load(printed)
    assert {column["name"]: column["type"] for column in content["columns"]} == {
        "order_id": "INT64", "line": "INT64", "customer": "STRING", "zip": "STRING", "amount": "NUMERIC",
        "rate": "FLOAT64", "paid": "BOOL", "ordered": "DATE", "updated_at": "TIMESTAMP", "note": "STRING",
    }  # fmt: skip
    assert content["feed"] == "order_lines_2025"
    assert content["format"] == {"type": "csv", "delimiter": ";"}
    assert (content["version"], content["delete"]) == ("updated_at", {"column": "op", "equals": "D"})
    warnings = {line.split("UNSURE: ")[1] for line in printed.splitlines() if "UNSURE" in line}
    assert "no values in the sample" in warnings
    assert any("leading zeros" in doubt for doubt in warnings)
    assert any("of this sample share it" in doubt or "unique in this sample" in doubt for doubt in warnings)


def test_init_understands_the_generators_own_file(tmp_path: Path) -> None:
    """The contract that it proposes for accounts has the real one's version, types and key columns."""
    file = tmp_path / "accounts.csv"
    rows = [f"c{n // 2},{n},{300 + n},{n}.25,2025-01-01T00:00:{n:02}Z" for n in range(10)]
    file.write_text("\n".join(["customer_id,account_number,credit_score,account_balance,last_modified", *rows]))
    found = infer(file)
    assert found.identity.version == "last_modified"
    assert set(found.identity.key) <= {"customer_id", "account_number"}
    types = {column.name: column.type for column in found.columns}
    assert (types["credit_score"], types["account_balance"]) == ("INT64", "NUMERIC")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("2025-01-01T00:00:00+14:00", "TIMESTAMP"),
        ("2025-01-01T00:00:00+15:00", "STRING"),
        ("0000-01-01T00:00:00Z", "STRING"),
        ("1e308", "FLOAT64"),
        ("1e400", "STRING"),
        ("-9223372036854775808", "INT64"),
        ("-9223372036854775809", "NUMERIC"),
        ("9" * 29, "NUMERIC"),
        ("9" * 30, "FLOAT64"),
        ("0001-01-01", "DATE"),
        ("0000-01-01", "STRING"),
        ("True", "BOOL"),
        (" 1", "INT64"),
        ("1 2", "STRING"),
    ],
)
def test_init_takes_a_text_for_what_the_row_check_takes_it_for(tmp_path: Path, text: str, kind: str) -> None:
    """A contract that rejects the sample it was made from would be no help."""
    file = tmp_path / "sample.csv"
    file.write_text(f"code,value,version\na,{text},2025-01-01T00:00:00Z\n")
    assert {column.name: column.type for column in infer(file).columns}["value"] == kind


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"\n \n", "or blank"),
        (b"a,b\r1,2\r", "carriage return only"),
        (b"a\0b,c\n", "a NUL byte at 1"),
        (("Артикул;Цвет\n1;тёмно-зелёный\n" * 9).encode("cp1251"), "looks like cp1251, which BigQuery does not load"),
        (b'[{"a": 1},\n{"a": 2}]\n', "a JSON document: write one object per line"),
        (b"PAR1\x15 but no Parquet", "begins as parquet, and cannot be read as it"),
    ],
)
def test_init_says_why_it_cannot(tmp_path: Path, data: bytes, words: str) -> None:
    """The error names what makes a sample unfit for any contract."""
    file = tmp_path / "sample.csv"
    file.write_bytes(data)
    with pytest.raises(InferenceError, match=words):
        infer(file)
