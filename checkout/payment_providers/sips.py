"""Payment provider: Worldline SIPS 2.0 and banks' copies of it, for merchants that still have it.

Paypage (JSON) authorises on the merchant's own account; Office validates, cancels, refunds and
diagnoses. There are no idempotency keys: a page whose answer was lost is given up for another, and
a change is sent again only after the payment was looked at. Settings are Worldline's, the version
of a key being its id; notices are sealed with the same keys.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from checkout.outcomes import NoAnswer, NotYet, OutcomeUnknown, Refused
from checkout.payment_providers import ProviderSettings
from checkout.payment_providers._merchant_keys import key_of, merchant_keys
from checkout.payment_providers._open_page import Page, checked_account, page_of
from checkout.payment_providers._sips_objects import (
    Malformed,
    Paid,
    amount_json,
    event_of,
    notice_of,
    page_wanted,
    paid_of,
    payment_of,
    seal_of,
    seal_of_text,
    transaction_of,
)
from checkout.payment_providers.port import (
    POSTED,
    Payment,
    PaymentEvent,
    PaymentRequest,
    PaymentStatus,
)
from checkout.peer_http import AnswerLost, NeverSent, PeerClient, PeerLimits
from kernel.errors import DomainError
from kernel.money import Money

DISPLAY_NAME = "Worldline Sips"
PAGE_OPEN = timedelta(minutes=30)
"""How long a page may be paid at. SIPS closes it by itself, and sooner."""
MOST_PAGES = 5
"""How many pages a payment may have, of which at most the last one's address is known."""
_ASK_AGAIN_S = 3600
_OFFICE = "/rs-services/v2/cashManagement"
_IN_DOUBT = frozenset({"60", "90", "97", "99"})
_NOT_NOW = frozenset({"24", "51"})
_RELEASED = {PaymentStatus.VOIDED, PaymentStatus.CANCELLED, PaymentStatus.EXPIRED}
Message = Mapping[str, Any]


def connect(settings: ProviderSettings) -> SipsProvider:
    """From the installation's settings; `url` is that of Paypage's initialisation."""
    return SipsProvider(settings)


def origins_at(url: str) -> tuple[str, ...]:
    """Where the pages are, beside the initialisation: the same at every bank."""
    return (url.replace("//payment-webinit", "//payment-web"),)


