"""Only what Identity-Aware Proxy signed for this page says who asks. The tests sign with keys of their own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import time
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask import Request
from werkzeug.test import EnvironBuilder

from dropmerge.page import iap
from dropmerge.page.access import Person, Refused, Role
from dropmerge.page.iap import Iap

AUDIENCE = "/projects/12345/locations/europe-west1/services/dropmerge-console-viewer"
KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)
Signer = Callable[[bytes], bytes]


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def es256(key: ec.EllipticCurvePrivateKey = KEY) -> Signer:
    def sign(text: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(text, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return sign


def rs256(text: bytes) -> bytes:
    return RSA_KEY.sign(text, padding.PKCS1v15(), hashes.SHA256())


def hs256(text: bytes) -> bytes:
    """With the public key as the secret, which everybody has."""
    return hmac.new(pem(KEY).encode(), text, hashlib.sha256).digest()


def unsigned(_: bytes) -> bytes:
    return b""


def encoded(part: bytes) -> bytes:
    return base64.urlsafe_b64encode(part).rstrip(b"=")


def token(sign: Signer | None = None, header: Mapping[str, object] | None = None, **claims: object) -> str:
    """As IAP makes one, but for what is given; a claim that is None is left out."""
    now = int(time.time())
    whole = {
        "iss": "https://cloud.google.com/iap",
        "aud": AUDIENCE,
        "email": "ada@example.com",
        "sub": "accounts.google.com:1",
        "iat": now - 5,
        "exp": now + 600,
        **claims,
    }
    head = {"alg": "ES256", "typ": "JWT", "kid": "k1", **(header or {})}
    payload = {name: value for name, value in whole.items() if value is not None}
    text = b".".join(encoded(json.dumps(part).encode()) for part in (head, payload))
    return (text + b"." + encoded((sign or es256())(text))).decode()


def request(assertion: str | None, **headers: str) -> Request:
    given = {**headers, **({} if assertion is None else {"x-goog-iap-jwt-assertion": assertion})}
    return Request(EnvironBuilder(headers=list(given.items())).get_environ())


class Google:
    """IAP's keys, and how often they were asked for; `now` is the time of who keeps them."""

    def __init__(self, **keys: str) -> None:
        self.keys = keys or {"k1": pem(KEY), "rsa": pem(RSA_KEY)}
        self.asked = 0
        self.now = 1000.0
        self.error: Exception | None = None

    def fetch(self) -> Mapping[str, str]:
        self.asked += 1
        if self.error:
            raise self.error
        return dict(self.keys)

    def iap(self, role: Role = Role.VIEWER) -> Iap:
        return Iap(AUDIENCE, role, self.fetch, lambda: self.now)


@pytest.mark.parametrize("role", list(Role))
def test_an_assertion_says_who_asks(role: Role) -> None:
    """The name is the e-mail address, which people know; forms are bound to the subject, which never changes."""
    who = Google().iap(role).person(request(token()))
    assert who == Person("ada@example.com", role, "accounts.google.com:1")


NOW = int(time.time())
FORGED: dict[str, Callable[[], str]] = {
    "garbage": lambda: "garbage",
    "not base64": lambda: "é.é.é",
    "three empty parts": lambda: "..",
    "a header that is no object": lambda: b".".join([encoded(b"1"), encoded(b"{}"), b""]).decode(),
    "a very deep header": lambda: b".".join([encoded(b"[" * 100_000), encoded(b"{}"), b""]).decode(),
    "alg none": lambda: token(unsigned, {"alg": "none"}),
    "no alg": lambda: token(unsigned, {"alg": None}),
    "no signature": lambda: token(unsigned),
    "HS256 with the public key": lambda: token(hs256, {"alg": "HS256"}),
    "RS256 with a key that is listed": lambda: token(rs256, {"alg": "RS256", "kid": "rsa"}),
    "ES256 by the id of an RSA key": lambda: token(header={"kid": "rsa"}),
    "another key": lambda: token(es256(OTHER_KEY)),
    "an id that no key has": lambda: token(header={"kid": "k2"}),
    "no id of a key": lambda: token(header={"kid": None}),
    "the id of a key that is no text": lambda: token(header={"kid": ["k1"]}),
    "another service's audience": lambda: token(aud=AUDIENCE.replace("viewer", "operator")),
    "a list of audiences": lambda: token(aud=[AUDIENCE]),
    "no audience": lambda: token(aud=None),
    "another issuer": lambda: token(iss="https://accounts.google.com"),
    "no issuer": lambda: token(iss=None),
    "expired": lambda: token(iat=NOW - 700, exp=NOW - 60),
    "no expiry": lambda: token(exp=None),
    "issued in the future": lambda: token(iat=NOW + 86_400, exp=NOW + 90_000),
    "a time of issue that is text": lambda: token(iat="now"),
    "no time of issue": lambda: token(iat=None),
    "no e-mail": lambda: token(email=None),
    "an empty e-mail": lambda: token(email=""),
    "no subject": lambda: token(sub=None),
}


