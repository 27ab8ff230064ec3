"""Publishing in requests of the size that Pub/Sub allows."""

from services.shared.publisher import Message, _requests


def _sizes(messages: list[Message]) -> list[int]:
    """How many messages each request has; none is lost, and their order stays."""
    requests = list(_requests(messages))
    assert [one.data for request in requests for one in request] == [data for data, _ in messages]
    return [len(request) for request in requests]


def test_no_request_has_more_than_500_messages() -> None:
    assert _sizes([(f"{n}".encode(), {}) for n in range(1001)]) == [500, 500, 1]


def test_no_request_has_more_than_9_mb() -> None:
    """Attributes counted in; a message that alone is larger is sent alone."""
    large: list[Message] = [(b"a" * 5_000_000, {}), (b"b" * 9_500_000, {}), (b"c", {"k": "é" * 2_200_000})]
    assert _sizes([*large, (b"d" * 4_500_000, {}), (b"e", {})]) == [1, 1, 1, 2]


def test_no_messages_are_no_request() -> None:
    assert _sizes([]) == []
