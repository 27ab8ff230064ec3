"""Whatever a contract says, the statement that checks its files names no parameter that is not sent."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from services.ingest.check_rows import check_statement
from services.ingest.match_header import match_header
from services.ingest.row_texts import parameters
from services.ingest.tables import Tables
from services.shared.contract.feed import Feed
from services.shared.contract.shape import titles
from tests.harness.changes.history import terms
from tests.harness.changes.notation import POOLS, Column

_OF_THE_LOAD = {"created", "generation", "object", "load_id"}
_LITERAL = re.compile(r"""r?'(?:[^'\\]|\\.)*'|`[^`]*`""", re.DOTALL)


@settings(max_examples=300)
@given(st.data())
def test_each_parameter_that_the_check_names_is_sent(data: DataObject) -> None:
    kinds = data.draw(st.lists(st.sampled_from(sorted(POOLS)), max_size=4, unique=True))
    more = tuple(Column(f"x_{kind.lower()}", kind, data.draw(st.booleans())) for kind in kinds)
    drawn = data.draw(terms(more, data.draw(st.sampled_from(["upsert", "append", "snapshot"]))))
    feed = Feed.model_validate(drawn.yaml("drawn"))
    layout = match_header(titles(feed), feed)
    sql = check_statement(feed, Tables(*["local.staging.t"] * 4), layout)
    named = set(re.findall(r"@(\w+)", _LITERAL.sub("", sql)))
    assert named - _OF_THE_LOAD <= set(parameters(feed, layout))
