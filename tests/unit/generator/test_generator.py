"""The generator's files are repeatable, and its expected answer is worked out from the files alone."""

import csv
from pathlib import Path

import pytest
from typer.testing import CliRunner

from generator.__main__ import app
from generator.expect import Mode, expected

_RUN = CliRunner()
_HEADER = "customer_id,account_number,credit_score,account_balance,last_modified,operation\n"
_ODDS = [
    "--delete-probability", "0.1", "--duplicate-probability", "0.1",
    "--late-probability", "0.1", "--bad-probability", "0.1",
]  # fmt: skip


def _run(*words: object, code: int = 0) -> str:
    result = _RUN.invoke(app, [str(word) for word in words])
    assert result.exit_code == code, result.output
    return result.output


def _file(path: Path, *rows: str) -> Path:
    path.write_text(_HEADER + "".join(f"{row}\n" for row in rows))
    return path


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    """Another seed gives other bytes."""
    files = [tmp_path / name for name in "abc"]
    for path, seed in zip(files, (5, 5, 6), strict=True):
        _run("initial", "--rows", 2000, "--seed", seed, "--out", path)
    a, b, c = (path.read_bytes() for path in files)
    assert a == b != c


def test_account_numbers_are_unique_for_ever(tmp_path: Path) -> None:
    """Each number belongs to one customer over three files."""
    files = [tmp_path / f"{n}.csv" for n in range(3)]
    _run("initial", "--rows", 3000, "--out", files[0])
    for n in (1, 2):
        earlier = [word for path in files[:n] for word in ("--continue-from", path)]
        _run("incremental", "--rows", 1000, "--seed", n, "--out", files[n], *_ODDS, *earlier)
    owners: dict[str, set[str]] = {}
    for path in files:
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                if row["customer_id"]:
                    owners.setdefault(row["account_number"], set()).add(row["customer_id"])
    owners.pop("", None)
    assert {len(customers) for customers in owners.values()} == {1}
    assert len(list(expected(files))) > 3000


def test_an_existing_file_is_not_overwritten(tmp_path: Path) -> None:
    """Only --force overwrites it."""
    path = tmp_path / "kept.csv"
    path.write_text("mine")
    assert "--force" in _run("initial", "--rows", 5, "--out", path, code=2)
    assert path.read_text() == "mine"
    _run("initial", "--rows", 5, "--out", path, "--force")
    assert path.read_text().startswith("customer_id,")


def test_a_probability_beyond_one_is_refused(tmp_path: Path) -> None:
    """The exit code is 2, and nothing is written."""
    path = tmp_path / "x.csv"
    assert "between 0 and 1" in _run("initial", "--late-probability", 2, "--out", path, code=2)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("rows", "winner"),
    [
        (["c,a,500,1,2025-01-02T00:00:00Z,U", "c,a,600,1,2025-01-01T00:00:00Z,U"], "500"),
        (["c,a,500,1,2025-01-01T00:00:00Z,U", "c,a,600,1,2025-01-01T00:00:00Z,U"], "600"),
        (["c,a,,1,2025-01-01T00:00:00Z,U", "c,a,300,1,2025-01-01T00:00:00Z,U"], "300"),
        (["c,a,500,2,2025-01-01T00:00:00Z,U", "c,a,500,10,2025-01-01T00:00:00Z,U"], "500"),
        (["c,a,850,1,2025-01-01T02:00:00+02:00,U", "c,a,400,1,2025-01-01T00:00:00.1Z,U"], "400"),
        (["c,a,500,1,2025-01-01T00:00:00Z,U", "c,a,,,2025-01-01T00:00:00Z,D"], None),
        (["c,a,500,1,2025-01-01T00:00:00Z,U", "c,a,299,1,2025-01-02T00:00:00Z,U"], "500"),
    ],
)
def test_the_expected_winner_of_a_key(tmp_path: Path, rows: list[str], winner: str | None) -> None:
    """Version decides, then delete, then columns in order, NULL being the smallest; bad rows are left out."""
    found = list(expected([_file(tmp_path / "f.csv", *rows)]))
    assert [row[2] for row in found] == ([winner] if winner else [])


def test_a_later_file_wins_an_equal_version(tmp_path: Path) -> None:
    """Its object's generation is greater."""
    one = _file(tmp_path / "1.csv", "c,a,850,1,2025-01-01T00:00:00Z,U")
    two = _file(tmp_path / "2.csv", "c,a,400,1.500,2025-01-01T00:00:00Z,U")
    assert list(expected([one, two])) == [("c", "a", "400", "1.5", "2025-01-01T00:00:00.000000Z")]


_FORMS = [
    ("csv", []), ("tsv", []), ("ndjson", []), ("parquet", []), ("avro", []), ("orc", []),
    ("csv", ["--gzip"]), ("ndjson", ["--gzip"]), ("csv", ["--encoding", "utf-16"]),
    ("tsv", ["--encoding", "utf-8-bom"]),
    ("csv", ["--encoding", "windows-1252"]), ("csv", ["--encoding", "iso-8859-1", "--gzip"]),
]  # fmt: skip


@pytest.mark.parametrize("bad", [0, 0.2])
def test_each_format_has_the_same_rows_and_the_same_answer(tmp_path: Path, bad: float) -> None:
    """Also where a later file goes on from it; the same seed gives the same bytes."""
    answers = set()
    for number, (name, words) in enumerate(_FORMS):
        first, second, again = (tmp_path / f"{number}-{n}" for n in ("first", "second", "again"))
        made = ("--format", name, *words, "--bad-probability", bad, "--delete-probability", 0.1)
        _run("initial", "--rows", 300, "--out", first, *made)
        for path in (second, again):
            answer = path.with_suffix(".expected")
            _run("incremental", "--rows", 200, "--out", path, "--continue-from", first, "--expect", answer, *made)
        assert second.read_bytes() == again.read_bytes(), name
        text = second.with_suffix(".expected").read_text()
        assert text.count("\n") > 100
        if not {"windows-1252", "iso-8859-1"} & {*words}:
            answers.add(text)
    assert len(answers) == 1


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--format", "parquet", "--gzip"], "packs its own columns"),
        (["--format", "ndjson", "--encoding", "utf-16"], "ndjson is UTF-8"),
        (["--mode", "append", "--delete-probability", 1, "--expect", "answer.csv"], "is a delete"),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path: Path, words: list[object], why: str) -> None:
    """Nothing is written."""
    fitted = [tmp_path / "answer.csv" if word == "answer.csv" else word for word in words]
    assert why in _run("initial", "--rows", 9, "--out", tmp_path / "out", *fitted, code=2)
    assert not list(tmp_path.iterdir())


def test_the_expected_table_of_other_modes(tmp_path: Path) -> None:
    """Appended, each row of each file counts; of snapshots the last one."""
    one = _file(tmp_path / "1.csv", "c,a,500,1,2025-01-01T00:00:00Z,U", "c,a,500,1,2025-01-01T00:00:00Z,U")
    two = _file(tmp_path / "2.csv", "c,a,400,1,2024-01-01T00:00:00Z,U", "d,a,,1,2025-01-01T00:00:00Z,U")
    appended = [row[:3] for row in expected([one, two], Mode.APPEND)]
    assert appended == [("c", "a", "400"), ("c", "a", "500"), ("c", "a", "500"), ("d", "a", "")]
    assert [row[:3] for row in expected([one, two], Mode.SNAPSHOT)] == [("c", "a", "400"), ("d", "a", "")]
    assert [row[:3] for row in expected([two, one], Mode.SNAPSHOT)] == [("c", "a", "500")]
