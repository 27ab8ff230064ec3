"""The `dropmerge` command."""

import locale
import os
import sys
from io import TextIOWrapper

from dropmerge.cli.main import app


def main() -> None:
    """Run the command line, whatever the locale and whichever streams are closed."""
    encoding = locale.getencoding()
    if not sys.flags.utf8_mode and encoding.lower() != "utf-8":
        # Names of objects and files are UTF-8 whatever the locale; from Python 3.15 on this is the default (PEP 686).
        again = [sys.executable, "-X", "utf8", *sys.orig_argv[1:]]
        os.execv(sys.executable, again)  # noqa: S606 - itself, no shell needed
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - until the process ends
        elif isinstance(stream, TextIOWrapper) and mode == "w":
            # The terminal still has the locale's encoding; what it cannot show is escaped, and no reason to fail.
            stream.reconfigure(encoding=encoding, errors="backslashreplace")
    app()


if __name__ == "__main__":
    main()
