"""Payment provider: the strict simulator, over its HTTP API.

Webhooks are signed `Comptoir-Signature: t=<unix>,v1=<hex HMAC-SHA256 of "t.raw_body">`; they are
compared in constant time and are good for 300 s.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from checkout.outcomes import NoAnswer, OutcomeUnknown, Refused
from checkout.payment_providers import ProviderSettings
from checkout.payment_providers.port import (
    Movement,
    MovementKind,
    Network,
    Payment,
    PaymentEvent,
    PaymentRequest,
    PaymentStatus,
)
from checkout.peer_http import AnswerLost, NeverSent, PeerAnswer, PeerClient, PeerLimits
from kernel.money import Money

DISPLAY_NAME = "Simulapay"
TOLERANCE_S = 300
SIGNATURE_HEADER = "comptoir-signature"
_PAYMENT_ID = re.compile(r"pay_[a-z0-9]{10,60}")
_SIGNATURE = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")


def connect(settings: ProviderSettings) -> SimulatorProvider:
    """From the installation's settings."""
    return SimulatorProvider(settings)


class SimulatorProvider:
    """The simulator as a payment provider."""

    def __init__(self, settings: ProviderSettings, limits: PeerLimits | None = None) -> None:
        self._secret = settings.webhook_secret.encode()
        self._peer = PeerClient(
            settings.url.rstrip("/"),
            headers={"Authorization": f"Bearer {settings.api_key}"},
            limits=limits,
        )

    def close(self) -> None:
        """Give the connections back."""
        self._peer.close()

    def create(self, request: PaymentRequest, idempotency_key: str) -> Payment:
        """See the port."""
        body = {
            "amount": request.amount.minor,
            "currency": request.amount.currency,
            "merchant_account": request.merchant_account,
            "merchant_name": request.merchant_name,
            "reference": request.reference,
            "return_url": request.return_url,
            "cancel_url": request.cancel_url,
            "capture_method": "manual",
            "locale": request.locale,
            "metadata": dict(request.metadata),
        }
        return self._change("/v1/payments", body, idempotency_key)

    def read(self, payment_id: str) -> Payment:
        """See the port."""
        answer = self._ask(_path(payment_id))
        if answer.status != 200:
            raise _refusal_or_silence(answer)
        return _read(answer.body)

    def find(self, reference: str, merchant_account: str) -> Payment | None:
        """See the port. References are unique over all accounts here."""
        del merchant_account
        answer = self._ask("/v1/payments", reference)
        if answer.status != 200 or not isinstance(answer.body, dict):
            raise NoAnswer(
                f"The provider did not say whether the payment exists ({answer.status})."
            )
        found = answer.body.get("payments")
        if not isinstance(found, list) or len(found) > 1:
            raise NoAnswer("The provider's answer cannot be read.")
        if not found:
            return None
        payment = _read(found[0])
        if payment.reference != reference:
            raise NoAnswer("The provider answered about another reference.")
        return payment

    def capture(self, payment_id: str, amount: Money, idempotency_key: str) -> Payment:
        """See the port."""
        body = {"amount": amount.minor}
        return self._change(f"{_path(payment_id)}/capture", body, idempotency_key)

    def void(self, payment_id: str, idempotency_key: str) -> Payment:
        """See the port."""
        return self._change(f"{_path(payment_id)}/void", {}, idempotency_key)

    def refund(
        self,
        payment_id: str,
        amount: Money,
        idempotency_key: str,
        *,
        refunded_before: Money | None = None,
    ) -> Payment:
        """See the port."""
        del refunded_before
        body = {"amount": amount.minor}
        return self._change(f"{_path(payment_id)}/refund", body, idempotency_key)

    def movements(
        self, merchant_account: str, begin: datetime, end: datetime
    ) -> Iterator[Movement]:
        """See the port. The provider lists a bounded number at a time."""
        after = 0
        while True:
            query = [
                ("merchant_account", merchant_account),
                ("from", str(int(begin.timestamp()))),
                ("until", str(int(end.timestamp()))),
                ("after", str(after)),
            ]
            rows = self._movements_page(query)
            yield from (movement for _, movement in rows)
            if not rows:
                return
            after = rows[-1][0]

    def _movements_page(self, query: list[tuple[str, str]]) -> list[tuple[int, Movement]]:
        try:
            answer = self._peer.ask("/v1/movements", query)
        except (NeverSent, AnswerLost) as error:
            raise _silent(error) from error
        try:
            if answer.status != 200:
                raise NoAnswer(f"The provider does not list its movements ({answer.status}).")
            return [
                (
                    int(row["number"]),
                    Movement(
                        id=str(row["number"]),
                        kind=MovementKind(row["kind"]),
                        reference=str(row["reference"]),
                        amount=Money(row["amount"], str(row["currency"])),
                        at=datetime.fromtimestamp(int(row["at"]), UTC),
                    ),
                )
                for row in answer.body["movements"]
            ]
        except (KeyError, TypeError, ValueError, OverflowError, OSError) as error:
            raise NoAnswer("The provider's answer cannot be read.") from error

    def verify_webhook(
        self, headers: Mapping[str, str], raw_body: bytes, now: datetime
    ) -> PaymentEvent:
        """See the port. The signature is checked before anything in the body is looked at."""
        given = {name.lower(): value for name, value in headers.items()}.get(SIGNATURE_HEADER, "")
        parts = _SIGNATURE.fullmatch(given)
        if parts is None:
            raise Refused("webhook_unsigned", "The notice has no signature.")
        digest = hmac.new(self._secret, parts[1].encode() + b"." + raw_body, hashlib.sha256)
        if not hmac.compare_digest(digest.hexdigest(), parts[2]):
            raise Refused("webhook_forged", "The notice is not signed by the provider.")
        if abs(now.timestamp() - int(parts[1])) > TOLERANCE_S:
            raise Refused("webhook_stale", f"The notice is not from the last {TOLERANCE_S} s.")
        return _event(raw_body)

    def _ask(self, path: str, reference: str | None = None) -> PeerAnswer:
        """A question. It changes nothing, and is asked twice before it counts as unanswered."""
        query = [("reference", reference)] if reference is not None else []
        try:
            return self._peer.ask(path, query)
        except (NeverSent, AnswerLost) as error:
            raise _silent(error) from error

    def _change(self, path: str, body: dict[str, Any], idempotency_key: str) -> Payment:
        """A change. Only a whole answer below 500 says how it ended."""
        try:
            answer = self._peer.exchange(
                "POST", path, json_body=body, headers={"Idempotency-Key": idempotency_key}
            )
        except NeverSent as error:
            raise _silent(error) from error
        except AnswerLost as error:
            raise _in_doubt(str(error)) from error
        if answer.status in (200, 201):
            try:
                return _read(answer.body)
            except NoAnswer as error:
                raise _in_doubt(error.message) from error
        if answer.status >= 500 or answer.status in (408, 425, 429) or _is_in_flight(answer):
            retry_after = answer.headers.get("retry-after", "")
            seconds = int(retry_after) if re.fullmatch(r"[0-9]{1,5}", retry_after) else None
            raise _in_doubt(f"it answered {answer.status}", seconds)
        refusal = _refusal_or_silence(answer)
        raise refusal if isinstance(refusal, Refused) else _in_doubt(refusal.message)


