"""Files that other people wrote: what `feeds init` makes of them, and the contract that their owners would write."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dropmerge.operations.feeds.inference.infer import infer
from dropmerge.operations.feeds.inference.write import contract_yaml
from dropmerge.operations.trial.files import Trial
from dropmerge.operations.trial.sandbox import Sandbox, sandbox
from services.shared.contract.reader import read_feed
from tests.harness.real_files import FILES, FOLDER, rows_of

_OWNERS = Path(__file__).parent / "owners"
_MOST_EDITS = 3


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with sandbox(lambda: False) as box:
        yield box


def _name(file: str) -> str:
    return "real_" + "".join(one if one.isalnum() else "_" for one in Path(file).name.lower())


def _merged(box: Sandbox, contract: Path, file: str, project: str) -> list[tuple[Any, ...]]:
    trial = Trial(box, read_feed(contract), project)
    (tried,) = trial.run([FOLDER / file])
    assert tried.read.is_good, (tried.read.fault, tried.read.reasons, tried.read.rejected[:3])
    _, rows = trial.rows()
    return list(map(tuple, rows))


def _comparable(rows: Sequence[tuple[Any, ...]]) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(value.normalize() if isinstance(value, Decimal) else value for value in row) for row in rows)


@pytest.mark.parametrize("file", FILES)
def test_the_owners_contract_loads_the_file_as_plain_python_reads_it(box: Sandbox, file: str) -> None:
    """Row by row, value by value, each of its type."""
    found = _merged(box, _OWNERS / f"{_name(file)}.yaml", file, _name(file))
    assert _comparable(found) == _comparable(rows_of(file))


@pytest.mark.parametrize("file", FILES)
def test_what_init_writes_loses_no_row(box: Sandbox, file: str, tmp_path: Path) -> None:
    """Unedited: each row of the file is in the table, and `init` said so."""
    found = infer(FOLDER / file)
    contract = tmp_path / "made.yaml"
    contract.write_text(contract_yaml("made", found))
    assert found.kept == len(rows_of(file))
    if _lines(contract_yaml(_name(file), found)) != _lines((_OWNERS / f"{_name(file)}.yaml").read_text()):
        # The others are the owner's own, by which the file is loaded anyway.
        assert len(_merged(box, contract, file, f"made_{_name(file)}")) == found.kept


@pytest.mark.parametrize("file", FILES)
def test_what_init_writes_needs_few_edits(file: str) -> None:
    """To be what the owner would write: a line that differs is an edit."""
    made = _lines(contract_yaml(_name(file), infer(FOLDER / file)))
    wanted = _lines((_OWNERS / f"{_name(file)}.yaml").read_text())
    edits = [
        (made[a:b], wanted[c:d])
        for kind, a, b, c, d in difflib.SequenceMatcher(None, made, wanted, autojunk=False).get_opcodes()
        if kind != "equal"
    ]
    assert sum(max(map(len, edit)) for edit in edits) <= _MOST_EDITS, edits


def _lines(text: str) -> list[str]:
    """Those that say something, without remarks."""
    return [line.partition("  # ")[0] for line in text.splitlines() if not line.startswith("#")]
