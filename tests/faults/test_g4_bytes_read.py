"""G4: what a function reads of a file does not grow with it."""

from services.ingest.inspect_head import HEAD_BYTES
from tests.harness.faults.cloud import Faulty
from tests.harness.pipeline import HEADER, row


def test_g4_ingest_reads_the_head_of_a_large_file_and_no_more(faulty: Faulty) -> None:
    """Bytes are counted at the proxy: one ranged read, of a file many times as large."""
    before = faulty.script.served["head"]
    data = HEADER + "".join(row(f"g4-{n}", 700) for n in range(50_000))
    assert len(data) > 5 * HEAD_BYTES
    faulty.pipeline.drop("g4.csv", data)
    faulty.pipeline.wait_until_idle()
    assert faulty.pipeline.scores(["g4-0", "g4-49999"]) == {"g4-0": 700, "g4-49999": 700}
    assert 0 < faulty.script.served["head"] - before <= HEAD_BYTES
