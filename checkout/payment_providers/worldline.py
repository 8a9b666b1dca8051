"""Payment provider: Worldline Direct, through its official package over our own bounded client.

The hosted checkout page, authorised there on the merchant's own account and captured later; the
buyer chooses the network of a co-badged card on that page. `PAYMENT_API_KEY` is `id:secret` and so
is `PAYMENT_WEBHOOK_SECRET`; where merchants have keys of their own, `account=id:secret` by commas.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import ParseResult

from onlinepayments.sdk.api_exception import ApiException
from onlinepayments.sdk.authentication.v1hmac_authenticator import V1HmacAuthenticator
from onlinepayments.sdk.call_context import CallContext
from onlinepayments.sdk.client import Client
from onlinepayments.sdk.communication.connection import Connection
from onlinepayments.sdk.communication.not_found_exception import NotFoundException
from onlinepayments.sdk.communication.request_header import RequestHeader
from onlinepayments.sdk.communicator_configuration import CommunicatorConfiguration
from onlinepayments.sdk.domain.cancel_payment_request import CancelPaymentRequest
from onlinepayments.sdk.domain.capture_payment_request import CapturePaymentRequest
from onlinepayments.sdk.domain.create_hosted_checkout_request import CreateHostedCheckoutRequest
from onlinepayments.sdk.domain.refund_request import RefundRequest
from onlinepayments.sdk.factory import Factory
from onlinepayments.sdk.idempotence_exception import IdempotenceException
from onlinepayments.sdk.json.marshaller_syntax_exception import MarshallerSyntaxException
from onlinepayments.sdk.webhooks.in_memory_secret_key_store import InMemorySecretKeyStore
from onlinepayments.sdk.webhooks.secret_key_not_available_exception import (
    SecretKeyNotAvailableException,
)
from onlinepayments.sdk.webhooks.signature_validation_exception import SignatureValidationException
from onlinepayments.sdk.webhooks.signature_validator import SignatureValidator

from checkout.outcomes import NoAnswer, OutcomeUnknown, Refused
from checkout.payment_providers import ProviderSettings
from checkout.payment_providers._merchant_keys import key_of, merchant_keys
from checkout.payment_providers._open_page import Page, checked_account
from checkout.payment_providers._worldline_objects import (
    Malformed,
    Paid,
    event_of,
    payment_of,
    place_of,
)
from checkout.payment_providers.port import Payment, PaymentEvent, PaymentRequest, PaymentStatus
from checkout.peer_http import AnswerLost, NeverSent, PeerAnswer, PeerClient, PeerLimits
from kernel.money import Money

DISPLAY_NAME = "Worldline"
PAGE_ORIGINS = (
    "https://payment.direct.worldline-solutions.com",
    "https://payment.preprod.direct.worldline-solutions.com",
)
PAGE_OPEN = timedelta(minutes=30)
"""How long the page can be paid at. Nothing closes it sooner."""
_LOCALES = {"fr": "fr_FR", "de": "de_DE", "en": "en_GB"}
Answer = TypeVar("Answer")


def connect(settings: ProviderSettings) -> WorldlineProvider:
    """From the installation's settings; `url` is that of Worldline's API."""
    return WorldlineProvider(settings)


class WorldlineProvider:
    """Worldline Direct as a payment provider."""

    def __init__(self, settings: ProviderSettings, limits: PeerLimits | None = None) -> None:
        self._url = settings.url.rstrip("/")
        self._keys = merchant_keys(settings.api_key)
        self._peer = PeerClient("", limits=limits)
        secrets = InMemorySecretKeyStore()
        for key_id, secret in merchant_keys(settings.webhook_secret).values():
            secrets.store_secret_key(key_id, secret)
        self._signatures = SignatureValidator(secrets)

    def close(self) -> None:
        """Give the connections back."""
        self._peer.close()

    def create(self, request: PaymentRequest, idempotency_key: str) -> Payment:
        """See the port."""
        account = checked_account(request.merchant_account, DISPLAY_NAME)
        body, context = _page_wanted(request), _once(idempotency_key)
        create = self._at(account).hosted_checkout().create_hosted_checkout
        made = _change(lambda: create(body, context), "provider_refused")
        # The same key gives the same page, with the time of the first request.
        first = context.idempotence_request_timestamp
        began = time.time() if first is None else first / 1000
        until = int(began + PAGE_OPEN.total_seconds())
        page = Page(account, str(made.hosted_checkout_id), request.amount, until, request.reference)
        return page.payment(PaymentStatus.REQUIRES_PAYMENT, str(made.redirect_url))

    def read(self, payment_id: str) -> Payment:
        """See the port. The id that the payment has now may be another: once paid, Worldline's."""
        place = place_of(payment_id)
        if isinstance(place, Paid):
            return self._details(place)
        read = self._at(place.account).hosted_checkout().get_hosted_checkout
        found = _asked(lambda: read(place.hosted_id))
        created = found.created_payment_output
        if created is not None and created.payment is not None:
            return self._details(Paid(place.account, str(created.payment.id)))
        is_over = found.status != "IN_PROGRESS" or time.time() > place.until
        status = PaymentStatus.CANCELLED if is_over else PaymentStatus.REQUIRES_PAYMENT
        return place.payment(status)

    def _details(self, place: Paid) -> Payment:
        read = self._at(place.account).payments().get_payment_details
        try:
            return payment_of(place.account, _asked(lambda: read(place.payment_id)))
        except Malformed as error:
            raise NoAnswer("Worldline's answer cannot be read.") from error

    def find(self, reference: str, merchant_account: str) -> Payment | None:
        """See the port. Worldline has no search by reference.

        It is asked for where the answer to `create` was lost: nobody has the address of that page,
        nothing can be paid there, and the same key gives it again.
        """
        del reference, merchant_account
        return None

    def capture(self, payment_id: str, amount: Money, idempotency_key: str) -> Payment:
        """See the port."""
        body = CapturePaymentRequest()
        body.amount, body.is_final = amount.minor, True
        paid = self._paid(payment_id, "not_capturable")
        capture, context = self._at(paid.account).payments().capture_payment, _once(idempotency_key)
        return self._moved(
            paid, lambda: capture(paid.payment_id, body, context), _why_not_captured(amount)
        )

    def void(self, payment_id: str, idempotency_key: str) -> Payment:
        """See the port. A page that nobody has paid at cannot be closed: it closes by itself."""
        now = self.read(payment_id)
        if now.status is PaymentStatus.REQUIRES_PAYMENT:
            raise NoAnswer("Worldline closes the page by itself; until then somebody may pay.")
        paid = self._paid(now.id, "not_voidable")
        cancel, context = self._at(paid.account).payments().cancel_payment, _once(idempotency_key)
        body = CancelPaymentRequest()
        body.is_final = True
        return self._moved(
            paid, lambda: cancel(paid.payment_id, body, context), lambda _: "not_voidable"
        )

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
        body = RefundRequest().from_dictionary({"amountOfMoney": _amount(amount)})
        paid = self._paid(payment_id, "not_refundable")
        refund, context = self._at(paid.account).payments().refund_payment, _once(idempotency_key)
        return self._moved(
            paid,
            lambda: refund(paid.payment_id, body, context),
            lambda now: "over_refund" if now.captured.minor else "not_refundable",
        )

    def verify_webhook(
        self, headers: Mapping[str, str], raw_body: bytes, now: datetime
    ) -> PaymentEvent:
        """See the port. Worldline signs no time: a notice sent again a day later is as good, and
        one that was taken in before is known by its id.
        """
        del now
        given = [RequestHeader(name, value) for name, value in headers.items()]
        names = {name.lower() for name in headers}
        if not {"x-gcs-signature", "x-gcs-keyid"} <= names:
            raise Refused("webhook_unsigned", "The notice has no signature.")
        try:
            self._signatures.validate(raw_body, given)
        except (SignatureValidationException, SecretKeyNotAvailableException) as error:
            raise Refused("webhook_forged", "The notice is not signed by the provider.") from error
        try:
            return event_of(raw_body)
        except Malformed as error:
            raise Refused("webhook_malformed", "The notice cannot be read.") from error

    def _at(self, account: str) -> Any:
        """Worldline's client for one account. Making it costs nothing: the connections are ours."""
        key_id, secret = key_of(self._keys, account, DISPLAY_NAME)
        configuration = CommunicatorConfiguration(
            api_endpoint=self._url,
            api_key_id=key_id,
            secret_api_key=secret,
            authorization_type="v1HMAC",
            connect_timeout=5,
            socket_timeout=10,
            integrator="Comptoir",
        )
        communicator = Factory.create_communicator_from_configuration(
            configuration,
            connection=_Wire(self._peer),
            authenticator=V1HmacAuthenticator(configuration),
        )
        return Client(communicator).merchant(account)

    def _paid(self, payment_id: str, refused_as: str) -> Paid:
        """The payment by Worldline's id. Refused where nobody has paid."""
        place = place_of(payment_id)
        if isinstance(place, Page):
            place = place_of(self.read(payment_id).id)
        if isinstance(place, Page):
            raise Refused(refused_as, "Nobody has paid.")
        return place

    def _moved(
        self, paid: Paid, call: Callable[[], object], why_not: Callable[[Payment], str]
    ) -> Payment:
        """A change of what was paid, then the whole payment as it is now. Why Worldline refused is
        said by what the payment is, not by its many codes.
        """
        try:
            _change(call, "provider_refused")
        except Refused as refusal:
            if refusal.code != "provider_refused":
                raise
            raise Refused(why_not(self._seen(paid)), refusal.message) from refusal
        return self._seen(paid)

    def _seen(self, paid: Paid) -> Payment:
        try:
            return self._details(paid)
        except NoAnswer as error:
            raise _in_doubt(error.message) from error


