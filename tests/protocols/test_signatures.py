"""Signed messages: our end against the merchant's, which is written apart, and every forgery."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest

from checkout.merchant_connectors._ucp_signatures import (
    TOLERANCE,
    PlatformKey,
    Unsigned,
    check_signature,
    platform_key,
    signed_headers,
)
from comptoir.protocol_merchant import ucp_signatures as merchant_end
from comptoir.protocol_merchant.ucp_signatures import Forged, Message

URL = "https://shop.example/ucp/checkout-sessions?x=1"
BODY = b'{"line_items":[]}'
HEADERS = {
    "Content-Type": "application/json",
    "UCP-Agent": 'profile="https://platform.example/.well-known/ucp"',
    "Idempotency-Key": "0b1e5f0e-6a57-4a52-9b1c-3f3f6f0f7a11",
}


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> PlatformKey:
    return platform_key(tmp_path_factory.mktemp("key") / "key.pem")


def small(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def test_the_key_is_drawn_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "secrets" / "key.pem"
    first = platform_key(file)
    assert platform_key(file).public_jwk() == first.public_jwk()
    assert file.stat().st_mode & 0o077 == 0
    assert set(first.public_jwk()) == {"kid", "kty", "crv", "alg", "use", "x", "y"}


@pytest.mark.parametrize(("method", "body"), [("POST", BODY), ("GET", None)])
def test_what_we_sign_the_merchant_accepts(
    key: PlatformKey, method: str, body: bytes | None
) -> None:
    headers = small(signed_headers(key, method, URL, HEADERS, body))
    merchant_end.check([key.public_jwk()], Message(method, URL, headers, body or b""))
    with pytest.raises(Forged):
        merchant_end.check([key.public_jwk()], Message("PUT", URL, headers, body or b""))


def test_what_the_merchant_signs_we_accept(tmp_path: Path) -> None:
    key = merchant_end.signing_key(tmp_path / "merchant.pem")
    sent = merchant_end.signed(key, "shop-1", Message("POST", URL, small(HEADERS), BODY))
    other = {"kid": "odd", "kty": "OKP", "crv": "Ed25519", "x": "AA"}
    check_signature([other, merchant_end.jwk_of(key, "shop-1")], "POST", URL, sent, BODY)


@dataclass
class Sent:
    """A signed request on its way, for somebody to meddle with."""

    headers: dict[str, str]
    jwk: dict[str, str]
    method: str = "POST"
    url: str = URL
    body: bytes = BODY


def another_key(sent: Sent, scratch: Path) -> None:
    sent.jwk = platform_key(scratch / "other.pem").public_jwk() | {"kid": sent.jwk["kid"]}


FORGERIES: dict[str, Callable[[Sent, Path], object]] = {
    "body": lambda sent, _: setattr(sent, "body", BODY + b" "),
    "path": lambda sent, _: setattr(sent, "url", URL.replace("sessions", "session")),
    "query": lambda sent, _: setattr(sent, "url", URL.replace("x=1", "x=2")),
    "authority": lambda sent, _: setattr(sent, "url", URL.replace("shop", "other")),
    "method": lambda sent, _: setattr(sent, "method", "PUT"),
    "name of the key": lambda sent, _: sent.jwk.update(kid="another"),
    "key": another_key,
    "no signature": lambda sent, _: sent.headers.pop("Signature"),
    "no digest": lambda sent, _: sent.headers.pop("Content-Digest"),
    "header": lambda sent, _: sent.headers.update({"Idempotency-Key": "another"}),
    "garbage": lambda sent, _: sent.headers.update({"Signature-Input": "(((" * 1000}),
    "signature cut": lambda sent, _: sent.headers.update({"Signature": "sig1=:AAAA:"}),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_no_forgery_is_accepted(key: PlatformKey, tmp_path: Path, forgery: str) -> None:
    sent = Sent(signed_headers(key, "POST", URL, HEADERS, BODY), key.public_jwk())
    judge_at_both_ends(sent, is_good=True)
    FORGERIES[forgery](sent, tmp_path)
    judge_at_both_ends(sent, is_good=False)


@pytest.mark.parametrize("seconds", [-1, 1])
def test_a_signature_counts_for_five_minutes(key: PlatformKey, seconds: int) -> None:
    at = int(time.time() + seconds * (TOLERANCE.total_seconds() + 60))
    message = Message("POST", URL, small(HEADERS), BODY)
    headers = merchant_end.signed(key.private, key.key_id, message, at=at)
    judge_at_both_ends(Sent(headers, key.public_jwk()), is_good=False)


def test_a_signature_has_to_cover_what_matters(
    key: PlatformKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as careless:
        careless.setattr("checkout.merchant_connectors._ucp_signatures._HEADERS", ())
        headers = signed_headers(key, "POST", URL, HEADERS, BODY)
    judge_at_both_ends(Sent(headers, key.public_jwk()), is_good=False)


def judge_at_both_ends(sent: Sent, *, is_good: bool) -> None:
    """Both ends judge it alike."""
    message = Message(sent.method, sent.url, small(sent.headers), sent.body)
    with nullcontext() if is_good else pytest.raises(Unsigned):
        check_signature([sent.jwk], sent.method, sent.url, sent.headers, sent.body)
    with nullcontext() if is_good else pytest.raises((Forged, KeyError)):
        merchant_end.check([sent.jwk], message)
