"""A proxy before Pub/Sub's gRPC, which injects a script's faults into Publish."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from tests.harness.faults.calls import Call, Script

_CODES = {
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    500: grpc.StatusCode.INTERNAL,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}


class _Through(grpc.GenericRpcHandler):
    def __init__(self, script: Script, upstream: Callable[[], str]) -> None:
        self._script, self._upstream = script, upstream

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any]:
        method = str(details.method)
        return grpc.unary_unary_rpc_method_handler(lambda request, context: self._call(method, request, context))

    def _call(self, method: str, request: bytes, context: grpc.ServicerContext) -> bytes:
        fault = self._script.fault_for(Call("publish", "POST", method, request)) if "Publish" in method else None
        if fault and fault.act and not fault.lose_answer:
            fault.act()
        if fault and fault.answer:
            context.abort(_CODES.get(fault.answer.status, grpc.StatusCode.UNKNOWN), fault.answer.message)
        if fault and (fault.reset or fault.fail_job):
            context.abort(grpc.StatusCode.UNAVAILABLE, "injected")
        with grpc.insecure_channel(self._upstream(), options=[("grpc.enable_http_proxy", 0)]) as channel:
            through: Any = channel.unary_unary(method, None, None)
            try:
                answer: bytes = through(request, timeout=60)
            except grpc.RpcError as error:
                context.abort(error.code(), error.details() or "")
        if fault and fault.slow:
            time.sleep(fault.slow)
        if fault and fault.act and fault.lose_answer:
            fault.act()
        if fault and (fault.lose_answer or fault.truncate):
            context.abort(grpc.StatusCode.UNAVAILABLE, "the answer is lost")
        return answer


class PublishProxy:
    """Listens on a port of 127.0.0.1 until `close`."""

    def __init__(self, script: Script, upstream: Callable[[], str]) -> None:
        self._server = grpc.server(ThreadPoolExecutor(32))
        self._server.add_generic_rpc_handlers((_Through(script, upstream),))
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def close(self) -> None:
        self._server.stop(None).wait()
