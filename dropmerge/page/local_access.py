"""Who asks of a page on this machine: whoever has the address that the command printed, with its token.

The machine has other users, and its browser shows other sites: a page of theirs can send requests to 127.0.0.1, and a
name of theirs can be made to mean it (DNS rebinding). So the port is asked for by its own name only, and the token
becomes a cookie that no other site's request carries.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field

from flask import Request, Response, redirect

from dropmerge.page.access import Person, Refused, Role

_HOSTS = ("127.0.0.1", "localhost")


@dataclass(frozen=True)
class Local:
    who: str
    """The account that runs the command."""
    port: int
    role: Role
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    @property
    def address(self) -> str:
        """With the token: whoever has it is let in."""
        return f"http://127.0.0.1:{self.port}/enter?token={self.token}"

    def person(self, request: Request) -> Person:
        """Raises Refused where the cookie or the Host is not ours."""
        self._require_host(request)
        if not self._is_token(request.cookies.get(self._cookie, "")):
            raise Refused(403, "Open the page by the address that `dropmerge console` printed last: it has a token.")
        return Person(self.who, self.role, self.token)

    def enter(self, request: Request) -> Response:
        """Take the token of the printed address for the cookie. Raises Refused."""
        self._require_host(request)
        if not self._is_token(request.args.get("token", "")):
            raise Refused(403, "That token is of another run: use the address that `dropmerge console` printed last.")
        response = redirect("/")
        assert isinstance(response, Response)
        response.set_cookie(self._cookie, self.token, httponly=True, samesite="Strict")
        return response

    @property
    def _cookie(self) -> str:
        # Cookies know no ports: two pages on one machine have two.
        return f"dropmerge-{self.port}"

    def _require_host(self, request: Request) -> None:
        if request.host not in [f"{host}:{self.port}" for host in _HOSTS]:
            raise Refused(403, f"This page is http://127.0.0.1:{self.port} and has no other name.")

    def _is_token(self, text: str) -> bool:
        return hmac.compare_digest(text.encode(), self.token.encode())
