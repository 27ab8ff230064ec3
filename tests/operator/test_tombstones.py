"""`dropmerge purge-tombstones` removes old deletes and keeps those that are still needed."""

from tests.harness.commands import Commands
from tests.harness.pipeline import HEADER, Pipeline, row


def test_purge_tombstones_keeps_the_young_and_refuses_a_short_horizon(pipeline: Pipeline, commands: Commands) -> None:
    """Only deletes merged before the horizon are removed; a horizon that dead letters could outlive is refused."""
    old = pipeline.drop("purge-1.csv", HEADER + row("purge-old", operation="D") + row("purge-row"))
    pipeline.wait_until_idle()
    pipeline.drop("purge-2.csv", HEADER + row("purge-young", operation="D"))
    pipeline.wait_until_idle()
    pipeline.connection.rows(
        "UPDATE `ops.ledger` SET merged_at = TIMESTAMP_SUB(merged_at, INTERVAL 40 DAY) WHERE load_id = @id",
        {"id": ("STRING", pipeline.load_id(old))},
    )
    assert commands.json("purge-tombstones", "--older-than", "32d", "--dry-run")["accounts"] == 1
    assert commands.json("purge-tombstones", "--older-than", "32d", "--yes")["accounts"] == 1
    left = pipeline.connection.rows(
        "SELECT customer_id FROM `main.accounts` WHERE STARTS_WITH(customer_id, 'purge-') ORDER BY customer_id"
    )
    assert [one["customer_id"] for one in left] == ["purge-row", "purge-young"]
    gone = commands.run("explain", "--feed", "accounts", "--row", "customer_id=purge-old", "account_number=a", code=1)
    assert "were purged: nothing is left of a row that was deleted before then" in gone.stdout
