"""The errors of the emulator: the one that a caller sees has a gRPC status code and a sentence."""

import grpc


class EmulatorError(Exception):
    """A request that is answered with a status other than OK."""

    def __init__(self, code: grpc.StatusCode, text: str) -> None:
        super().__init__(text)
        self.code = code


class PortInUseError(Exception):
    """Something else listens on the port."""


def invalid(text: str) -> EmulatorError:
    """The request itself is wrong; repeating it will not help."""
    return EmulatorError(grpc.StatusCode.INVALID_ARGUMENT, text)


def not_found(name: str) -> EmulatorError:
    """The topic or subscription named does not exist."""
    return EmulatorError(grpc.StatusCode.NOT_FOUND, f"Resource not found: {name}")


def already_exists(name: str) -> EmulatorError:
    """A topic or subscription of this name is there already."""
    return EmulatorError(grpc.StatusCode.ALREADY_EXISTS, f"Resource already exists: {name}")


def unsupported(what: str) -> EmulatorError:
    """Pub/Sub supports it, the emulator does not."""
    return EmulatorError(grpc.StatusCode.UNIMPLEMENTED, f"The Pub/Sub emulator does not support {what}.")
