"""Who asks, by what Identity-Aware Proxy signs.

IAP puts a JSON web token into each request that it lets through, in the header `x-goog-iap-jwt-assertion`. The token
is verified here, so that nobody is believed where IAP is switched off or passed by. The headers beside it,
`x-goog-authenticated-user-email` and `-id`, are not signed and never read.
What has to hold: https://cloud.google.com/iap/docs/signed-headers-howto
"""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from dropmerge.page.access import Person, Refused, Role

if TYPE_CHECKING:
    from flask import Request

Keys = Mapping[str, str]
"""Id of a key to the public key, as PEM."""

HEADER = "x-goog-iap-jwt-assertion"
KEYS_URL = "https://www.gstatic.com/iap/verify/public_key"
_ISSUER = "https://cloud.google.com/iap"
_ALGORITHM = "ES256"
_SKEW_SECONDS = 30
"""How far the clocks of IAP and of this machine may be apart, by Google's page."""
_KEEP_SECONDS = 3600.0
_ASK_AGAIN_SECONDS = 60.0
"""After which an id that no key has is looked for anew: IAP's keys change now and then. Not sooner, for everybody can
make up ids."""
_TIMEOUT_SECONDS = 10.0

_NONE = (
    "this page is opened through Identity-Aware Proxy, and the request has no assertion of it; where the page's own "
    "address was used, IAP is switched off for this service, and `make deploy-console` switches it on again"
)
_INVALID = "Identity-Aware Proxy's assertion does not hold for this page: open the page anew to sign in again"
_NAMELESS = "Identity-Aware Proxy does not say whose e-mail address this is: sign in with an account that has one"
_NO_KEYS = f"Identity-Aware Proxy's keys cannot be read from {KEYS_URL}, so nobody can be known: try again in a minute"


def fetch_keys() -> Keys:
    """IAP's public keys of today. Raises OSError or ValueError."""
    with urllib.request.urlopen(KEYS_URL, timeout=_TIMEOUT_SECONDS) as response:
        found = json.load(response)
    if not isinstance(found, dict):
        raise ValueError("not a JSON object")
    return found


class Iap:
    """Access by IAP's assertion. `audience`: `/projects/NUMBER/locations/REGION/services/SERVICE`; a token for another
    service, which the same person can get, is worth nothing here."""

    def __init__(
        self,
        audience: str,
        role: Role,
        fetch: Callable[[], Keys] = fetch_keys,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._audience = audience
        self._role = role
        self._keys = _KeptKeys(fetch, clock)

    def person(self, request: Request) -> Person:
        """Who asks. Raises Refused: 403 without a valid assertion, 503 where IAP's keys cannot be read."""
        token = request.headers.get(HEADER)
        if not token:
            raise Refused(403, _NONE)
        claims = self._claims(token)
        email, subject = claims.get("email"), claims.get("sub")
        if not (isinstance(email, str) and email and isinstance(subject, str) and subject):
            raise Refused(403, _NAMELESS)
        return Person(email, self._role, subject)

    def _claims(self, token: str) -> Mapping[str, Any]:
        from google.auth import jwt
        from google.auth.exceptions import GoogleAuthError

        try:
            header = jwt.decode_header(token)  # type: ignore[no-untyped-call]
            # The token says how it is signed. Only what IAP uses is tried, whatever else the library knows.
            if header.get("alg") != _ALGORITHM or not isinstance(header.get("kid"), str):
                raise Refused(403, _INVALID)
            keys = self._keys.with_id(header["kid"])
            # What google.oauth2.id_token.verify_token does too, after it has fetched the keys for each single token.
            claims: Mapping[str, Any] = jwt.decode(  # type: ignore[no-untyped-call]
                token, keys, audience=self._audience, clock_skew_in_seconds=_SKEW_SECONDS
            )
        except (GoogleAuthError, ValueError, TypeError, RecursionError) as error:
            # Without the library's words, which quote the token.
            raise Refused(403, _INVALID) from error
        if claims.get("iss") != _ISSUER:
            raise Refused(403, _INVALID)
        return claims


class _KeptKeys:
    """Public keys, fetched once an hour by whichever request comes first; the others wait for it."""

    def __init__(self, fetch: Callable[[], Keys], clock: Callable[[], float]) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: Keys = {}
        self._fetched_at: float | None = None

    def with_id(self, key_id: str) -> Keys:
        """The keys, with that of this id if IAP has one. Raises Refused."""
        with self._lock:
            age = None if self._fetched_at is None else self._clock() - self._fetched_at
            if age is None or age > (_KEEP_SECONDS if key_id in self._keys else _ASK_AGAIN_SECONDS):
                self._renew()
            return self._keys

    def _renew(self) -> None:
        try:
            self._keys = self._fetch()
        except (OSError, ValueError) as error:
            raise Refused(503, _NO_KEYS) from error
        self._fetched_at = self._clock()
