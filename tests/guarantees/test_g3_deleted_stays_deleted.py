"""G3: a delete leaves a tombstone that only a newer row outlives."""

from tests.harness.pipeline import HEADER, Pipeline, row


def test_g3_a_delete_before_its_insert(pipeline: Pipeline) -> None:
    """A delete of a key never seen is remembered: an older row that comes later stays out, a newer one comes in."""
    pipeline.drop("del.csv", HEADER + row("ghost", "", 5, "D", balance="not even a number"))
    pipeline.wait_until_idle()
    pipeline.drop("ins.csv", HEADER + row("ghost", 700, 3))
    pipeline.wait_until_idle()
    assert pipeline.scores(["ghost"]) == {}
    tombstones = pipeline.connection.rows("SELECT _deleted FROM `main.accounts` WHERE customer_id = 'ghost'")
    assert [one["_deleted"] for one in tombstones] == [True]
    pipeline.drop("back.csv", HEADER + row("ghost", 710, 6))
    pipeline.wait_until_idle()
    assert pipeline.scores(["ghost"]) == {"ghost": 710}


def test_g3_a_file_without_the_marker_column_deletes_nothing(pipeline: Pipeline) -> None:
    """The delete column may be absent from a file."""
    data = HEADER.replace(",operation", "") + row("plain", 555).replace(",U\n", "\n")
    pipeline.drop("plain.csv", data)
    pipeline.wait_until_idle()
    assert pipeline.scores(["plain"]) == {"plain": 555}