class SipsProvider:
    """SIPS as a payment provider."""

    def __init__(self, settings: ProviderSettings, limits: PeerLimits | None = None) -> None:
        self._paypage = settings.url.rstrip("/")
        self._office = self._paypage.replace("//payment-webinit", "//office-server")
        self._keys = merchant_keys(settings.api_key)
        self._notice_keys = merchant_keys(settings.webhook_secret)
        self._peer = PeerClient("", limits=limits)

    def close(self) -> None:
        """Give the connections back."""
        self._peer.close()

    def create(self, request: PaymentRequest, idempotency_key: str) -> Payment:
        """See the port. A reference that is taken is one whose page nobody was told of."""
        del idempotency_key
        account = checked_account(request.merchant_account, DISPLAY_NAME)
        until = int(time.time() + PAGE_OPEN.total_seconds())
        for number in range(MOST_PAGES):
            transaction = transaction_of(account, request.reference, number)
            answer = self._change(
                account,
                f"{self._paypage}/rs-services/v2/paymentInit",
                page_wanted(request, transaction),
                "redirectionStatusCode",
            )
            code = str(answer["redirectionStatusCode"])
            if code == "00":
                page = Page(account, transaction, request.amount, until, request.reference)
                return page.payment(PaymentStatus.REQUIRES_PAYMENT, _page_address(answer))
            if code != "94":
                raise _no(code)
            found = self._diagnosed(Paid(account, transaction))
            if found is not None:
                return found
        raise Refused("page_lost", "Every page that SIPS opened for this payment was lost.")

    def read(self, payment_id: str) -> Payment:
        """See the port. A page is unknown to SIPS until somebody has finished there."""
        page = page_of(payment_id)
        paid = paid_of(payment_id) if page is None else Paid(page.account, page.hosted_id)
        found = self._diagnosed(paid)
        if found is not None:
            return found
        if page is None:
            raise Refused("payment_unknown", "SIPS does not know this payment.")
        is_over = time.time() > page.until
        return page.payment(PaymentStatus.CANCELLED if is_over else PaymentStatus.REQUIRES_PAYMENT)

    def find(self, reference: str, merchant_account: str) -> Payment | None:
        """See the port. Only a payment that somebody has finished is found; an open page whose
        address was never told cannot be paid at.
        """
        account = checked_account(merchant_account, DISPLAY_NAME)
        for number in range(MOST_PAGES):
            found = self._diagnosed(Paid(account, transaction_of(account, reference, number)))
            if found is not None:
                return found
        return None

    def capture(self, payment_id: str, amount: Money, idempotency_key: str) -> Payment:
        """See the port. SIPS calls it validation, and sends the money the night after."""
        del idempotency_key
        paid = self._paid(payment_id, "not_capturable")

        def settled(now: Payment) -> Payment:
            if now.captured == amount:
                return now
            raise _not_captured(now, amount)

        return self._moved(paid, "validate", amount, settled)

    def void(self, payment_id: str, idempotency_key: str) -> Payment:
        """See the port. A page that nobody has paid at cannot be closed: it closes by itself."""
        del idempotency_key
        now = self.read(payment_id)
        if now.status is PaymentStatus.REQUIRES_PAYMENT:
            raise NoAnswer("SIPS closes the page by itself; until then somebody may pay.")
        if now.status in _RELEASED:
            return now
        if now.status is not PaymentStatus.AUTHORISED:
            raise Refused("not_voidable", f"The payment is {now.status}.")

        def settled(then: Payment) -> Payment:
            if then.status in _RELEASED:
                return then
            raise Refused("not_voidable", f"The payment is {then.status}.")

        return self._moved(paid_of(now.id), "cancel", now.amount, settled)

    def refund(
        self,
        payment_id: str,
        amount: Money,
        idempotency_key: str,
        *,
        refunded_before: Money | None = None,
    ) -> Payment:
        """See the port. What was captured can be given back once SIPS has sent it to the bank."""
        del idempotency_key
        paid = self._paid(payment_id, "not_refundable")
        now = self._known(paid)
        if refunded_before is not None and now.refunded != refunded_before:
            if now.refunded == refunded_before + amount:
                return now
            raise _in_doubt(f"{now.refunded} has gone back, not {refunded_before}")

        def settled(then: Payment) -> Payment:
            raise _not_refunded(then, amount)

        return self._moved(paid, "refund", amount, settled)

    def verify_webhook(
        self, headers: Mapping[str, str], raw_body: bytes, now: datetime
    ) -> PaymentEvent:
        """See the port. The automatic response, sealed by the key of the merchant that it names; it
        is sent again unchanged, so its age says nothing, and copies are known by their text.
        """
        del headers, now
        notice = notice_of(raw_body)
        if notice is None:
            raise Refused("webhook_unsigned", "The notice has no seal.")
        try:
            _, secret = key_of(self._notice_keys, notice.account, DISPLAY_NAME)
        except DomainError as error:
            raise Refused("webhook_forged", "The notice is of no merchant of ours.") from error
        if not hmac.compare_digest(seal_of_text(notice.data, secret), notice.seal):
            raise Refused("webhook_forged", "The notice is not sealed by the provider.")
        try:
            return event_of(notice)
        except Malformed as error:
            raise Refused("webhook_malformed", "The notice cannot be read.") from error

    def _paid(self, payment_id: str, refused_as: str) -> Paid:
        """The transaction of a payment. Refused where nobody has paid."""
        page = page_of(payment_id)
        if page is None:
            return paid_of(payment_id)
        now = self.read(payment_id)
        if page_of(now.id) is not None:
            raise Refused(refused_as, "Nobody has paid.")
        return paid_of(now.id)

    def _moved(
        self, paid: Paid, operation: str, amount: Money, settled: Callable[[Payment], Payment]
    ) -> Payment:
        """A change of what was paid, then the payment as it is now. `settled` says what it means
        that SIPS would not: that it was done before, or why not.
        """
        body = {
            **amount_json(amount, "operationAmount"),
            "interfaceVersion": "CR_WS_2.55",
            "transactionReference": paid.transaction,
        }
        address = f"{self._office}{_OFFICE}/{operation}"
        code = str(self._change(paid.account, address, body, "responseCode")["responseCode"])
        if code == "25":
            # Said during its maintenance, too, of payments that it knows an hour later.
            raise NoAnswer("SIPS does not know the payment at this moment.")
        if code not in _NOT_NOW | {"00"}:
            raise _no(code)
        try:
            now = self._known(paid)
        except NoAnswer as error:
            raise _in_doubt(error.message) from error
        return now if code == "00" else settled(now)

    def _known(self, paid: Paid) -> Payment:
        found = self._diagnosed(paid)
        if found is None:
            raise NoAnswer("SIPS does not know the payment at this moment.")
        return found

    def _diagnosed(self, paid: Paid) -> Payment | None:
        """The payment as SIPS has it; None where it says that it knows of none."""
        body = {"interfaceVersion": "DR_WS_2.27", "transactionReference": paid.transaction}
        answer = self._asked(
            paid.account, f"{self._office}/rs-services/v2/diagnostic/getTransactionData", body
        )
        code = str(answer.get("getTransDataResponseCode") or answer.get("responseCode"))
        if code == "25":
            return None
        if code != "00":
            raise NoAnswer(f"SIPS does not say how the payment is ({code}).")
        try:
            return payment_of(paid, answer)
        except Malformed as error:
            raise NoAnswer("SIPS's answer cannot be read.") from error

    def _asked(self, account: str, address: str, body: Message) -> Message:
        """A question. It changes nothing, and is asked twice before it counts as unanswered."""
        for is_last in (False, True):
            try:
                return self._exchange(account, address, body)
            except NeverSent as error:
                raise NoAnswer(f"SIPS does not answer: {error}.") from error
            except AnswerLost as error:
                if is_last:
                    raise NoAnswer(f"SIPS does not answer: {error}.") from error
        raise AssertionError("unreachable")

    def _change(self, account: str, address: str, body: Message, code_in: str) -> Message:
        """A change. Only a whole answer that is no failure of theirs says how it ended."""
        try:
            answer = self._exchange(account, address, body)
        except NeverSent as error:
            raise NoAnswer(f"SIPS does not answer: {error}.") from error
        except AnswerLost as error:
            raise _in_doubt(str(error)) from error
        code = answer.get(code_in)
        if code is None or code in _IN_DOUBT:
            raise _in_doubt(f"it answered {code}")
        return answer

    def _exchange(self, account: str, address: str, body: Message) -> Message:
        """One sealed message and its answer. Raises NeverSent or AnswerLost."""
        version, secret = key_of(self._keys, account, DISPLAY_NAME)
        message = {**body, "merchantId": account, "keyVersion": version}
        message |= {"sealAlgorithm": "HMAC-SHA-256", "seal": seal_of(message, secret)}
        answer = self._peer.exchange("POST", address, json_body=message)
        said = answer.body
        if answer.status != 200 or not isinstance(said, dict):
            raise AnswerLost(f"it answered {answer.status}")
        # A refusal of our seal is not sealed: there is no key that both sides know.
        if "seal" in said and not hmac.compare_digest(seal_of(said, secret), str(said["seal"])):
            raise AnswerLost("the seal of its answer is wrong")
        return said