class _Wire(Connection):  # type: ignore[misc]
    """The package's requests over our own client: what fails says what may have happened."""

    def __init__(self, peer: PeerClient) -> None:
        self._peer = peer

    def get(self, url: Any, request_headers: Sequence[RequestHeader]) -> Any:
        return self._exchange("GET", url, request_headers, None)

    def delete(self, url: Any, request_headers: Sequence[RequestHeader]) -> Any:
        return self._exchange("DELETE", url, request_headers, None)

    def post(self, url: Any, request_headers: Sequence[RequestHeader], body: Any) -> Any:
        return self._exchange("POST", url, request_headers, body)

    def put(self, url: Any, request_headers: Sequence[RequestHeader], body: Any) -> Any:
        return self._exchange("PUT", url, request_headers, body)

    def enable_logging(self, communicator_logger: Any) -> None:
        """Nothing of an exchange is logged."""

    def disable_logging(self) -> None:
        """Nothing of an exchange is logged."""

    def set_body_obfuscator(self, body_obfuscator: Any) -> None:
        """Nothing of an exchange is logged."""

    def set_header_obfuscator(self, header_obfuscator: Any) -> None:
        """Nothing of an exchange is logged."""

    def _exchange(self, method: str, url: Any, headers: Iterable[RequestHeader], body: Any) -> Any:
        address = url.geturl() if isinstance(url, ParseResult) else str(url)
        content = body.encode() if isinstance(body, str) else body
        answer: PeerAnswer = self._peer.exchange(
            method, address, content=content, headers={row.name: row.value for row in headers}
        )
        return answer.status, dict(answer.headers), iter([answer.raw])


