"""Whatever arrives, decoding a message gives a value or the one named error."""

import base64
import contextlib
import json

from hypothesis import given
from hypothesis import strategies as st

from services.shared.errors import PermanentError
from services.shared.load import Load
from services.shared.messages.push import PushMessage, decode_push
from services.shared.messages.staged import StagedMessage

_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["message", "data"]), inner),
)


@given(st.binary() | _JSON.map(lambda value: json.dumps(value).encode()))
def test_an_envelope_is_read_or_malformed(body: bytes) -> None:
    """Nothing else is raised."""
    try:
        assert isinstance(decode_push(body), PushMessage)
    except PermanentError as error:
        assert error.reason == "malformed_message"


@given(st.binary() | _JSON.map(lambda value: json.dumps(value).encode()))
def test_a_staged_message_is_read_or_malformed(data: bytes) -> None:
    """Nothing else is raised."""
    with contextlib.suppress(PermanentError):
        assert isinstance(StagedMessage.decode(data), StagedMessage)


@given(st.binary(), st.dictionaries(st.text(), st.text()))
def test_an_envelope_keeps_bytes_and_attributes(data: bytes, attributes: dict[str, str]) -> None:
    """A dead letter can give them back whole."""
    message = {"data": base64.b64encode(data).decode(), "attributes": attributes, "messageId": "7"}
    found = decode_push(json.dumps({"message": message, "deliveryAttempt": 3}).encode())
    assert (found.data, found.attributes, found.attempt) == (data, attributes, 3)


def test_a_staged_message_ignores_fields_it_does_not_know() -> None:
    """Services of two ages run at once."""
    load = Load("accounts", "landing", "incoming/accounts/é*.csv", 2**60)
    fields = json.loads(StagedMessage(load).encode()) | {"new": [1]}
    assert StagedMessage.decode(json.dumps(fields).encode()) == StagedMessage(load)
