"""G5: MERGE jobs counted where they are sent."""

from concurrent.futures import ThreadPoolExecutor

from tests.faults.cloud import Faulty
from tests.guarantees.pipeline import HEADER, row

_FILES = 120
_A_MERGE = 12
"""Files, at least: groups grow while a burst goes on."""


def test_g5_a_burst_of_small_files_costs_few_merge_jobs(faulty: Faulty) -> None:
    before = faulty.script.seen["merge"]
    with ThreadPoolExecutor(8) as drop:
        list(
            drop.map(lambda n: faulty.pipeline.drop(f"g5-{n}.csv", HEADER + row(f"many-{n}", 300 + n)), range(_FILES))
        )
    faulty.pipeline.settle()
    keys = [f"many-{n}" for n in range(_FILES)]
    assert faulty.pipeline.scores(keys) == {f"many-{n}": 300 + n for n in range(_FILES)}
    assert faulty.script.seen["merge"] - before <= _FILES / _A_MERGE


def test_g5_a_trickle_is_merged_file_by_file(faulty: Faulty) -> None:
    """No file waits for company: each is in the table before the next is dropped."""
    for n in range(3):
        faulty.pipeline.drop(f"trickle-{n}.csv", HEADER + row(f"trickle-{n}", 700 + n))
        faulty.pipeline.settle()
        assert faulty.pipeline.scores([f"trickle-{n}"]) == {f"trickle-{n}": 700 + n}
