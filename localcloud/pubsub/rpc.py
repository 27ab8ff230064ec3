"""Turns plain methods into gRPC handlers, and `EmulatorError` into gRPC statuses."""

from collections.abc import Callable, Iterator
from typing import Any

import grpc

from localcloud.pubsub.errors import EmulatorError


def unary(method: Callable[..., Any], request: Any, response: Any = None) -> Any:
    """A handler for `method(request, context)`; without a response type it answers Empty."""
    serialize = _empty if response is None else response.serialize
    return grpc.unary_unary_rpc_method_handler(_reporting(method), request.deserialize, serialize)


def bare_unary(method: Callable[..., Any], request: Any, response: Any = None) -> Any:
    """As `unary`, of bare protobufs: for the calls of each message, to which the wrapper's cost would matter."""
    serialize = _empty if response is None else response.SerializeToString
    return grpc.unary_unary_rpc_method_handler(_reporting(method), request.FromString, serialize)


def bare_streaming(method: Callable[..., Iterator[Any]], request: Any, response: Any) -> Any:
    """A handler for `method(requests, context)`, a generator of responses; both types are bare protobufs."""

    def call(messages: Any, context: Any) -> Iterator[Any]:
        try:
            yield from method(messages, context)
        except EmulatorError as error:
            context.abort(error.code, str(error))

    return grpc.stream_stream_rpc_method_handler(call, request.FromString, response.SerializeToString)


def _reporting(method: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    def call(message: Any, context: Any) -> Any:
        try:
            return method(message, context)
        except EmulatorError as error:
            context.abort(error.code, str(error))

    return call


def _empty(_: None) -> bytes:
    """google.protobuf.Empty on the wire."""
    return b""


def service(name: str, handlers: dict[str, Any]) -> Any:
    """A gRPC service of these handlers; methods not listed answer UNIMPLEMENTED."""
    return grpc.method_handlers_generic_handler(name, handlers)
