"""Payment provider: Stripe. Checkout's hosted page, manual capture, direct charges by Connect.

Every call is made on the merchant's own account (`Stripe-Account`): the merchant is the merchant of
record, the platform holds nothing and takes no fee from the charge. A payment is known as
`<account>:<checkout session>`. The official package makes the requests; how long they may take, and
what is known when they fail, is ours.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import stripe

from checkout.outcomes import NoAnswer, OutcomeUnknown, Refused
from checkout.payment_providers import ProviderSettings
from checkout.payment_providers._stripe_objects import (
    WITH_CHARGE,
    Malformed,
    account_and_session,
    event_of,
    intent_id,
    movement_lists,
    movement_of,
    payment_of,
    session_params,
)
from checkout.payment_providers.port import (
    Movement,
    Payment,
    PaymentEvent,
    PaymentRequest,
    PaymentStatus,
)
from checkout.peer_http import AnswerLost, NeverSent, PeerClient, PeerLimits
from kernel.money import Money

DISPLAY_NAME = "Stripe"
PAGE_ORIGINS = ("https://checkout.stripe.com",)
API_VERSION = "2026-10-28.endive"
TOLERANCE_S = 300
LOOK_BACK_S = 26 * 3600
"""How far back a payment is searched by its reference: sessions end after a day at most."""
_MOST_PAGES = 500
_RELEASED = {PaymentStatus.VOIDED, PaymentStatus.CANCELLED, PaymentStatus.EXPIRED}
_ACCOUNT = re.compile(r"acct_[A-Za-z0-9]{3,60}")
Answer = TypeVar("Answer")


def connect(settings: ProviderSettings) -> StripeProvider:
    """From the installation's settings; `url` is that of Stripe's API."""
    return StripeProvider(settings)


class StripeProvider:
    """Stripe as a payment provider."""

    def __init__(self, settings: ProviderSettings, limits: PeerLimits | None = None) -> None:
        self._secret = settings.webhook_secret
        self._peer = PeerClient("", limits=limits)
        self._stripe = stripe.StripeClient(
            settings.api_key,
            stripe_version=API_VERSION,
            base_addresses={"api": settings.url.rstrip("/")},
            http_client=_Wire(self._peer),
            # Whether to try again is for the purchase to decide, which looks the payment up first.
            max_network_retries=0,
        )

    def close(self) -> None:
        """Give the connections back."""
        self._peer.close()

    def create(self, request: PaymentRequest, idempotency_key: str) -> Payment:
        """See the port."""
        account = _account(request.merchant_account)
        params, options = session_params(request), _options(account, idempotency_key)
        create = self._stripe.v1.checkout.sessions.create
        try:
            return self._read(account, _change(lambda: create(params, options)))
        except _FailedForGood as failure:
            found = self._seen(lambda: self.find(request.reference, account))
            if found is None:
                raise _failed() from failure
            return found
        except NoAnswer as error:
            if error.__cause__ is not None and isinstance(error.__cause__, Malformed):
                raise _in_doubt(error.message) from error
            raise

    def read(self, payment_id: str) -> Payment:
        """See the port."""
        account, session_id = account_and_session(payment_id)
        return self._read(account, self._session(account, session_id))

    def find(self, reference: str, merchant_account: str) -> Payment | None:
        """See the port. Stripe lists the sessions of an account; ours carry the reference."""
        account = _account(merchant_account)
        for session in self._sessions(account):
            if session.client_reference_id == reference:
                return self._read(account, session)
        return None

    def _sessions(self, account: str) -> Iterator[Any]:
        """The sessions of the last day, the newest first."""
        params = {
            "created": {"gte": int(time.time()) - LOOK_BACK_S},
            "expand": [f"data.{each}" for each in WITH_CHARGE],
        }
        return self._listed(account, self._stripe.v1.checkout.sessions.list, params)

    def movements(
        self, merchant_account: str, begin: datetime, end: datetime
    ) -> Iterator[Movement]:
        """See the port. Stripe books each on the account's balance at the moment it happens."""
        account = _account(merchant_account)
        for kind, params in movement_lists(begin, end):
            rows = self._listed(account, self._stripe.v1.balance_transactions.list, params)
            for row in rows:
                try:
                    yield movement_of(kind, row)
                except Malformed as error:
                    raise NoAnswer("Stripe's answer cannot be read.") from error

    def _listed(
        self, account: str, listing: Callable[..., Any], params: Mapping[str, Any]
    ) -> Iterator[Any]:
        """Everything that a list of Stripe's has, page by page, the newest first."""
        asked = {**params, "limit": 100}
        for _ in range(_MOST_PAGES):
            page = self._asked(partial(listing, asked, _options(account)))
            yield from page.data
            if not page.has_more or not page.data:
                return
            asked["starting_after"] = page.data[-1].id
        raise NoAnswer("Stripe lists more of a day than can be searched.")

    def capture(self, payment_id: str, amount: Money, idempotency_key: str) -> Payment:
        """See the port."""
        account, session_id = account_and_session(payment_id)
        intent = self._intent(account, session_id, "not_capturable")
        params: Any = {"amount_to_capture": amount.minor}
        capture = self._stripe.v1.payment_intents.capture
        call = partial(capture, intent, params, _options(account, idempotency_key))
        return self._moved(payment_id, "not_capturable", call, lambda now: now.captured == amount)

    def void(self, payment_id: str, idempotency_key: str) -> Payment:
        """See the port. A page that nobody has paid at is closed instead."""
        account, session_id = account_and_session(payment_id)
        options = _options(account, idempotency_key)
        call: Callable[[], object]
        if self._session(account, session_id).status == "open":
            expire = self._stripe.v1.checkout.sessions.expire
            call = partial(expire, session_id, None, options)
        else:
            intent = self._intent(account, session_id, "not_voidable")
            call = partial(self._stripe.v1.payment_intents.cancel, intent, None, options)
        return self._moved(payment_id, "not_voidable", call, lambda now: now.status in _RELEASED)

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
        account, session_id = account_and_session(payment_id)
        intent = self._intent(account, session_id, "not_refundable")
        params: Any = {
            "payment_intent": intent,
            "amount": amount.minor,
            "metadata": {"key": idempotency_key},
        }

        def is_made(_: Payment) -> bool:
            refunds: Callable[..., Any] = self._stripe.v1.refunds.list
            asked = {"payment_intent": intent, "limit": 100}
            made = self._asked(partial(refunds, asked, _options(account)))
            return any(row.metadata.to_dict().get("key") == idempotency_key for row in made.data)

        create = self._stripe.v1.refunds.create
        call = partial(create, params, _options(account, idempotency_key))
        return self._moved(payment_id, "not_refundable", call, is_made)

    def verify_webhook(
        self, headers: Mapping[str, str], raw_body: bytes, now: datetime
    ) -> PaymentEvent:
        """See the port. Stripe's own check of the signature; its age is measured at `now`."""
        given = {name.lower(): value for name, value in headers.items()}.get("stripe-signature", "")
        stamp = re.search(r"(?:^|,)t=([0-9]{1,12})(?:,|$)", given)
        if stamp is None or "v1=" not in given:
            raise Refused("webhook_unsigned", "The notice has no signature.")
        try:
            stripe.WebhookSignature.verify_header(
                raw_body.decode("utf-8"), given, self._secret, tolerance=None
            )
        except (stripe.SignatureVerificationError, UnicodeDecodeError) as error:
            raise Refused("webhook_forged", "The notice is not signed by the provider.") from error
        if abs(now.timestamp() - int(stamp[1])) > TOLERANCE_S:
            raise Refused("webhook_stale", f"The notice is not from the last {TOLERANCE_S} s.")
        try:
            return event_of(raw_body)
        except Malformed as error:
            raise Refused("webhook_malformed", "The notice cannot be read.") from error

    def _session(self, account: str, session_id: str) -> Any:
        params: Any = {"expand": WITH_CHARGE}
        retrieve = self._stripe.v1.checkout.sessions.retrieve
        return self._asked(lambda: retrieve(session_id, params, _options(account)))

    def _intent(self, account: str, session_id: str, refused_as: str) -> str:
        """The payment intent of a session. Refused where nobody has paid there yet."""
        found = intent_id(self._session(account, session_id))
        if found is None:
            raise Refused(refused_as, "Nobody has paid yet.")
        return found

    def _read(self, account: str, session: Any) -> Payment:
        try:
            return payment_of(account, session, datetime.now(UTC))
        except Malformed as error:
            raise NoAnswer("Stripe's answer cannot be read.") from error

    def _asked(self, call: Callable[[], Answer]) -> Answer:
        """A question. It changes nothing, and is asked twice before it counts as unanswered."""
        try:
            return _question(call)
        except (AnswerLost, stripe.APIError):
            pass
        try:
            return _question(call)
        except (AnswerLost, stripe.APIError) as error:
            raise NoAnswer(f"Stripe does not answer: {error}.") from error

    def _moved(
        self,
        payment_id: str,
        refused_as: str,
        call: Callable[[], object],
        is_done: Callable[[Payment], bool],
    ) -> Payment:
        """A change of what was paid; then the whole payment as it is now.

        A failure that Stripe has kept for the key is settled by looking whether it was done.
        """
        try:
            _change(call, refused_as)
        except _FailedForGood as failure:
            now = self._seen(lambda: self.read(payment_id))
            if not self._seen(lambda: is_done(now)):
                raise _failed() from failure
            return now
        return self._seen(lambda: self.read(payment_id))

    def _seen(self, look: Callable[[], Answer]) -> Answer:
        """A question after a change: without its answer the change stays in doubt."""
        try:
            return look()
        except NoAnswer as error:
            raise _in_doubt(error.message) from error


