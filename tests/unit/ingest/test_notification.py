"""A notification of Cloud Storage is decoded, or refused with one named error."""

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.notification import read_notification
from services.shared.errors import PermanentError
from services.shared.messages.push import PushMessage


@given(
    st.dictionaries(st.sampled_from(["eventType", "bucketId", "objectId", "objectGeneration"]), st.text()), st.binary()
)
def test_a_notification_is_read_or_malformed(attributes: dict[str, str], data: bytes) -> None:
    """The decoder raises nothing but the named error."""
    try:
        read_notification(PushMessage(data, attributes, "1", "s", 1))
    except PermanentError as error:
        assert error.reason == "malformed_message"
