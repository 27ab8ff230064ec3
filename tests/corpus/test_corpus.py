"""G2, G7: every nasty file, value and message comes to its expected end, and good files still flow."""

from __future__ import annotations

import time

import pytest

from services.shared.reasons import REASONS, ROW_REASONS
from tests.corpus.corpus import Outcomes
from tests.corpus.files import File, files, good
from tests.corpus.messages import Message, messages
from tests.corpus.values import Refused, Value, values
from tests.harness.pipeline import Pipeline

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("file", files(), ids=lambda file: file.name)
def test_g7_a_file_ends_as_expected(outcomes: Outcomes, file: File) -> None:
    """A file is merged with its rows as they were, or dead-lettered for its reason with none of its rows merged, or ignored."""
    found = outcomes.files[file.name]
    assert (found.state, found.dead_letter and found.dead_letter.reason) == (file.state, file.reason)
    assert file.words in (found.dead_letter.error if found.dead_letter else "")
    assert found.rows == file.rows


@pytest.mark.parametrize("value", values(), ids=lambda value: value.label)
def test_g7_a_value_is_kept_or_refused(outcomes: Outcomes, value: Value) -> None:
    """A value is kept exactly, or its row is set aside with the reason."""
    found = outcomes.values[value.label]
    if isinstance(found, Refused) or isinstance(value.becomes, Refused):
        assert found == value.becomes
    else:
        kept = found["_deleted" if value.column == "operation" else value.column]
        assert (type(kept), kept) == (type(value.becomes), value.becomes)


@pytest.mark.parametrize("message", messages(), ids=lambda message: message.name)
def test_g2_a_message_ends_as_expected(outcomes: Outcomes, message: Message) -> None:
    """Every message is acknowledged; one that cannot be used becomes one dead letter with its bytes and attributes whole."""
    if message.is_push_body:
        assert outcomes.answers[message.name] == 204
    else:
        assert outcomes.logged[message.name] == (message.ends, message.reason)
    original = (message.service, message.data, message.kept)
    reasons = [one.reason for one in outcomes.dead_letters if (one.service, one.data, one.attributes) == original]
    assert reasons == ([message.reason] if message.reason else [])


def test_g2_nothing_ends_but_as_expected(outcomes: Outcomes) -> None:
    """There is no dead letter that nothing in the corpus accounts for."""
    dead = [one.reason for one in files() if one.reason] + [one.reason for one in messages() if one.reason]
    assert len(outcomes.dead_letters) == len(dead)


def test_g7_reasons_are_listed(outcomes: Outcomes) -> None:
    """Each reason the corpus meets has its sentence."""
    assert {one.reason for one in outcomes.dead_letters} <= set(REASONS)
    refused = [found for found in outcomes.values.values() if isinstance(found, Refused)]
    assert {reason.partition(":")[0] for one in refused for reason in one.reasons} <= set(ROW_REASONS)


def test_g7_good_files_still_flow(pipeline: Pipeline, outcomes: Outcomes) -> None:
    """Good files that are dropped after all of the corpus are merged."""
    before = len(outcomes.dead_letters)
    keys = {f"afterwards-{n}" for n in range(3)}
    for key in keys:
        pipeline.drop(f"{key}.csv", good(key), feed="strict")
    pipeline.wait_until_idle()
    found = pipeline.connection.rows("SELECT id FROM `main.strict_current` WHERE id LIKE 'afterwards-%'")
    assert {row["id"] for row in found} == keys
    assert len(pipeline.dead_letters()) == before


def test_g2_two_slashes_in_a_name(pipeline: Pipeline) -> None:
    """The file is merged. The local bucket then lists it under another name, with one slash, so it is removed here."""
    bucket = pipeline.connection.storage.bucket("landing")
    bucket.blob("incoming/strict/deep//slash.csv").upload_from_string(good("two-slashes"))
    try:
        _await_row(pipeline, "two-slashes")
    finally:
        bucket.blob("incoming/strict/deep/slash.csv").delete()


def _await_row(pipeline: Pipeline, key: str) -> None:
    deadline = time.monotonic() + 60
    while not pipeline.connection.rows("SELECT id FROM `main.strict_current` WHERE id = @id", {"id": ("STRING", key)}):
        assert time.monotonic() < deadline, f"no row {key}"
        time.sleep(0.1)
