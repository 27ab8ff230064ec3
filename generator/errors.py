"""The one error that a person who runs the generator is shown."""


class GeneratorError(Exception):
    """Something asked for cannot be done; the message says what and where. Exit code 2."""


class MalformedFile(GeneratorError):
    """A file the pipeline would dead-letter as a whole, with the line (1 is the header) where that shows."""

    def __init__(self, path: object, line: int, why: str) -> None:
        super().__init__(f"{path}, line {line}: {why}")
        self.line = line
