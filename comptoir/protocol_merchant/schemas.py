"""The published schemas as judges of every message, in and out, where their folder is given.

UCP annotates one schema for all operations (`ucp_request`): what a request of each kind may leave
out, and must not, is derived from that. A request that breaks them is refused; an answer of ours
that does is our own fault, written down for the tests and not sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from comptoir.protocol_merchant.exchange import ProtocolError

UCP_FOLDER, ACP_FOLDER = "ucp-2026-08-25", "acp-2026-04-17"
_CHECKOUT = "https://ucp.dev/schemas/shopping/fulfillment.json#/$defs/dev.ucp.shopping.checkout"
_ORDER = "https://ucp.dev/schemas/shopping/order.json"
_REFUSED = "https://ucp.dev/schemas/common/types/error_response.json"
_ACP_REQUESTS = {
    "create": "CheckoutSessionCreateRequest",
    "update": "CheckoutSessionUpdateRequest",
    "complete": "CheckoutSessionCompleteRequest",
    "cancel": "CancelSessionRequest",
}

Report = Callable[[str], None]


class Schemas:
    """Checks messages against a folder of schemas; without one every message passes."""

    def __init__(self, folder: Path | None, report: Report) -> None:
        self._folder = folder
        self._report = report
        self._validator = cache(self._made)

    def check_ucp_request(self, operation: str, body: Any) -> None:
        """400 for a request that UCP does not know."""
        if operation in ("create", "update", "complete"):
            self._request(f"{UCP_FOLDER}:{operation}", _CHECKOUT, body)

    def check_ucp_response(self, operation: str, body: Any) -> None:
        """500 for an answer of ours that UCP does not know."""
        is_refusal = body.get("ucp", {}).get("status") == "error"
        schema = _REFUSED if is_refusal else _ORDER if operation == "order" else _CHECKOUT
        self._answer(UCP_FOLDER, schema, body)

    def check_ucp_profile(self, body: Any) -> None:
        """500 for a profile of ours that is none."""
        self._answer(
            UCP_FOLDER, "https://ucp.dev/schemas/profile.json#/$defs/business_schema", body
        )

    def check_acp_request(self, operation: str, body: Any) -> None:
        """400 for a request that ACP does not know."""
        if operation in _ACP_REQUESTS:
            self._request(ACP_FOLDER, _ACP_REQUESTS[operation], body)

    def check_acp_response(self, operation: str, body: Any, status: int) -> None:
        """500 for an answer of ours that ACP does not know."""
        name = "CheckoutSessionWithOrder" if operation == "complete" else "CheckoutSession"
        self._answer(ACP_FOLDER, "Error" if status >= 400 else name, body)

    def check_acp_event(self, body: Any) -> None:
        """500 for a notice of ours whose order ACP does not know."""
        self._answer(ACP_FOLDER, "Order", body["data"])

    def _request(self, dialect: str, schema: str, body: Any) -> None:
        if fault := self.fault(dialect, schema, body):
            self._report(f"request: {fault}")
            raise ProtocolError(400, "invalid_request", fault)

    def _answer(self, dialect: str, schema: str, body: Any) -> None:
        if fault := self.fault(dialect, schema, body):
            self._report(f"answer: {fault}")
            raise ProtocolError(500, "internal_error", fault)

    def fault(self, dialect: str, schema: str, body: Any) -> str:
        """What is wrong with a message, or nothing."""
        if self._folder is None:
            return ""
        error = next(self._validator(dialect, schema).iter_errors(body), None)
        return "" if error is None else f"{error.json_path}: {error.message[:300]}"

    def _made(self, dialect: str, schema: str) -> Any:
        from jsonschema import (  # type: ignore[import-untyped]
            Draft202012Validator,
            FormatChecker,
        )
        from referencing import Registry, Resource

        assert self._folder is not None
        folder, _, operation = dialect.partition(":")
        documents = [
            json.loads(file.read_text("utf-8"))
            for file in sorted((self._folder / folder).rglob("*.json"))
        ]
        documents = [each for each in documents if str(each.get("$id", "")).startswith("http")]
        if operation:
            documents = [_for_request(each, operation) for each in documents]
        named = {each["$id"]: each for each in documents}
        registry: Any = Registry().with_resources(
            (name, Resource.from_contents(each)) for name, each in named.items()
        )
        if folder == ACP_FOLDER:
            main = next(name for name in named if "/agentic-checkout/" in name)
            schema = f"{main}#/$defs/{schema}"
        return Draft202012Validator(
            {"$ref": schema}, registry=registry, format_checker=FormatChecker()
        )


def _for_request(schema: Any, operation: str) -> Any:
    """The schema of one kind of request: fields left out, demanded or optional as annotated."""
    if isinstance(schema, list):
        return [_for_request(each, operation) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _for_request(value, operation) for key, value in schema.items()}
    properties = made.get("properties")
    if not isinstance(properties, dict):
        return made
    required = set(made.get("required", []))
    for name, value in schema["properties"].items():
        word = value.get("ucp_request") if isinstance(value, dict) else None
        word = word.get(operation) if isinstance(word, dict) else word
        if word == "required":
            required.add(name)
        elif word in ("omit", "optional"):
            required.discard(name)
        if word == "omit":
            del properties[name]
    made["required"] = sorted(required)
    return made
