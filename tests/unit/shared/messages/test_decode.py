"""Whatever arrives, the decoders give a value or the one named error."""

import base64
import contextlib
import hashlib
import json
from dataclasses import replace

from google.pubsub_v1.types import PubsubMessage
from hypothesis import given
from hypothesis import strategies as st

from services.shared.errors import PermanentError
from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from services.shared.messages.dead_letter import PREFIX, RESERVED_PREFIX, DeadLetter
from services.shared.messages.push import PushMessage
from services.shared.messages.staged import StagedMessage

_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["message", "data"]), inner),
)


@given(st.binary() | _JSON.map(lambda value: json.dumps(value).encode()))
def test_a_push_message_is_read_or_malformed(body: bytes) -> None:
    """The decoder raises nothing but the named error."""
    try:
        assert isinstance(PushMessage.decode(body), PushMessage)
    except PermanentError as error:
        assert error.reason == "malformed_message"


@given(st.binary() | _JSON.map(lambda value: json.dumps(value).encode()))
def test_a_staged_message_is_read_or_malformed(data: bytes) -> None:
    """The decoder raises nothing but the named error."""
    with contextlib.suppress(PermanentError):
        assert isinstance(StagedMessage.decode(data), StagedMessage)


@given(st.binary(), st.dictionaries(st.text(), st.text()))
def test_a_push_message_keeps_bytes_and_attributes(data: bytes, attributes: dict[str, str]) -> None:
    """A dead letter can give them back whole."""
    message = {"data": base64.b64encode(data).decode(), "attributes": attributes, "messageId": "7"}
    found = PushMessage.decode(json.dumps({"message": message, "deliveryAttempt": 3}).encode())
    assert (found.data, found.attributes, found.attempt) == (data, attributes, 3)


@given(
    st.binary(),
    st.dictionaries(
        st.sampled_from(["replay_of", "replay_count", "dropmerge_x", "googclient_x", "CloudPubSubDeadLetterX"])
        | st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
        st.text(st.characters(exclude_categories=["Cs"])),
    )
    | st.dictionaries(st.integers(0, 200).map(str), st.just("x"), min_size=80, max_size=110),
)
def test_g6_a_dead_letter_is_read_as_it_was_written(data: bytes, attributes: dict[str, str]) -> None:
    """In either shape: with the original's attributes beside ours, or the original as a whole in the data."""
    message = PushMessage(data, attributes, "7", "s", 3)
    subject = {"feed": "f", "bucket": "bucket", "object": "o", "generation": 5, "load_id": "i"}
    written = DeadLetter.of(message, "ingest", PermanentError("no_feed", "why"), subject)
    sent, beside = written.encode()
    read = DeadLetter.decode("ingest", PubsubMessage(data=sent, attributes=beside, message_id="9"), {})
    # What Google reserves for itself no publisher may set, and what begins as ours, or is a replay's, is ours.
    added = (RESERVED_PREFIX, PREFIX, "CloudPubSubDeadLetter")
    stamps = {"replay_of", "replay_count"}
    kept = {key: text for key, text in attributes.items() if not key.startswith(added) and key not in stamps}
    assert read == replace(written, id="9", attributes=kept)


def test_a_staged_message_ignores_fields_it_does_not_know() -> None:
    """Services of two ages run at once."""
    load = Load("accounts", ObjectGeneration("landing", "incoming/accounts/é*.csv", 2**60))
    fields = json.loads(StagedMessage(load, "c").encode()) | {"new": [1]}
    assert StagedMessage.decode(json.dumps(fields).encode()) == StagedMessage(load, "c")


def test_a_load_id_depends_on_each_part() -> None:
    """The id depends on nothing else, so it is the same in every process."""
    parts = [("f", "b", "o", 1), ("g", "b", "o", 1), ("f", "c", "o", 1), ("f", "b", "p", 1), ("f", "b", "o", 2)]
    assert len({Load(part[0], ObjectGeneration(*part[1:])).load_id for part in parts}) == 5
    assert Load("f", ObjectGeneration("b", "o", 1)).load_id == hashlib.sha256(b"f\0b\0o\0001").hexdigest()[:20]
