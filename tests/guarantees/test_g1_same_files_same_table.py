"""G1: the main table is a function of the set of generations, not of order, duplication or timing."""

from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from services.shared.messages.staged import StagedMessage
from tests.harness.pipeline import HEADER, Pipeline, row


def test_g1_the_same_file_dropped_again_changes_nothing(pipeline: Pipeline) -> None:
    """A second drop of the same bytes is another generation, merged, with the same rows."""
    data = HEADER + row("again-1", 601) + row("again-2", 602)
    first = pipeline.drop("again.csv", data)
    pipeline.wait_until_idle()
    second = pipeline.drop("again.csv", data)
    pipeline.wait_until_idle()
    assert first != second
    assert pipeline.explain(second)["state"] == "merged"
    assert pipeline.scores(["again-1", "again-2"]) == {"again-1": 601, "again-2": 602}


def test_g1_a_notification_delivered_three_times_merges_once(pipeline: Pipeline) -> None:
    """Repeated notifications leave one ledger entry, one row a key and no staging table."""
    uri = pipeline.drop("thrice.csv", HEADER + row("thrice", 603))
    pipeline.announce(uri, times=3)
    pipeline.wait_until_idle()
    pipeline.announce(uri)
    pipeline.wait_until_idle()
    found = pipeline.explain(uri)
    assert found["state"] == "merged"
    entries = pipeline.connection.rows(
        "SELECT COUNT(*) AS n FROM `ops.ledger` WHERE load_id = @id", {"id": ("STRING", found["load_id"])}
    )
    assert entries[0]["n"] == 1
    assert pipeline.scores(["thrice"]) == {"thrice": 603}
    assert not [t for t in pipeline.connection.warehouse.list_tables("staging", "") if found["load_id"] in t]


def test_g1_an_older_version_in_a_later_file_loses(pipeline: Pipeline) -> None:
    """Two files in swapped order give the row with the newer version."""
    pipeline.drop("newer.csv", HEADER + row("swapped", 800, day=9))
    pipeline.wait_until_idle()
    pipeline.drop("older.csv", HEADER + row("swapped", 400, day=2))
    pipeline.wait_until_idle()
    assert pipeline.scores(["swapped"]) == {"swapped": 800}


def test_g1_equal_versions_are_decided_by_the_generation(pipeline: Pipeline) -> None:
    """Of two rows with one version, the later object's wins, also when it is announced first."""
    first = pipeline.drop("tie-1.csv", HEADER + row("tie", 850))
    second = pipeline.drop("tie-2.csv", HEADER + row("tie", 400))
    pipeline.wait_until_idle()
    pipeline.announce(second)
    pipeline.announce(first)
    pipeline.wait_until_idle()
    assert pipeline.scores(["tie"]) == {"tie": 400}


def test_g1_inside_a_file_the_greater_row_wins(pipeline: Pipeline) -> None:
    """Of rows with one key and version, delete wins over update, then columns decide in order, NULL smallest."""
    data = HEADER + row("inside", 500) + row("inside", 640) + row("inside", "") + row("inside-d", 500)
    pipeline.drop("inside.csv", data + row("inside-d", operation="D"))
    pipeline.wait_until_idle()
    assert pipeline.scores(["inside", "inside-d"]) == {"inside": 640}


def test_g1_an_overwritten_object_ends_with_the_newer_generation(pipeline: Pipeline) -> None:
    """Whichever generations were pinned, the newer one's rows are there, and every generation has an end."""
    old = pipeline.drop("over.csv", HEADER + row("over", 500, day=1))
    new = pipeline.drop("over.csv", HEADER + row("over", 510, day=2))
    pipeline.wait_until_idle()
    assert pipeline.explain(old)["state"] in ("merged", "superseded")
    assert pipeline.explain(new)["state"] == "merged"
    assert pipeline.scores(["over"]) == {"over": 510}


def test_g1_values_arrive_exactly(pipeline: Pipeline) -> None:
    """NUMERIC keeps nine decimals, offsets are applied, an empty field is NULL, spaces of a STRING stay."""
    pipeline.drop("exact.csv", HEADER + '" exact, ""é",b,,0.123456789,2025-01-01T02:00:00.123456+02:00,U\r\n')
    pipeline.wait_until_idle()
    (found,) = pipeline.connection.rows(
        "SELECT * FROM `main.accounts_current` WHERE account_number = 'b' AND credit_score IS NULL"
    )
    assert found["customer_id"] == ' exact, "é'
    assert str(found["account_balance"]) == "0.123456789"
    assert found["last_modified"].isoformat() == "2025-01-01T00:00:00.123456+00:00"


def test_g1_objects_of_one_microsecond_have_one_winner(pipeline: Pipeline) -> None:
    """Generations are unique for one name only. Rows equal in all else differ in where they came from."""
    contract = pipeline.contract("accounts")
    for key, names in (("tie-up", "ab"), ("tie-down", "ba")):
        for name in names:
            load = Load("accounts", ObjectGeneration("landing", f"incoming/accounts/{key}-{name}.csv", 1))
            pipeline.connection.rows(
                f"""CREATE TABLE `{pipeline.connection.project}.staging.{load.staging_table(contract)}` AS
                SELECT '{key}' AS customer_id, 'a' AS account_number, 700 AS credit_score,
                  CAST(1 AS NUMERIC) AS account_balance, TIMESTAMP '2025-01-01 00:00:00+00:00' AS last_modified,
                  FALSE AS _deleted, 1 AS _generation, '{load.source.uri}' AS _object, '{load.load_id}' AS _load_id"""
            )
            pipeline.publish("file-staged", StagedMessage(load, contract).encode(), {"feed": "accounts"})
            pipeline.wait_until_idle()
    found = pipeline.connection.rows("SELECT _object FROM `main.accounts` WHERE customer_id IN ('tie-up', 'tie-down')")
    assert sorted(one["_object"] for one in found) == [
        "gs://landing/incoming/accounts/tie-down-b.csv",
        "gs://landing/incoming/accounts/tie-up-b.csv",
    ]
