"""Forms that change something: each is of this page, of this person, and is carried out once."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from urllib.parse import urlsplit

from flask import Request

from dropmerge.page.access import Person, Refused, Role

FIELD = "csrf"
READ_ONLY = "You may look and change nothing: this console, or your account, is read-only."
"""What a viewer is told."""
MAX_BYTES = 1_000_000
"""Of a form: it may name ten thousand dead letters."""


class Forms:
    """Their key is of one process: a form that an earlier one has shown is refused, and has to be opened again."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def token(self, person: Person) -> str:
        """To put into a form that is shown to this person."""
        return hmac.new(self._key, person.session.encode(), hashlib.sha256).hexdigest()

    def require(self, request: Request, person: Person) -> None:
        """Raises Refused for what was not sent by a form of this page that this person was shown."""
        origin = request.headers.get("Origin", "")
        is_own = urlsplit(origin).netloc == request.host
        if not is_own or request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            raise Refused(403, "This was not sent by this page: another site may have asked your browser to.")
        if not hmac.compare_digest(request.form.get(FIELD, "").encode(), self.token(person).encode()):
            raise Refused(
                403, "This form is of an earlier run of the console: go back, load the page again, and repeat."
            )

    def require_operator(self, request: Request, person: Person) -> None:
        """As `require`, of somebody who may change something, or see values. Raises Refused."""
        self.require(request, person)
        if person.role != Role.OPERATOR:
            raise Refused(403, READ_ONLY)


def new_key() -> str:
    """Of one form: sent twice, it is carried out once. The operation has it as its id."""
    return uuid.uuid4().hex[:12]
