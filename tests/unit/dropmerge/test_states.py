"""One function says where a load stands, whoever asks: from the ledger first, then the journal's final states, then
what is there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dropmerge.operations.loads.states import Evidence, State, state_of
from services.shared.generation import ObjectGeneration
from services.shared.load import Load

_NOTHING = Evidence(False)
_LOAD = Load("accounts", ObjectGeneration("landing", "incoming/accounts/a.csv", 5))
_LOADED = Evidence(False, ["arrived", "checked"], True, _LOAD, lambda: [_LOAD.raw_table("c")])
_STAGED = replace(_LOADED, tables=lambda: [_LOAD.raw_table("c"), _LOAD.staging_table("c")])


@pytest.mark.parametrize(
    ("evidence", "state"),
    [
        pytest.param(_NOTHING, State.UNKNOWN, id="nothing is known"),
        pytest.param(replace(_STAGED, is_merged=True), State.MERGED, id="the ledger holds it, a table is left"),
        pytest.param(_STAGED, State.STAGED, id="the staging table comes before the raw table"),
        pytest.param(_LOADED, State.LOADED, id="the raw table is there"),
        pytest.param(Evidence(False, ["pinned"], True, is_pinned=lambda: True), State.PINNED, id="its copy is there"),
        pytest.param(Evidence(False, ["checked"], True), State.ARRIVED, id="a service has recorded an event"),
        pytest.param(Evidence(False, ["merged"], True), State.ARRIVED, id="only the ledger says merged"),
        pytest.param(Evidence(False, ["announced"]), State.UNKNOWN, id="a command has recorded an event"),
        pytest.param(Evidence(False, ["dead_lettered"], True), State.DEAD_LETTERED, id="it is a dead letter"),
        pytest.param(Evidence(False, ["dead_lettered", "arrived"], True), State.ARRIVED, id="it was replayed"),
        pytest.param(
            Evidence(False, ["dead_lettered", "failed"], True), State.DEAD_LETTERED, id="another delivery of it failed"
        ),
        pytest.param(
            Evidence(False, ["pinned", "discarded"], True), State.DEAD_LETTERED, id="Pub/Sub's own, discarded"
        ),
        pytest.param(Evidence(False, ["superseded", "discarded"], True), State.SUPERSEDED, id="a final state stays"),
        pytest.param(Evidence(False, is_unwanted=True), State.IGNORED, id="no feed wants it"),
        pytest.param(Evidence(False, is_overwritten=lambda: True), State.SUPERSEDED, id="a newer one is in its place"),
    ],
)
def test_the_state_of_a_load(evidence: Evidence, state: State) -> None:
    assert state_of(evidence) == state


def test_each_state_has_a_sentence_and_the_word_that_json_has() -> None:
    assert [str(state) for state in State] == [
        *("arrived", "pinned", "loaded", "staged", "merged", "dead_lettered", "superseded", "ignored", "unknown")
    ]
    assert all(state.sentence.endswith(".") for state in State)
    assert [state for state in State if state.is_terminal] == [
        *(State.MERGED, State.DEAD_LETTERED, State.SUPERSEDED, State.IGNORED)
    ]
