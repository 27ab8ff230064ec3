"""Errors of the local cloud; their messages are shown at the terminal."""


class CloudError(Exception):
    """The local cloud cannot do what was asked; the message says why and what to do."""


class Interrupted(CloudError):
    """Ctrl-C or SIGTERM came while the local cloud was starting."""