def _change(call: Callable[[], Answer], refused_as: str) -> Answer:
    """A change. Only a whole answer that is no failure of Worldline's says how it ended."""
    try:
        return call()
    except NeverSent as error:
        raise NoAnswer(f"Worldline does not answer: {error}.") from error
    except (AnswerLost, MarshallerSyntaxException, NotFoundException) as error:
        raise _in_doubt(str(error)) from error
    except IdempotenceException as error:
        raise _in_doubt("the same request is under way", 1) from error
    except ApiException as error:
        if error.status_code >= 500 or error.status_code == 429:
            raise _in_doubt(f"it answered {error.status_code}") from error
        raise _no(error, refused_as) from error


def _no(error: ApiException, refused_as: str) -> Refused:
    if error.status_code in (401, 403):
        return Refused("unauthorised", "Worldline does not accept our key for this account.")
    if error.status_code == 409:
        return Refused("idempotency_conflict", "The key belongs to another request.")
    if error.status_code == 404:
        return Refused("payment_unknown", "Worldline does not know this payment.")
    said = "; ".join(str(row.message or row.id or row.error_code) for row in error.errors or [])
    return Refused(refused_as, said[:300] or f"Worldline answered {error.status_code}.")


def _asked(call: Callable[[], Answer]) -> Answer:
    """A question. It changes nothing, and is asked twice before it counts as unanswered."""
    for is_last in (False, True):
        try:
            return call()
        except NeverSent as error:
            raise NoAnswer(f"Worldline does not answer: {error}.") from error
        except (AnswerLost, MarshallerSyntaxException, NotFoundException) as error:
            if is_last:
                raise NoAnswer(f"Worldline's answer was lost: {error}.") from error
        except ApiException as error:
            if error.status_code == 404:
                raise Refused("payment_unknown", "Worldline does not know this.") from error
            if is_last or error.status_code < 500:
                raise NoAnswer(f"Worldline does not say ({error.status_code}).") from error
    raise AssertionError("unreachable")


def _why_not_captured(amount: Money) -> Callable[[Payment], str]:
    def why(now: Payment) -> str:
        if now.captured.minor:
            return "already_captured"
        is_held = now.status is PaymentStatus.AUTHORISED
        return "over_capture" if is_held and amount.minor > now.amount.minor else "not_capturable"

    return why


def _page_wanted(request: PaymentRequest) -> CreateHostedCheckoutRequest:
    return CreateHostedCheckoutRequest().from_dictionary(
        {
            "order": {
                "amountOfMoney": _amount(request.amount),
                "references": {"merchantReference": request.reference},
            },
            "cardPaymentMethodSpecificInput": {"authorizationMode": "FINAL_AUTHORIZATION"},
            "hostedCheckoutSpecificInput": {
                "returnUrl": request.return_url,
                "locale": _LOCALES[request.locale],
                "sessionTimeout": int(PAGE_OPEN.total_seconds() // 60),
                "showResultPage": False,
            },
        }
    )


def _amount(amount: Money) -> dict[str, Any]:
    return {"amount": amount.minor, "currencyCode": amount.currency}


def _once(idempotency_key: str) -> CallContext:
    # Worldline takes keys of 40 characters.
    return CallContext(hashlib.sha256(idempotency_key.encode()).hexdigest()[:40])


def _in_doubt(what: str, retry_after_s: int | None = None) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"Worldline may have acted, but: {what}.",
        hint="Look the payment up, or send the same request with the same key.",
        retry_after_s=retry_after_s,
    )
