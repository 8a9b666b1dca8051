"""The two profiles of UCP: the merchant's, which is found and negotiated, and ours. Pure.

We speak 2026-08-25, and 2026-04-08 where the merchant knows no later one. A payment is authorised
by our provider before a session is completed: the handler in our profile says how it is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, Field, ValidationError

from checkout.merchant_connectors._checked_answers import Malformed

VERSIONS = ("2026-08-25", "2026-04-08")
SERVICE = "dev.ucp.shopping"
HANDLER = "example.comptoir.authorisation"
INSTRUMENT = "authorisation"
CREDENTIAL = "authorisation_reference"
_CAPABILITIES = ("checkout", "fulfillment", "order")

Text = Annotated[str, Field(max_length=2000)]


class _Service(BaseModel):
    transport: Text
    endpoint: Text = ""


class _Ucp(BaseModel):
    version: Text
    supported_versions: Annotated[dict[str, Text], Field(max_length=50)] = {}
    services: Annotated[dict[str, list[_Service]], Field(max_length=100)] = {}


class _Profile(BaseModel):
    """As much of a merchant's profile as counts here; the rest is open by design."""

    ucp: _Ucp
    keys: Annotated[list[dict[str, Any]], Field(max_length=50)] = []
    signing_keys: Annotated[list[dict[str, Any]], Field(max_length=50)] = []


@dataclass(frozen=True, slots=True)
class Business:
    """A merchant as its profile describes it. `path` is where its REST service begins."""

    version: str
    path: str
    keys: tuple[Mapping[str, Any], ...]


def negotiate(document: Any, origin: str) -> Business | str:
    """The merchant, or the path of the profile to read instead, in a version that we speak.

    Raises Malformed for what is no profile, for a service elsewhere than at `origin`, and where
    there is no version in common.
    """
    profile = _read(document)
    if profile.ucp.version in VERSIONS:
        return _business(profile, origin)
    for version in VERSIONS:
        if version in profile.ucp.supported_versions:
            return _path_at(origin, profile.ucp.supported_versions[version])
    spoken = sorted({profile.ucp.version, *profile.ucp.supported_versions})
    raise Malformed(f"it speaks UCP {', '.join(spoken)[:100]}, not {' or '.join(VERSIONS)}")


def _read(document: Any) -> _Profile:
    try:
        return _Profile.model_validate(document)
    except ValidationError as error:
        raise Malformed(f"its profile is none ({error.errors()[0]['loc']})") from error


def _business(profile: _Profile, origin: str) -> Business:
    for service in profile.ucp.services.get(SERVICE, []):
        if service.transport == "rest":
            # The key to our signatures changed its name with 2026-08-25.
            is_old = profile.ucp.version < VERSIONS[0]
            keys = profile.signing_keys if is_old else profile.keys
            path = _path_at(origin, service.endpoint).rstrip("/")
            return Business(profile.ucp.version, path, tuple(keys))
    raise Malformed(f"its profile names no REST service {SERVICE}")


def _path_at(origin: str, address: str) -> str:
    """The path of an address at the merchant's own origin; another host is not followed."""
    parts = urlsplit(address)
    if f"{parts.scheme}://{parts.netloc}" != origin:
        raise Malformed("its profile leads to another host")
    return parts.path + (f"?{parts.query}" if parts.query else "")


def profile_address(site: str, merchant_id: str) -> str:
    """Where a merchant finds our profile, with its own address for notices; `&version=` follows."""
    return f"{site}/.well-known/ucp?merchant={quote(merchant_id, safe='')}"


def platform_profile(
    site: str, merchant_id: str, version: str, jwk: Mapping[str, str]
) -> dict[str, Any]:
    """Our profile for one merchant. Raises Malformed for a version that we do not speak."""
    if version not in VERSIONS:
        raise Malformed(f"we speak UCP {', '.join(VERSIONS)}")
    entity = {"version": version}
    capabilities = {f"{SERVICE}.{name}": [_capability(name, version)] for name in _CAPABILITIES}
    capabilities[f"{SERVICE}.fulfillment"][0]["extends"] = f"{SERVICE}.checkout"
    capabilities[f"{SERVICE}.order"][0]["config"] = {
        "webhook_url": f"{site}/webhooks/orders/{quote(merchant_id, safe='')}"
    }
    service = {
        **entity,
        "transport": "rest",
        "spec": f"https://ucp.dev/{version}/specification/overview",
        "schema": f"https://ucp.dev/{version}/services/shopping/rest.openapi.json",
    }
    handler = {
        **entity,
        "id": HANDLER,
        "spec": f"{site}/.well-known/ucp/{INSTRUMENT}.json",
        "schema": f"{site}/.well-known/ucp/{INSTRUMENT}.json",
        "available_instruments": [{"type": INSTRUMENT}],
    }
    keys = "signing_keys" if version < VERSIONS[0] else "keys"
    return {
        "ucp": {
            **entity,
            "services": {SERVICE: [service]},
            "capabilities": capabilities,
            "payment_handlers": {HANDLER: [handler]},
        },
        keys: [dict(jwk)],
    }


def _capability(name: str, version: str) -> dict[str, Any]:
    return {
        "version": version,
        "spec": f"https://ucp.dev/{version}/specification/{name}",
        "schema": f"https://ucp.dev/{version}/schemas/shopping/{name}.json",
    }


def instrument_schema(site: str) -> dict[str, Any]:
    """What the handler of our profile means: the JSON Schema of its instrument."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{site}/.well-known/ucp/{INSTRUMENT}.json",
        "title": "Reference to an authorisation on the merchant's own account",
        "description": (
            "The buyer has authorised the session's total at the payment provider, on the "
            "merchant's own account there. The token is the reference under which the merchant "
            "finds that authorisation; it is captured after the session is completed, and "
            "released where it is not. No card data and no money pass through the platform."
        ),
        "type": "object",
        "required": ["id", "handler_id", "type", "credential"],
        "properties": {
            "type": {"const": INSTRUMENT},
            "credential": {
                "type": "object",
                "required": ["type", "token"],
                "properties": {
                    "type": {"const": CREDENTIAL},
                    "token": {"type": "string", "maxLength": 200},
                },
            },
        },
    }
