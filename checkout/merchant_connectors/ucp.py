"""Merchant connector for shops that speak the Universal Commerce Protocol, over REST.

The handle of an order is the id of its checkout session, which makes at most one order. Whatever
was completed under a lost answer is read back; the same completion is sent again with the same
key. UCP has no call that cancels an order: that is done at the merchant's.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from checkout.merchant_connectors._checked_answers import Malformed, answered
from checkout.merchant_connectors._sessions import (
    Found,
    check_handle,
    check_total,
    chosen,
    derived_key,
    quote_in_rounds,
    segment,
)
from checkout.merchant_connectors._shop_orders import (
    check_address,
    check_lines,
    in_doubt,
    reference_mismatch,
    silent,
    unreadable,
)
from checkout.merchant_connectors._ucp_answers import (
    REFERENCE,
    Checkout,
    Refusal,
    read_checkout,
    read_order,
)
from checkout.merchant_connectors._ucp_profiles import Business, negotiate
from checkout.merchant_connectors._ucp_requests import (
    address_json,
    buyer_json,
    line_items,
    payment_json,
    shipping,
)
from checkout.merchant_connectors._ucp_signatures import (
    Unsigned,
    check_signature,
    platform_key,
    signed_headers,
)
from checkout.merchant_connectors._ucp_verdicts import (
    check_buyable,
    check_ready,
    lines_of,
    refusal_of,
)
from checkout.merchant_connectors.port import (
    Capabilities,
    Destination,
    MerchantQuote,
    Notice,
    OrderNotice,
    OrderRequest,
    OrderStatus,
    PlacedOrder,
    QuoteLine,
)
from checkout.outcomes import NoAnswer, Refused
from checkout.peer_http import AnswerLost, NeverSent, PeerAnswer, PeerClient, PeerLimits

CAPABILITIES = Capabilities(cancels_orders=False, counts_stock=False, reports_shipment=True)

PROFILE_KEPT_S = 600.0
PROFILE_READ_EVERY_S = 30.0
_WELL_KNOWN = "/.well-known/ucp"


def connect(settings: Mapping[str, str]) -> UcpConnector:
    """From `url`, the shop's origin; `platform_profile`, the address of our profile without its
    version; `platform_key`, the file of our signing key; and `timeout_s` if not 10.
    """
    return UcpConnector(
        url=settings["url"],
        profile=settings["platform_profile"],
        key_file=Path(settings["platform_key"]),
        timeout_s=float(settings.get("timeout_s", "10")),
    )


class UcpConnector:
    """One shop. Its profile is read once in ten minutes, and sooner where a key is unknown."""

    def __init__(self, *, url: str, profile: str, key_file: Path, timeout_s: float = 10) -> None:
        parts = urlsplit(url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._profile = profile
        self._key = platform_key(key_file)
        limits = PeerLimits(silence_s=timeout_s, whole_s=2 * timeout_s)
        self._http = PeerClient(self._origin, limits=limits)
        self._known: tuple[float, Business] | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def quote(self, lines: Sequence[QuoteLine], destination: Destination) -> MerchantQuote:
        """See the port. A session, and another without what cannot be bought."""
        check_lines(lines)
        address = {
            "postal_code": destination.postcode,
            "address_locality": destination.city,
            "address_country": destination.country,
        }

        def ask(wanted: list[QuoteLine]) -> tuple[Found, Checkout | None]:
            answer = self._create({"fulfillment": shipping(address)}, wanted)
            return lines_of(answer, wanted), None if isinstance(answer, Refusal) else answer

        return quote_in_rounds(lines, ask)

    def prepare(self, order: OrderRequest) -> str:
        """See the port. A session with buyer, address and delivery, up to where it can be paid."""
        check_lines(order.lines)
        check_address(order)
        details = self._details(order)
        session = self._create(details, order.lines)
        if isinstance(session, Refusal):
            raise refusal_of(session)
        check_buyable(session, order)
        chosen(session.delivery(datetime.now(UTC)), order.delivery_code)
        session = self._choose(session, order, details)
        check_total(session.total, order.expected_total)
        check_ready(session)
        return check_handle(session.id)

    def place(self, order: OrderRequest, handle: str) -> PlacedOrder:
        """See the port. The session is read first, so that nothing but the total is agreed to."""
        session = self._session(handle)
        if session.status == "completed":
            return self._made(session, order.reference)
        if session.status == "complete_in_progress":
            raise in_doubt("an earlier completion is still under way")
        check_total(session.total, order.expected_total)
        handler = check_ready(session)
        try:
            answer = self._exchange(
                "POST",
                f"/checkout-sessions/{segment(handle)}/complete",
                {
                    "payment": payment_json(handler, order.reference),
                    "attribution": {REFERENCE: order.reference},
                },
                # The same completion sent again is the same request under the same key.
                key=derived_key("complete", handle, order.reference),
            )
        except AnswerLost as error:
            raise in_doubt(str(error)) from error
        return self._completed(answer, order)

    def _completed(self, answer: PeerAnswer, order: OrderRequest) -> PlacedOrder:
        if answer.status == 409 or answer.status >= 500 or answer.status in (408, 425, 429):
            raise in_doubt(f"it answered {answer.status}", answer)
        if answer.status >= 400:
            raise Refused("order_refused", f"The shop refused the order ({answer.status}).")
        try:
            session = read_checkout(answer.body)
        except Malformed as error:
            raise in_doubt(str(error)) from error
        if isinstance(session, Refusal):
            raise refusal_of(session)
        if session.status == "completed":
            return self._made(session, order.reference)
        if session.status == "complete_in_progress":
            raise in_doubt("it is still at it", answer)
        check_total(session.total, order.expected_total)
        raise refusal_of(session)

    def find(self, reference: str, handle: str) -> PlacedOrder | None:
        """See the port. The session says whether it was completed, its order how far it is."""
        session = self._session(handle)
        theirs = session.attribution.get(REFERENCE, reference)
        if theirs != reference:
            raise reference_mismatch(theirs[:100])
        if session.status == "complete_in_progress":
            raise NoAnswer("The shop is still completing the order.")
        return self._ordered(session, reference) if session.status == "completed" else None

    def status(self, merchant_order_number: str) -> PlacedOrder:
        """See the port."""
        return self._order(merchant_order_number, "")

    def cancel(self, merchant_order_number: str, reason: str) -> PlacedOrder:  # noqa: ARG002
        """See the port. Answers for what is cancelled already; UCP has no call to do it."""
        order = self.status(merchant_order_number)
        if order.status is OrderStatus.CANCELLED:
            return order
        raise Refused("not_supported", "This shop's orders are cancelled at the shop itself.")

    def hand_off(self, lines: Sequence[QuoteLine]) -> str:
        """See `PreparesHandoff`: a session, and the page on which the buyer finishes it."""
        check_lines(lines)
        answer = self._create({}, lines)
        if answer.continue_url is None:
            raise refusal_of(answer)
        return answer.continue_url

    def verify_notice(self, notice: Notice) -> OrderNotice:
        """See `SendsNotices`. The keys of this shop's own profile count, and no others."""
        try:
            self._check_signature(notice)
            order = read_order(json.loads(notice.body))
            event_id = {name.lower(): value for name, value in notice.headers.items()}["webhook-id"]
        except Unsigned as error:
            raise Refused("webhook_unsigned", f"The notice is not signed: {error}.") from error
        except (Malformed, ValueError, KeyError, RecursionError) as error:
            raise Refused("webhook_invalid", "The notice cannot be read.") from error
        return OrderNotice(event_id[:200], order.id, order.checkout_id)

    def _check_signature(self, notice: Notice) -> None:
        """A key that is not known may be a new one: the profile is read again, but not for each
        forgery that somebody sends.
        """
        message = (notice.method, notice.url, notice.headers, notice.body)
        try:
            check_signature(self._business().keys, *message)
        except Unsigned:
            check_signature(self._business(at_most_s=PROFILE_READ_EVERY_S).keys, *message)

    def _details(self, order: OrderRequest) -> dict[str, Any]:
        return {
            "buyer": buyer_json(order.buyer, order.address),
            "fulfillment": shipping(address_json(order.address)),
            "attribution": {REFERENCE: order.reference},
        }

    def _create(self, details: Mapping[str, Any], lines: Sequence[QuoteLine]) -> Checkout | Refusal:
        body = {"line_items": line_items(lines), **details}
        return self._change("POST", "/checkout-sessions", body)

    def _choose(
        self, session: Checkout, order: OrderRequest, details: Mapping[str, Any]
    ) -> Checkout:
        """The session again, whole, with the delivery that the buyer confirmed."""
        lines = [
            {"id": known.id, **line}
            for known, line in zip(session.line_items, line_items(order.lines), strict=True)
        ]
        try:
            choice = session.choice(order.delivery_code)
        except Malformed as error:
            raise Refused("not_delivered", f"The shop does not deliver it: {error}.") from error
        body = {**details, "line_items": lines, "fulfillment": choice}
        answer = self._change("PUT", f"/checkout-sessions/{segment(session.id)}", body)
        if isinstance(answer, Refusal):
            raise refusal_of(answer)
        return answer

    def _change(self, method: str, path: str, body: Mapping[str, Any]) -> Checkout | Refusal:
        """Make or fill a session. It binds nobody, so each is a new one and a lost one is left."""
        try:
            answer = self._exchange(method, path, body, key=str(uuid4()))
        except AnswerLost as error:
            raise silent(error) from error
        return _read(answer)

    def _session(self, handle: str) -> Checkout:
        session = self._asked(f"/checkout-sessions/{segment(handle)}")
        if session.status == 404:
            raise Refused("order_refused", "The shop no longer has this session.")
        found = _read(session)
        if isinstance(found, Refusal):
            raise refusal_of(found)
        return found

    def _made(self, session: Checkout, reference: str) -> PlacedOrder:
        """The order of a completed session. It exists, whether or not it can be read now."""
        try:
            return self._ordered(session, reference)
        except (NoAnswer, Refused) as error:
            raise in_doubt(f"its order cannot be read: {error.message}") from error

    def _ordered(self, session: Checkout, reference: str) -> PlacedOrder:
        if session.order is None:
            raise unreadable("a completed session without an order")
        return self._order(session.order.id, reference)

    def _order(self, number: str, reference: str) -> PlacedOrder:
        answer = self._asked(f"/orders/{segment(number)}")
        is_error = (
            isinstance(answer.body, dict)
            and "messages" in answer.body
            and ("id" not in answer.body)
        )
        if answer.status == 404 or (answer.status == 200 and is_error):
            raise Refused("order_unknown", "The shop has no such order.")
        if answer.status != 200:
            raise NoAnswer(f"The shop answered {answer.status}.")
        return answered(lambda: read_order(answer.body).placed(reference))

    def _asked(self, path: str) -> PeerAnswer:
        """A question, asked twice before it counts as unanswered."""
        try:
            answer = self._exchange("GET", path, None)
            if answer.status < 500:
                return answer
        except AnswerLost:
            pass
        try:
            return self._exchange("GET", path, None)
        except AnswerLost as error:
            raise silent(error) from error

    def _exchange(
        self, method: str, path: str, body: Mapping[str, Any] | None, *, key: str | None = None
    ) -> PeerAnswer:
        """One signed exchange. Raises NoAnswer where nothing was sent, AnswerLost else."""
        business = self._business()
        target = business.path + path
        raw = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        headers = {
            "UCP-Agent": f'profile="{self._profile}&version={business.version}"',
            "Request-Id": str(uuid4()),
            **({} if raw is None else {"Content-Type": "application/json"}),
            **({} if key is None else {"Idempotency-Key": key}),
        }
        signed = signed_headers(self._key, method, self._origin + target, headers, raw)
        try:
            return self._http.exchange(method, target, content=raw, headers=signed)
        except NeverSent as error:
            raise silent(error) from error

    def _business(self, *, at_most_s: float = PROFILE_KEPT_S) -> Business:
        """The merchant by its profile, of so many seconds ago at most, in the newest version that
        both sides speak.
        """
        with self._lock:
            if self._known is None or time.monotonic() > self._known[0] + at_most_s:
                self._known = (time.monotonic(), self._discover())
            return self._known[1]

    def _discover(self) -> Business:
        path = _WELL_KNOWN
        for _hop in range(2):
            try:
                answer = self._http.ask(path)
                found = negotiate(answer.body, self._origin)
            except (NeverSent, AnswerLost) as error:
                raise silent(error) from error
            except Malformed as error:
                raise NoAnswer(f"The shop cannot be spoken to by UCP: {error}.") from error
            if isinstance(found, Business):
                return found
            path = found
        raise NoAnswer("The shop's profiles lead from one to the next.")


def _read(answer: PeerAnswer) -> Checkout | Refusal:
    if answer.status >= 400:
        raise NoAnswer(f"The shop answered {answer.status}.")
    return answered(lambda: read_checkout(answer.body))