def _page_address(answer: Message) -> str:
    """The page is opened by a form that posts these two fields."""
    try:
        fields = {name: answer[name] for name in ("redirectionVersion", "redirectionData")}
        return f"{answer['redirectionUrl']}?{urlencode(fields)}#{POSTED}"
    except KeyError as error:
        raise _in_doubt(f"its answer has no {error}") from error


def _not_captured(now: Payment, amount: Money) -> Refused:
    if now.captured.minor:
        return Refused("already_captured", f"{now.captured} is captured already.")
    if now.status is PaymentStatus.EXPIRED:
        return Refused("authorisation_expired", "The payment was not captured in time.")
    if now.status is PaymentStatus.AUTHORISED and amount.minor > now.amount.minor:
        return Refused("over_capture", f"Only {now.amount} is authorised.")
    return Refused("not_capturable", f"The payment is {now.status}.")


def _not_refunded(now: Payment, amount: Money) -> DomainError:
    if not now.captured.minor:
        return Refused("not_refundable", f"The payment is {now.status}.")
    if amount.minor > now.captured.minor - now.refunded.minor:
        return Refused("over_refund", f"{now.refunded} of {now.captured} has gone back already.")
    return NotYet("SIPS gives back only what it has sent to the bank, at night.", _ASK_AGAIN_S)


_WHY = {
    "03": ("account_unknown", "SIPS does not know this merchant."),
    "34": ("unauthorised", "SIPS does not accept our seal for this account."),
    "63": ("unauthorised", "SIPS does not accept our seal for this account."),
}


def _no(code: str) -> Refused:
    return Refused(*_WHY.get(code, ("provider_refused", f"SIPS answered {code}.")))


def _in_doubt(what: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"SIPS may have acted, but: {what}.", hint="Look the payment up before anything is sent."
    )