class _FailedForGood(Exception):
    """Stripe failed once under this key, and will say so for ever."""


class _Wire(stripe.HTTPClient):
    """Stripe's requests over our own bounded client: what fails says what may have happened."""

    name = "comptoir"

    def __init__(self, peer: PeerClient) -> None:
        super().__init__()
        self._peer = peer

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        """One exchange. Raises NeverSent or AnswerLost."""
        del _usage
        content = post_data.encode() if isinstance(post_data, str) else post_data
        answer = self._peer.exchange(method.upper(), url, content=content, headers=headers)
        if answer.body is None:
            raise AnswerLost(f"the answer ({answer.status}) is no JSON")
        return answer.raw.decode("utf-8"), answer.status, answer.headers

    def close(self) -> None:
        """The pool is closed by its owner."""


def _change(call: Callable[[], Answer], refused_as: str = "provider_refused") -> Answer:
    """A change. Only a whole answer that is no failure of Stripe's says how it ended."""
    try:
        return call()
    except NeverSent as error:
        raise NoAnswer(f"Stripe does not answer: {error}.") from error
    except (AnswerLost, stripe.RateLimitError) as error:
        raise _in_doubt(str(error)) from error
    except stripe.APIError as error:
        if _header(error, "idempotent-replayed") == "true":
            raise _FailedForGood from error
        is_under_way = error.http_status == 409
        raise _in_doubt(str(error), 1 if is_under_way else None) from error
    except stripe.StripeError as error:
        raise _no(error, refused_as) from error


