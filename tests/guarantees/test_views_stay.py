"""What people put on a view stays when a process starts, as long as the view says what it should."""

from google.cloud import bigquery

from services.merge.main_table import MainTables
from services.shared.contract.feed import Feed
from tests.harness.pipeline import Pipeline

_FEED = Feed.model_validate(
    {
        "feed": "viewed",
        "objects": "incoming/viewed/*",
        "format": {"type": "csv"},
        "table": "main.viewed",
        "key": ["id"],
        "version": "v",
        "history": True,
        "columns": [{"name": "id", "type": "STRING"}, {"name": "v", "type": "INT64"}],
    }
)


def test_a_view_is_replaced_only_where_its_query_is_another(pipeline: Pipeline) -> None:
    warehouse, project = pipeline.connection.warehouse, pipeline.connection.project
    MainTables(warehouse, project).ensure(_FEED)
    views = [f"{project}.main.viewed_current", f"{project}.main.viewed_history"]
    for name in views:
        view = bigquery.Table(name)
        view.description = "Ask Ada"
        view.labels = {"team": "ledger"}
        warehouse.update_table(view, "description", "labels")
    MainTables(warehouse, project).ensure(_FEED)
    found = [warehouse.client.get_table(name) for name in views]
    assert [(one.description, one.labels) for one in found] == [("Ask Ada", {"team": "ledger"})] * 2
    warehouse.query(f"CREATE OR REPLACE VIEW `{views[0]}` AS SELECT 1 AS stale")
    MainTables(warehouse, project).ensure(_FEED)
    assert [one.name for one in warehouse.client.get_table(views[0]).schema] == ["id", "v"]
