"""RFC 9421 signatures at the merchant's end, written from the RFC and by no library of it.

ES256 over the components that UCP names; `Content-Digest` is SHA-256 of the bytes of the body. That
the two ends are made differently is what shows that they mean the same.
"""

from __future__ import annotations

import base64
import hashlib
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

TOLERANCE_S = 300
_INPUT = re.compile(r'([a-z][a-z0-9_-]*)=(\(((?:"[^"]+" ?)*)\)((?:;[a-z]+=(?:\d+|"[^"]*"))*))')
_REQUIRED = {"@method", "@authority", "@path"}
_REQUIRED_IF_SENT = {"ucp-agent", "idempotency-key", "content-type", "content-digest"}


class Forged(Exception):
    """The message is not signed as it must be."""


@dataclass(frozen=True, slots=True)
class Message:
    """A request: where it goes, its headers by small names, its body."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


def signing_key(file: Path) -> ec.EllipticCurvePrivateKey:
    """The merchant's key, drawn once and kept for its owner alone."""
    if not file.is_file():
        drawn = ec.generate_private_key(ec.SECP256R1())
        file.touch(0o600)
        file.write_bytes(
            drawn.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
    key = serialization.load_pem_private_key(file.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def jwk_of(key: ec.EllipticCurvePrivateKey, key_id: str) -> dict[str, str]:
    """The public half for the profile."""
    numbers = key.public_key().public_numbers()
    x, y = (
        base64.urlsafe_b64encode(each.to_bytes(32)).rstrip(b"=").decode()
        for each in (numbers.x, numbers.y)
    )
    return {"kid": key_id, "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig"} | {
        "x": x,
        "y": y,
    }


def signed(
    key: ec.EllipticCurvePrivateKey, key_id: str, message: Message, *, at: int | None = None
) -> dict[str, str]:
    """The headers of a message with its digest and signature; `at` is now, if nothing is said."""
    headers = {**message.headers, "content-digest": _digest(message.body)}
    query = ["@query"] if urlsplit(message.url).query else []
    names = [*sorted(_REQUIRED), *query, *sorted(headers)]
    listed = " ".join(f'"{name}"' for name in names)
    parameters = f'({listed});created={at or int(time.time())};keyid="{key_id}"'
    base = _base(Message(message.method, message.url, headers, message.body), names, parameters)
    r, s = decode_dss_signature(key.sign(base, ec.ECDSA(hashes.SHA256())))
    raw = base64.b64encode(r.to_bytes(32) + s.to_bytes(32)).decode()
    return {**headers, "signature-input": f"sig1={parameters}", "signature": f"sig1=:{raw}:"}


def check(keys: Iterable[Mapping[str, Any]], message: Message) -> None:
    """Raise Forged unless one of the JWKs signed this message, whole and just now."""
    found = _INPUT.fullmatch(message.headers.get("signature-input", ""))
    if found is None:
        raise Forged("There is no Signature-Input that can be read.")
    label, parameters, listed, pairs = found.groups()
    names = [name.strip('"') for name in listed.split()]
    wanted = _REQUIRED | {name for name in _REQUIRED_IF_SENT if name in message.headers}
    if wanted - set(names) or len(set(names)) != len(names):
        raise Forged("The signature does not cover enough.")
    if urlsplit(message.url).query and "@query" not in names:
        raise Forged("The signature does not cover the query.")
    said = dict(pair.split("=", 1) for pair in pairs.split(";")[1:])
    if abs(time.time() - int(said.get("created", "0"))) > TOLERANCE_S:
        raise Forged("The signature is too old.")
    if message.body and message.headers.get("content-digest") != _digest(message.body):
        raise Forged("The body is not the one that was signed.")
    signature = re.fullmatch(f"{label}=:([A-Za-z0-9+/=]{{88}}):", message.headers["signature"])
    raw = base64.b64decode(signature[1]) if signature else b""
    public = _public(keys, said.get("keyid", "").strip('"'))
    try:
        der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:64]))
        public.verify(der, _base(message, names, parameters), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise Forged("The signature does not fit.") from error


def _base(message: Message, names: Sequence[str], parameters: str) -> bytes:
    parts = urlsplit(message.url)
    derived = {
        "@method": message.method,
        "@authority": parts.netloc.lower(),
        "@path": parts.path or "/",
        "@query": f"?{parts.query}",
    }
    rows = []
    for name in names:
        value = derived.get(name, message.headers.get(name))
        if value is None:
            raise Forged(f"The signature covers {name[:40]}, which is not there.")
        rows.append(f'"{name}": {value.strip()}')
    rows.append(f'"@signature-params": {parameters}')
    return "\n".join(rows).encode()


def _digest(body: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def _public(keys: Iterable[Mapping[str, Any]], key_id: str) -> ec.EllipticCurvePublicKey:
    for jwk in keys:
        if jwk.get("kid") == key_id and jwk.get("crv") == "P-256":
            x, y = (
                int.from_bytes(base64.urlsafe_b64decode(str(jwk[name]) + "==")) for name in "xy"
            )
            return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    raise Forged("The profile names no such key.")
