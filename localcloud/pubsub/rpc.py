"""Turns plain methods into gRPC handlers, and `EmulatorError` into gRPC statuses."""

from collections.abc import Callable, Iterator
from typing import Any

import grpc
from google.protobuf import empty_pb2  # type: ignore[import-untyped]

from localcloud.pubsub.errors import EmulatorError


def unary(method: Callable[..., Any], request: Any, response: Any = None) -> Any:
    """A handler for `method(request, context)`; without a response type it answers Empty."""

    def call(message: Any, context: Any) -> Any:
        try:
            answer = method(message, context)
        except EmulatorError as error:
            context.abort(error.code, str(error))
        return empty_pb2.Empty() if response is None else answer

    serialize = empty_pb2.Empty.SerializeToString if response is None else response.serialize
    return grpc.unary_unary_rpc_method_handler(call, request.deserialize, serialize)


def streaming(method: Callable[..., Iterator[Any]], request: Any, response: Any) -> Any:
    """A handler for `method(requests, context)`, a generator of responses."""

    def call(messages: Any, context: Any) -> Iterator[Any]:
        try:
            yield from method(messages, context)
        except EmulatorError as error:
            context.abort(error.code, str(error))

    return grpc.stream_stream_rpc_method_handler(call, request.deserialize, response.serialize)


def service(name: str, handlers: dict[str, Any]) -> Any:
    """A gRPC service of these handlers; methods not listed answer UNIMPLEMENTED."""
    return grpc.method_handlers_generic_handler(name, handlers)
