"""G5: MERGE jobs counted where they are sent."""

from tests.faults.cloud import Faulty
from tests.guarantees.pipeline import HEADER, row


def test_g5_a_trickle_is_merged_file_by_file(faulty: Faulty) -> None:
    """No file waits for company: each is in the table, by a MERGE of its own, before the next is dropped."""
    before = faulty.script.seen["merge"]
    for n in range(3):
        faulty.pipeline.drop(f"trickle-{n}.csv", HEADER + row(f"trickle-{n}", 700 + n))
        faulty.pipeline.settle()
        assert faulty.pipeline.scores([f"trickle-{n}"]) == {f"trickle-{n}": 700 + n}
    assert faulty.script.seen["merge"] - before == 3
