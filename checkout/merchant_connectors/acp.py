"""Merchant connector for shops that speak the Agentic Commerce Protocol, over REST.

The handle of an order is the id of its checkout session, which makes at most one order, and by
which alone the order can be read again. ACP has no call that cancels an order, and none that reads
one by its number.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from checkout.merchant_connectors._acp_messages import (
    REFERENCE,
    Session,
    details,
    items,
    line_of,
    lines_of,
    payment_data,
    read_event,
    read_refusal,
    read_session,
    refusal_of,
)
from checkout.merchant_connectors._checked_answers import Malformed, answered
from checkout.merchant_connectors._sessions import (
    Found,
    check_handle,
    check_total,
    chosen,
    derived_key,
    missing_line,
    quote_in_rounds,
    segment,
)
from checkout.merchant_connectors._shop_orders import (
    check_address,
    check_lines,
    in_doubt,
    reference_mismatch,
    silent,
)
from checkout.merchant_connectors.port import (
    Capabilities,
    Destination,
    LineStatus,
    MerchantQuote,
    Notice,
    OrderNotice,
    OrderRequest,
    PlacedOrder,
    QuoteLine,
)
from checkout.outcomes import HandoffNeeded, NoAnswer, OutcomeUnknown, Refused
from checkout.peer_http import AnswerLost, NeverSent, PeerAnswer, PeerClient, PeerLimits

CAPABILITIES = Capabilities(cancels_orders=False, finds_by_number=False, reports_shipment=True)

VERSION = "2026-04-17"
TOLERANCE_S = 300
_SIGNATURE = re.compile(r"t=(\d{1,12}),v1=([0-9a-fA-F]{64})")
_UNDER_WAY = {"complete_in_progress", "pending_approval"}


def connect(settings: Mapping[str, str]) -> AcpConnector:
    """From `url`, where the shop's API begins; `password`, our key there; `webhook_secret`, which
    signs its notices; `currency` if not EUR; and `timeout_s` if not 10.
    """
    return AcpConnector(
        url=settings["url"],
        key=settings["password"],
        webhook_secret=settings.get("webhook_secret", ""),
        currency=settings.get("currency", "EUR"),
        timeout_s=float(settings.get("timeout_s", "10")),
    )


class AcpConnector:
    """One shop."""

    def __init__(
        self, *, url: str, key: str, webhook_secret: str, currency: str, timeout_s: float
    ) -> None:
        limits = PeerLimits(silence_s=timeout_s, whole_s=2 * timeout_s)
        headers = {"Authorization": f"Bearer {key}", "API-Version": VERSION}
        self._http = PeerClient(url.rstrip("/"), headers=headers, limits=limits)
        self._webhook_secret = webhook_secret.encode()
        self._currency = currency.lower()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def quote(self, lines: Sequence[QuoteLine], destination: Destination) -> MerchantQuote:
        """See the port. A session, and another without what cannot be bought."""
        check_lines(lines)
        address = {
            "name": "-",
            "line_one": "-",
            "state": "",
            "city": destination.city or "-",
            "country": destination.country,
            "postal_code": destination.postcode,
        }

        def ask(wanted: list[QuoteLine]) -> tuple[Found, Session | None]:
            made = self._create(wanted, {"fulfillment_details": {"address": address}})
            if isinstance(made, QuoteLine):
                return {made.sku: missing_line(made)}, None
            return lines_of(made, wanted), made

        return quote_in_rounds(lines, ask)

    def prepare(self, order: OrderRequest) -> str:
        """See the port. A session with buyer, address and delivery, up to where it can be paid."""
        check_lines(order.lines)
        check_address(order)
        told = {
            "fulfillment_details": details(order),
            "buyer": {"email": order.buyer.email},
            "metadata": {REFERENCE: order.reference},
        }
        session = self._create(order.lines, told)
        if isinstance(session, QuoteLine):
            raise Refused("unknown_sku", f"The shop has no article {session.sku}.")
        for known in lines_of(session, order.lines).values():
            if known.status is not LineStatus.OK:
                raise Refused("out_of_stock", f"The shop has too few of article {known.sku}.")
        if session.status == "requires_escalation":
            raise refusal_of(session)
        chosen(session.delivery(datetime.now(UTC)), order.delivery_code)
        session = self._choose(session, order)
        check_total(session.total, order.expected_total)
        _check_ready(session)
        return check_handle(session.id)

    def place(self, order: OrderRequest, handle: str) -> PlacedOrder:
        """See the port. The session is read first, so that nothing but the total is agreed to."""
        session = self._session(handle)
        if session.status == "completed":
            return self._made(session, order.reference)
        if session.status in _UNDER_WAY:
            raise in_doubt("an earlier completion is still under way")
        check_total(session.total, order.expected_total)
        answer = self._complete(session, _check_ready(session), order.reference)
        if answer.status in (408, 425, 429) or answer.status >= 500:
            raise in_doubt(f"it answered {answer.status}", answer)
        if answer.status < 400:
            return _completed(answer, order.reference)
        if read_refusal(answer.body).code.startswith("idempotency_"):
            raise in_doubt(f"it answered {answer.status}", answer)
        return self._after_refusal(order, handle, answer)

    def _after_refusal(self, order: OrderRequest, handle: str, answer: PeerAnswer) -> PlacedOrder:
        """A refusal is believed only after the session has been read: it may be done already."""
        try:
            session = self._session(handle)
        except NoAnswer as error:
            raise in_doubt("it refused, and then did not say what became of it") from error
        if session.status == "completed":
            return self._made(session, order.reference)
        check_total(session.total, order.expected_total)
        if session.errors or session.status in ("requires_escalation", "authentication_required"):
            raise refusal_of(session)
        said = read_refusal(answer.body).message[:300] or str(answer.status)
        raise Refused("order_refused", f"The shop refused the order: {said}.")

    def find(self, reference: str, handle: str) -> PlacedOrder | None:
        """See the port. The session says whether it was completed, and its order how far it is."""
        session = self._session(handle)
        if session.reference not in (None, reference):
            raise reference_mismatch(str(session.reference)[:100])
        if session.status in _UNDER_WAY:
            raise NoAnswer("The shop is still completing the order.")
        return self._ordered(session, reference) if session.status == "completed" else None

    def status(self, merchant_order_number: str) -> PlacedOrder:  # noqa: ARG002
        """See the port: an order is read by its handle, with `find`."""
        raise Refused("not_supported", "This shop's orders are not known by their number.")

    def cancel(self, merchant_order_number: str, reason: str) -> PlacedOrder:  # noqa: ARG002
        """See the port: ACP has no call for it."""
        raise Refused("not_supported", "This shop's orders are cancelled at the shop itself.")

    def hand_off(self, lines: Sequence[QuoteLine]) -> str:
        """See `PreparesHandoff`: a session, and the page on which the buyer finishes it."""
        check_lines(lines)
        session = self._create(lines, {})
        if isinstance(session, QuoteLine):
            raise Refused("unknown_sku", f"The shop has no article {session.sku}.")
        if session.continue_url is None:
            raise refusal_of(session)
        return session.continue_url

    def verify_notice(self, notice: Notice) -> OrderNotice:
        """See `SendsNotices`. An old signature is a replay; the same notice twice has one id."""
        headers = {name.lower(): value for name, value in notice.headers.items()}
        found = _SIGNATURE.fullmatch(headers.get("merchant-signature", ""))
        if found is None or not self._webhook_secret:
            raise Refused("webhook_unsigned", "The notice has no Merchant-Signature.")
        signed = f"{found[1]}.".encode() + notice.body
        expected = hmac.new(self._webhook_secret, signed, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, found[2].lower()):
            raise Refused("webhook_forged", "The notice's signature does not fit.")
        if abs(notice.received_at.timestamp() - int(found[1])) > TOLERANCE_S:
            raise Refused("webhook_stale", "The notice was signed too long ago.")
        try:
            order = read_event(json.loads(notice.body))
        except (Malformed, ValueError, RecursionError) as error:
            raise Refused("webhook_invalid", "The notice cannot be read.") from error
        digest = hashlib.sha256(notice.body).hexdigest()
        return OrderNotice(digest, order.id, order.checkout_session_id)

    def _create(self, lines: Sequence[QuoteLine], told: Mapping[str, Any]) -> Session | QuoteLine:
        """A session, or the line that the shop has no article for."""
        wanted = items(lines)
        body = {"line_items": wanted, "currency": self._currency, "capabilities": {}, **told}
        answer = self._change("/checkout_sessions", body)
        refusal = read_refusal(answer.body)
        number = line_of(refusal.param)
        if answer.status in (400, 404, 422) and number is not None and number < len(wanted):
            return next(line for line in lines if line.sku == wanted[number]["id"])
        return _read(answer)

    def _choose(self, session: Session, order: OrderRequest) -> Session:
        option = {
            "type": "shipping",
            "option_id": order.delivery_code,
            "item_ids": [line.sku for line in order.lines],
        }
        path = f"/checkout_sessions/{segment(session.id)}"
        return _read(self._change(path, {"selected_fulfillment_options": [option]}))

    def _change(self, path: str, body: Mapping[str, Any]) -> PeerAnswer:
        """Make or fill a session. It binds nobody, so each is a new one and a lost one is left."""
        try:
            return self._post(path, body, key=str(uuid4()))
        except (NeverSent, AnswerLost) as error:
            raise silent(error) from error

    def _complete(self, session: Session, handler: str, reference: str) -> PeerAnswer:
        """The completion; sent again it is the same request under the same key."""
        try:
            return self._post(
                f"/checkout_sessions/{segment(session.id)}/complete",
                {"payment_data": payment_data(handler, reference)},
                key=derived_key("complete", session.id, reference),
            )
        except NeverSent as error:
            raise silent(error) from error
        except AnswerLost as error:
            raise in_doubt(str(error)) from error

    def _made(self, session: Session, reference: str) -> PlacedOrder:
        """The order of a completed session. It exists, whether or not it can be read now."""
        try:
            return self._ordered(session, reference)
        except NoAnswer as error:
            raise in_doubt(error.message) from error

    def _ordered(self, session: Session, reference: str) -> PlacedOrder:
        """The order of a completed session; where it is left out, the same completion gives it."""
        if session.order is None and session.handler is not None:
            try:
                return _completed(self._complete(session, session.handler, reference), reference)
            except OutcomeUnknown as error:
                raise NoAnswer(error.message) from error
        return answered(lambda: session.placed(reference))

    def _session(self, handle: str) -> Session:
        try:
            answer = self._http.ask(f"/checkout_sessions/{segment(handle)}")
        except (NeverSent, AnswerLost) as error:
            raise silent(error) from error
        if answer.status == 404:
            raise Refused("order_refused", "The shop no longer has this session.")
        return _read(answer)

    def _post(self, path: str, body: Mapping[str, Any], *, key: str) -> PeerAnswer:
        headers = {"Idempotency-Key": key, "Request-Id": str(uuid4())}
        return self._http.exchange("POST", path, json_body=body, headers=headers)


def _read(answer: PeerAnswer) -> Session:
    if answer.status >= 400:
        said = read_refusal(answer.body).message[:300]
        raise NoAnswer(f"The shop answered {answer.status}: {said}.")
    return answered(lambda: read_session(answer.body))


def _completed(answer: PeerAnswer, reference: str) -> PlacedOrder:
    """The order that a completion answers with; anything else leaves a doubt."""
    try:
        if answer.status < 400:
            return read_session(answer.body).placed(reference)
    except Malformed as error:
        raise in_doubt(str(error)) from error
    raise in_doubt(f"it answered {answer.status}", answer)


def _check_ready(session: Session) -> str:
    """The id of our handler at the merchant. Raises Refused or HandoffNeeded otherwise."""
    if session.status != "ready_for_payment":
        raise refusal_of(session)
    if session.handler is not None:
        return session.handler
    if session.continue_url is not None:
        raise HandoffNeeded("The shop is paid on its own page.", session.continue_url)
    raise Refused("order_refused", "The shop does not take our way of paying.")
