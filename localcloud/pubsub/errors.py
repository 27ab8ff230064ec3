"""The one error a caller of the bus is shown: a gRPC status code and a sentence."""

import grpc


class BusError(Exception):
    """A request that is answered with a status other than OK."""

    def __init__(self, code: grpc.StatusCode, text: str) -> None:
        super().__init__(text)
        self.code = code


class PortInUseError(Exception):
    """Something else listens on the port."""


def invalid(text: str) -> BusError:
    """The request itself is wrong; repeating it will not help."""
    return BusError(grpc.StatusCode.INVALID_ARGUMENT, text)


def not_found(name: str) -> BusError:
    """The topic or subscription named does not exist."""
    return BusError(grpc.StatusCode.NOT_FOUND, f"Resource not found: {name}")


def already_exists(name: str) -> BusError:
    """A topic or subscription of this name is there already."""
    return BusError(grpc.StatusCode.ALREADY_EXISTS, f"Resource already exists: {name}")


def unsupported(what: str) -> BusError:
    """Pub/Sub can do it, this development server cannot."""
    return BusError(grpc.StatusCode.UNIMPLEMENTED, f"The development bus does not support {what}.")
