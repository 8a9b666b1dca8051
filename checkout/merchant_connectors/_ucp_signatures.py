"""Signed UCP messages: our key, RFC 9421 signatures over requests, and those of merchants.

ES256 alone is signed and accepted. A body counts only with a signed Content-Digest of exactly its
bytes; a signature counts only by a key that its owner's profile names, and for five minutes.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import uuid4

from cryptography.exceptions import InvalidSignature as WrongSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    algorithms,
)
from http_message_signatures.exceptions import HTTPMessageSignaturesException
from http_message_signatures.resolvers import SigningKey, VerificationKey

TOLERANCE = timedelta(seconds=300)
_COMPONENTS = ("@method", "@authority", "@path")
# Signed wherever the message has them.
_HEADERS = ("ucp-agent", "idempotency-key", "webhook-id", "webhook-timestamp", "content-type")


class Unsigned(Exception):
    """The message is not signed as it must be; the text says what is wrong."""


@dataclass(frozen=True, slots=True)
class PlatformKey:
    """Our signing key and the name under which our profile publishes it."""

    private: ec.EllipticCurvePrivateKey
    key_id: str

    def public_jwk(self) -> dict[str, str]:
        """The public half, as a profile's `keys` hold it."""
        numbers = self.private.public_key().public_numbers()
        point = {"x": _base64url(numbers.x.to_bytes(32)), "y": _base64url(numbers.y.to_bytes(32))}
        return {
            "kid": self.key_id,
            "kty": "EC",
            "crv": "P-256",
            "alg": "ES256",
            "use": "sig",
        } | point


def platform_key(file: Path) -> PlatformKey:
    """The key in a file, readable by its owner only; drawn where there is none yet."""
    if not file.is_file():
        _draw(file)
    private = serialization.load_pem_private_key(file.read_bytes(), None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{file} holds no EC key")
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    digest = hashes.Hash(hashes.SHA256())
    digest.update(public)
    return PlatformKey(private, _base64url(digest.finalize())[:22])


def _draw(file: Path) -> None:
    """Two processes may draw at once: the first to link its key wins, and both read that one."""
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    drawn = file.with_name(f".{file.name}.{uuid4().hex}")
    with os.fdopen(os.open(drawn, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(pem)
    with suppress(FileExistsError):
        os.link(drawn, file)
    drawn.unlink()


def signed_headers(
    key: PlatformKey, method: str, url: str, headers: Mapping[str, str], body: bytes | None
) -> dict[str, str]:
    """The headers with Content-Digest, Signature-Input and Signature of a request."""
    message = _Message(method, url, dict(headers))
    HTTPMessageSigner(
        signature_algorithm=algorithms.ECDSA_P256_SHA256, key_resolver=_Keys({}, key)
    ).sign(
        message,
        key_id=key.key_id,
        label="sig1",
        include_alg=False,
        covered_component_ids=_covered(message),
        body=body,
    )
    return message.headers


def check_signature(
    keys: Iterable[Mapping[str, Any]],
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
) -> None:
    """Raise Unsigned unless one of the JWKs signed this message, whole and just now."""
    message = _Message(method, url, dict(headers))
    verifier = HTTPMessageVerifier(
        signature_algorithm=algorithms.ECDSA_P256_SHA256,
        key_resolver=_Keys(_public_keys(keys), None),
    )
    try:
        verified = verifier.verify(
            message, max_age=TOLERANCE, require_components=_covered(message), body=body
        )
    except (HTTPMessageSignaturesException, WrongSignature, ValueError, TypeError) as error:
        raise Unsigned(str(error) or "the signature does not fit") from error
    if len(verified) != 1 or "created" not in verified[0].parameters:
        raise Unsigned("one signature with a time is wanted")
    if body and verified[0].body != body:
        raise Unsigned("the body is not signed")


def _covered(message: _Message) -> tuple[str, ...]:
    """What a signature has to cover: more than this may be, less never."""
    query = ("@query",) if urlsplit(message.url).query else ()
    present = {name.lower() for name in message.headers}
    return (*_COMPONENTS, *query, *(name for name in _HEADERS if name in present))


def _public_keys(keys: Iterable[Mapping[str, Any]]) -> dict[str, ec.EllipticCurvePublicKey]:
    """The P-256 keys by name; keys of other kinds are nobody's business here."""
    found: dict[str, ec.EllipticCurvePublicKey] = {}
    for jwk in keys:
        if jwk.get("kty") != "EC" or jwk.get("crv") != "P-256":
            continue
        with suppress(ValueError, TypeError, KeyError):
            x, y = (int.from_bytes(_bytes_of(jwk[name])) for name in ("x", "y"))
            numbers = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1())
            found[str(jwk["kid"])] = numbers.public_key()
    return found


@dataclass(slots=True)
class _Message:
    """A request as the signing library wants to see it."""

    method: str
    url: str
    headers: dict[str, str]


class _Keys(HTTPSignatureKeyResolver):
    """Exactly the keys that count for one message."""

    def __init__(
        self, public: Mapping[str, ec.EllipticCurvePublicKey], own: PlatformKey | None
    ) -> None:
        self._public = public
        self._own = own

    def resolve_public_key(self, key_id: str) -> VerificationKey:
        """A key of the sender's profile. Raises Unsigned where it names no such key."""
        if key_id not in self._public:
            raise Unsigned(f"no known key is called {key_id[:80]!r}")
        return self._public[key_id]

    def resolve_private_key(self, key_id: str) -> SigningKey:  # noqa: ARG002
        """Our own key."""
        return cast("PlatformKey", self._own).private


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes_of(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