def _path(payment_id: str) -> str:
    if not _PAYMENT_ID.fullmatch(payment_id):
        raise Refused("payment_unknown", "This is no payment of the simulator.")
    return f"/v1/payments/{payment_id}"


def _error(answer: PeerAnswer) -> tuple[str, str] | None:
    """The provider's code and sentence, if the answer has the shape of a refusal."""
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    if not isinstance(error, dict) or not re.fullmatch(r"[a-z_]{1,60}", str(error.get("code"))):
        return None
    return str(error["code"]), str(error.get("message", ""))[:300]


def _is_in_flight(answer: PeerAnswer) -> bool:
    error = _error(answer)
    return error is not None and error[0] == "idempotency_in_flight"


def _refusal_or_silence(answer: PeerAnswer) -> Refused | NoAnswer:
    error = _error(answer)
    if 400 <= answer.status < 500 and error is not None:
        return Refused(*error)
    return NoAnswer(f"The provider answered {answer.status}.")


def _read(body: Any) -> Payment:
    """The payment of an answer. NoAnswer where it cannot be read."""
    try:
        currency = str(body["currency"])
        until = body["capture_before"]
        return Payment(
            id=str(body["id"]),
            reference=str(body["reference"]),
            merchant_account=str(body["merchant_account"]),
            status=PaymentStatus(body["status"]),
            amount=Money(body["amount"], currency),
            captured=Money(body["captured_amount"], currency),
            refunded=Money(body["refunded_amount"], currency),
            pay_url=str(body["pay_url"]),
            capture_before=None if until is None else datetime.fromtimestamp(until, UTC),
            decline_code=body["decline_code"],
            network=None if body["card"] is None else Network(body["card"]["network"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError, OSError) as error:
        raise NoAnswer("The provider's answer cannot be read.") from error


def _event(raw_body: bytes) -> PaymentEvent:
    try:
        body = json.loads(raw_body)
        payment = body["data"]["payment"]
        return PaymentEvent(
            id=str(body["id"]),
            type=str(body["type"]),
            payment_id=str(payment["id"]),
            reference=str(payment["reference"]),
            created_at=datetime.fromtimestamp(int(body["created"]), UTC),
        )
    except (KeyError, TypeError, ValueError, RecursionError, OverflowError, OSError) as error:
        raise Refused("webhook_malformed", "The notice cannot be read.") from error


def _silent(error: Exception) -> NoAnswer:
    return NoAnswer(f"The payment provider does not answer: {error}.")


def _in_doubt(what: str, retry_after_s: int | None = None) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"The payment provider may have acted, but {what}.",
        hint="Look the payment up, or send the same request with the same key.",
        retry_after_s=retry_after_s,
    )
