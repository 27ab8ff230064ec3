"""The errors that the generator reports to its user."""


class GeneratorError(Exception):
    """The generator cannot do what was asked; the message says what and where. The exit code is 2."""


class MalformedFile(GeneratorError):
    """A file that the pipeline would dead-letter as a whole, with the line of the fault (1 is the header)."""

    def __init__(self, path: object, line: int, why: str) -> None:
        super().__init__(f"{path}, line {line}: {why}")
        self.line = line
