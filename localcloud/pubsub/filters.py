"""Pub/Sub's filter language for attributes, compiled to a predicate.

As there, AND and OR cannot be mixed without parentheses, and `!=` also holds where the attribute is missing.
"""

import re
from collections.abc import Callable, Mapping

from localcloud.pubsub.errors import invalid

Predicate = Callable[[Mapping[str, str]], bool]

MAX_FILTER_BYTES = 256
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<word>[A-Za-z_][A-Za-z0-9_\-]*)
      | (?P<sign>!=|[().,:=\-])
    )""",
    re.VERBOSE,
)
_KEYWORDS = {"AND", "OR", "NOT"}


def compile_filter(text: str) -> Predicate:
    """The predicate for `text`; an empty filter lets everything through, a bad one is INVALID_ARGUMENT."""
    if not text.strip():
        return lambda attributes: True
    if len(text.encode()) > MAX_FILTER_BYTES:
        raise invalid(f"The filter is longer than {MAX_FILTER_BYTES} bytes.")
    return _Parser(text).parse()


def _tokens(text: str) -> list[str]:
    found, position = [], 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None:
            raise invalid(f"The filter cannot be read from here on: {text[position:].strip()}")
        found.append(match.group().strip())
        position = match.end()
    return found


def _unquote(token: str) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1])


class _Parser:
    """Recursive descent: expression > negation > condition."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._left = _tokens(text)

    def parse(self) -> Predicate:
        predicate = self._expression()
        if self._left:
            raise self._error(f'unexpected "{self._left[0]}"')
        return predicate

    def _expression(self) -> Predicate:
        parts = [self._negation()]
        joiner = self._peek()
        if joiner not in ("AND", "OR"):
            return parts[0]
        while self._peek() in ("AND", "OR"):
            if self._take() != joiner:
                raise self._error("AND and OR need parentheses to be mixed")
            parts.append(self._negation())
        together = all if joiner == "AND" else any
        return lambda attributes: together(part(attributes) for part in parts)

    def _negation(self) -> Predicate:
        if self._peek() in ("NOT", "-"):
            self._take()
            negated = self._negation()
            return lambda attributes: not negated(attributes)
        if self._peek() == "(":
            self._take()
            inner = self._expression()
            self._expect(")")
            return inner
        return self._condition()

    def _condition(self) -> Predicate:
        if self._peek() == "hasPrefix":
            return self._has_prefix()
        self._expect("attributes")
        if self._peek() == ":":
            self._take()
            present = self._key()
            return lambda attributes: present in attributes
        self._expect(".")
        key = self._key()
        sign = self._take()
        if sign not in ("=", "!="):
            raise self._error(f'expected = or != after attributes.{key}, not "{sign}"')
        value = self._string()
        if sign == "=":
            return lambda attributes: attributes.get(key) == value
        return lambda attributes: attributes.get(key) != value

    def _has_prefix(self) -> Predicate:
        for sign in ("hasPrefix", "(", "attributes", "."):
            self._expect(sign)
        key = self._key()
        self._expect(",")
        prefix = self._string()
        self._expect(")")
        return lambda attributes: key in attributes and attributes[key].startswith(prefix)

    def _key(self) -> str:
        token = self._take()
        if token.startswith('"'):
            return _unquote(token)
        if not re.match(r"[A-Za-z_]", token) or token in _KEYWORDS:
            raise self._error(f'expected an attribute key, not "{token}"')
        return token

    def _string(self) -> str:
        token = self._take()
        if not token.startswith('"'):
            raise self._error(f"expected a string in double quotes, not {token or 'the end'}")
        return _unquote(token)

    def _peek(self) -> str:
        return self._left[0] if self._left else ""

    def _take(self) -> str:
        return self._left.pop(0) if self._left else ""

    def _expect(self, wanted: str) -> None:
        got = self._take()
        if got != wanted:
            raise self._error(f'expected "{wanted}", not "{got or "the end"}"')

    def _error(self, why: str) -> Exception:
        return invalid(f"Bad filter {self._text!r}: {why}.")