def _question(call: Callable[[], Answer]) -> Answer:
    """A question asked once. Raises AnswerLost or APIError where another try may help."""
    try:
        return call()
    except NeverSent as error:
        raise NoAnswer(f"Stripe does not answer: {error}.") from error
    except (stripe.AuthenticationError, stripe.PermissionError, stripe.RateLimitError) as error:
        # No answer about the payment: what it is stays open.
        raise NoAnswer(f"Stripe does not say: {error}.") from error
    except stripe.InvalidRequestError as error:
        raise _no(error, "provider_refused") from error


_CODES = {
    "amount_too_large": "over_capture",
    "charge_already_captured": "already_captured",
    "charge_expired_for_capture": "authorisation_expired",
    "charge_already_refunded": "over_refund",
    "resource_missing": "payment_unknown",
}


def _no(error: stripe.StripeError, refused_as: str) -> Exception:
    """A refusal in our words."""
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        return Refused("unauthorised", "Stripe does not accept our key for this account.")
    if isinstance(error, stripe.IdempotencyError):
        return Refused("idempotency_conflict", "The key belongs to another request.")
    code = _CODES.get(error.code or "", refused_as)
    body: Any = error.json_body if isinstance(error.json_body, dict) else {}
    stated = body.get("error", {})
    if refused_as == "not_refundable" and stated.get("param") == "amount":
        code = "over_refund"
    if refused_as == "not_capturable" and error.code == "payment_intent_unexpected_state":
        intent = stated.get("payment_intent", {})
        if intent.get("status") == "succeeded":
            code = "already_captured"
        elif intent.get("cancellation_reason") == "automatic":
            code = "authorisation_expired"
    return Refused(code, str(error.user_message or error)[:300])


def _header(error: stripe.StripeError, name: str) -> str:
    headers: Mapping[str, str] = error.headers or {}
    return {key.lower(): value for key, value in headers.items()}.get(name, "")


def _account(name: str) -> str:
    if not _ACCOUNT.fullmatch(name):
        raise Refused("account_unknown", f"{name} is no account at Stripe.")
    return name


def _options(account: str, idempotency_key: str | None = None) -> Any:
    options: dict[str, str] = {"stripe_account": account}
    if idempotency_key is not None:
        options["idempotency_key"] = idempotency_key
    return options


def _failed() -> Refused:
    return Refused("provider_failed", "Stripe failed, and nothing was done.")


def _in_doubt(what: str, retry_after_s: int | None = None) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"Stripe may have acted, but: {what}.",
        hint="Look the payment up, or send the same request with the same key.",
        retry_after_s=retry_after_s,
    )