@pytest.mark.parametrize("forged", FORGED)
def test_a_forged_assertion_is_refused(forged: str) -> None:
    """The sentence says nothing of the token."""
    with pytest.raises(Refused) as refused:
        Google().iap().person(request(FORGED[forged]()))
    assert refused.value.status == 403
    assert "Identity-Aware Proxy" in str(refused.value)
    assert "accounts.google.com" not in str(refused.value)


def test_another_payload_under_a_signature_of_iap_is_refused() -> None:
    """The signature is of header and payload."""
    head, _, signature = token().split(".")
    _, payload, _ = token(email="eve@example.com").split(".")
    with pytest.raises(Refused) as refused:
        Google().iap().person(request(f"{head}.{payload}.{signature}"))
    assert refused.value.status == 403


def test_headers_that_are_not_signed_are_not_believed() -> None:
    """Without IAP everybody can send them: as when it is switched off, in which case the sentence says so."""
    claimed = {
        "x-goog-authenticated-user-email": "accounts.google.com:ada@example.com",
        "x-goog-authenticated-user-id": "accounts.google.com:1",
    }
    with pytest.raises(Refused) as refused:
        Google().iap().person(request(None, **claimed))
    assert refused.value.status == 403
    assert "IAP is switched off" in str(refused.value)


def test_they_do_not_change_who_asks_either() -> None:
    claimed = {"x-goog-authenticated-user-email": "accounts.google.com:eve@example.com"}
    assert Google().iap().person(request(token(), **claimed)).name == "ada@example.com"


@pytest.mark.parametrize("seconds", [-20, 20])
def test_clocks_may_differ_by_half_a_minute(seconds: int) -> None:
    """A token that has just ended, and one that is about to be made."""
    now = int(time.time())
    held = token(iat=now - 600, exp=now + seconds) if seconds < 0 else token(iat=now + seconds, exp=now + 600)
    assert Google().iap().person(request(held)).name == "ada@example.com"


def test_keys_are_fetched_once_an_hour() -> None:
    """And not for each request."""
    google = Google()
    access = google.iap()
    for _ in range(3):
        access.person(request(token()))
    assert google.asked == 1
    google.now += 3601
    access.person(request(token()))
    assert google.asked == 2


def test_a_key_that_iap_took_back_is_forgotten() -> None:
    google = Google()
    access = google.iap()
    access.person(request(token()))
    google.keys = {"k9": pem(OTHER_KEY)}
    google.now += 3601
    with pytest.raises(Refused):
        access.person(request(token()))


def test_a_new_key_is_found_within_a_minute() -> None:
    """Ids that somebody makes up do not have the keys fetched more often than that."""
    google = Google()
    access = google.iap()
    access.person(request(token()))
    google.keys = {"k2": pem(OTHER_KEY)}
    new = token(es256(OTHER_KEY), {"kid": "k2"})
    for _ in range(3):
        with pytest.raises(Refused):
            access.person(request(new))
    assert google.asked == 1
    google.now += 61
    assert access.person(request(new)).name == "ada@example.com"
    assert google.asked == 2


@pytest.mark.parametrize("error", [OSError("no route"), ValueError("not JSON")])
def test_without_iap_s_keys_nobody_is_known(error: Exception) -> None:
    """Nor once they are old; the next request asks again."""
    google = Google()
    google.error = error
    access = google.iap()
    with pytest.raises(Refused) as refused:
        access.person(request(token()))
    assert refused.value.status == 503
    google.error = None
    assert access.person(request(token())).name == "ada@example.com"
    google.error = error
    google.now += 3601
    with pytest.raises(Refused) as refused:
        access.person(request(token()))
    assert refused.value.status == 503


def test_keys_are_asked_for_at_google_s_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address that Google's page names, which has keys as PEM by their ids."""
    asked: list[Any] = []

    def answer(url: str, timeout: float) -> io.BytesIO:
        asked.append((url, timeout))
        return io.BytesIO(json.dumps({"k1": pem(KEY)}).encode())

    monkeypatch.setattr(urllib.request, "urlopen", answer)
    assert iap.fetch_keys() == {"k1": pem(KEY)}
    assert asked == [("https://www.gstatic.com/iap/verify/public_key", 10.0)]
    monkeypatch.setattr(urllib.request, "urlopen", lambda url, timeout: io.BytesIO(b"[]"))
    with pytest.raises(ValueError, match="not a JSON object"):
        iap.fetch_keys()
