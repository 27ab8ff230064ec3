"""The rows that a main table had before its first file: kept apart when it was adopted, for no file has them."""

from __future__ import annotations

from pathlib import Path

from dropmerge.operations.adopt import adopted_table
from dropmerge.operations.rebuild.build import Build
from services.merge.follow import definition, standard
from services.merge.main_table import MainTable
from services.merge.staged import Staged
from services.shared.contract.order import ADOPTED
from services.shared.sql import Templates

_SQL = Templates(Path(__file__).parent)


def stage_adopted(build: Build, main: MainTable, main_table: str) -> Staged | None:
    """Those of this main table as a staging table, in the contract's columns and types; None where there are none."""
    kept = adopted_table(build.contract.model_copy(update={"table": main_table}))
    found = build.warehouse.find_table(f"{build.project}.{kept}")
    if found is None:
        return None
    staging = build.staging_table(ADOPTED, main)
    there = {field.name.lower(): standard(field) for field in found.schema}
    columns = [(one.name, standard(one), there.get(one.name.lower())) for one in definition(build.contract)]
    sql = _SQL.render("stage_adopted.sql", staging=staging, adopted=str(found.reference), columns=columns)
    build.warehouse.query(sql)
    return Staged(ADOPTED, staging)
