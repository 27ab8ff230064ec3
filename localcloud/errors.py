"""What can go wrong with a local cloud, in words for the person at the terminal."""


class CloudError(Exception):
    """The local cloud cannot do what was asked; the message says why, and the mend."""


class Interrupted(CloudError):
    """Ctrl-C or SIGTERM came while the local cloud was starting."""
