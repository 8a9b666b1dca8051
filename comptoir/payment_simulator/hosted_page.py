"""The page on which the buyer pays: card form, the bank's check, and the way back to the shop.

Works without scripts. Whatever the buyer sends again finds the payment as it is and leads on; only
the first decision counts. The way back says which payment it was, and is proof of nothing.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

from babel.numbers import format_currency
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from comptoir.payment_simulator import payments
from comptoir.payment_simulator.cards import CHALLENGE_CODE, SAMPLES, Fate, read_card
from comptoir.payment_simulator.database import SimulatorDatabase
from comptoir.payment_simulator.exchange import read_bounded
from comptoir.payment_simulator.payments import MOST_TRIES, PaymentRefused
from comptoir.payment_simulator.sips_objects import is_sips, response_data
from comptoir.payment_simulator.stripe_objects import is_stripes
from comptoir.payment_simulator.wording import LANGUAGES, WORDS, language_of
from kernel.money import Money

HERE = Path(__file__).parent
MOST_CHALLENGE_TRIES = 3

Row = sqlite3.Row
Form = dict[str, str]


class HostedPage:
    """The routes under /pay."""

    def __init__(self, database: SimulatorDatabase) -> None:
        self._database = database
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def routes(self) -> list[BaseRoute]:
        """Everything that the buyer's browser calls."""
        one = "/pay/{payment_id}"
        return [
            Mount("/pay/assets", StaticFiles(directory=HERE / "assets")),
            Route(one, self._pay, methods=["GET", "POST"]),
            Route(f"{one}/check", self._check, methods=["GET", "POST"]),
            Route(f"{one}/cancel", self._cancel, methods=["POST"]),
        ]

    async def _pay(self, request: Request) -> Response:
        if request.method == "GET":
            return self._show(request)
        form = await _form(request)
        return self._submit(request, form)

    async def _check(self, request: Request) -> Response:
        form = await _form(request) if request.method == "POST" else None
        return self._answer_check(request, form)

    async def _cancel(self, request: Request) -> Response:
        return self._go_back(request)

    def _show(self, request: Request) -> Response:
        with self._database.write() as tx:
            row = self._payment(tx, request)
            if row is None:
                return self._unknown(request)
        if row["status"] != "requires_payment":
            return self._finished(request, row)
        return self._form_page(request, row, {}, {})

    def _submit(self, request: Request, form: Form) -> Response:
        card, errors = read_card(
            form.get("number", ""),
            form.get("expiry", ""),
            form.get("code", ""),
            datetime.now(UTC).date(),
            wants_other_network=form.get("network") == "other",
        )
        with self._database.write() as tx:
            row = self._payment(tx, request)
            if row is None:
                return self._unknown(request)
            if row["status"] != "requires_payment":
                return _to_shop(row)
            if card is None:
                return self._form_page(request, row, form, errors)
            if card.fate is Fate.CHALLENGE:
                payments.await_challenge(tx, row, card.network, card.last4)
                return _see_other(_own_path(request, row, "/check"))
            if card.fate is Fate.APPROVED:
                return _to_shop(payments.authorise(tx, row, card.network, card.last4))
            row = payments.decline(tx, row, card.fate.value)
        return self._after_decline(request, row)

    def _answer_check(self, request: Request, form: Form | None) -> Response:
        with self._database.write() as tx:
            row = self._payment(tx, request)
            if row is None:
                return self._unknown(request)
            if row["status"] != "requires_payment":
                return _to_shop(row)
            if row["card_last4"] is None:
                return _see_other(_own_path(request, row))
            if form is None:
                return self._check_page(request, row, is_wrong=False)
            if "refuse" not in form and form.get("code", "").strip() == CHALLENGE_CODE:
                done = payments.authorise(tx, row, row["card_network"], row["card_last4"])
                return _to_shop(done)
            if "refuse" not in form:
                row = payments.count_challenge(tx, row)
                if row["challenge_tries"] < MOST_CHALLENGE_TRIES:
                    return self._check_page(request, row, is_wrong=True)
            row = payments.decline(tx, row, "authentication_failed")
        return self._after_decline(request, row)

    def _go_back(self, request: Request) -> Response:
        with self._database.write() as tx:
            row = self._payment(tx, request)
            if row is None:
                return self._unknown(request)
            if row["status"] == "requires_payment" and is_stripes(row):
                # At Stripe going back leaves the page open.
                return _see_other(row["cancel_url"])
            if row["status"] == "requires_payment":
                row = payments.cancel(tx, row)
        return _to_shop(row)

    def _payment(self, tx: sqlite3.Connection, request: Request) -> Row | None:
        try:
            found = payments.read(tx, str(request.path_params["payment_id"]))
        except PaymentRefused:
            return None
        return payments.settle_time(tx, found)

    def _after_decline(self, request: Request, row: Row) -> Response:
        if row["status"] != "requires_payment":
            return _to_shop(row)
        # To the form by redirect, so that reloading the page sends no card again.
        return _see_other(_own_path(request, row))

    def _form_page(
        self, request: Request, row: Row, form: Form, errors: dict[str, str]
    ) -> Response:
        context = {
            "errors": errors,
            "holder": form.get("holder", "")[:80],
            "network": form.get("network", ""),
            "samples": SAMPLES,
            "left": MOST_TRIES - row["tries"],
        }
        return self._page(request, "pay.html", row, context, 422 if errors else 200)

    def _check_page(self, request: Request, row: Row, *, is_wrong: bool) -> Response:
        context = {
            "is_wrong": is_wrong,
            "check_code": CHALLENGE_CODE,
            "left": MOST_CHALLENGE_TRIES - row["challenge_tries"],
        }
        return self._page(request, "check.html", row, context, 422 if is_wrong else 200)

    def _finished(self, request: Request, row: Row) -> Response:
        context: dict[str, object]
        context = {"back_url": _back_url(row), "back_fields": _back_fields(row)}
        return self._page(request, "finished.html", row, context, 200)

    def _unknown(self, request: Request) -> Response:
        return self._page(request, "unknown.html", None, {}, 404)

    def _page(
        self,
        request: Request,
        template: str,
        row: Row | None,
        context: Form | dict[str, object],
        status: int,
    ) -> Response:
        own = row["locale"] if row is not None else "en"
        language = language_of(request.query_params.get("locale"), own)
        amount = _spoken(row, language) if row is not None else ""
        html = self._templates.get_template(template).render(
            {
                **context,
                "words": WORDS[language],
                "language": language,
                "languages": LANGUAGES,
                "payment": row,
                "amount": amount,
            }
        )
        return HTMLResponse(html, status, _headers(row))


def _spoken(row: Row, language: str) -> str:
    """The amount as the language writes it."""
    amount: Decimal = Money(row["amount"], row["currency"]).amount
    return str(format_currency(amount, row["currency"], locale=language))


def _headers(row: Row | None) -> dict[str, str]:
    """No script, no frame, no other target of the form than this page and the shop."""
    targets = {"'self'"}
    if row is not None:
        for url in (row["return_url"], row["cancel_url"]):
            parts = urlsplit(url)
            targets.add(f"{parts.scheme}://{parts.netloc}")
    policy = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none';"
        f" frame-ancestors 'none'; form-action {' '.join(sorted(targets))}"
    )
    return {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def _back_url(row: Row) -> str:
    """Where the shop waits: the return address once decided, the cancel address if not paid."""
    url = row["cancel_url"] if row["status"] in ("cancelled", "voided") else row["return_url"]
    mark = urlencode({"payment_id": row["id"]})
    return f"{url}{'&' if '?' in url else '?'}{mark}"


def _back_fields(row: Row) -> dict[str, str] | None:
    """What the way back posts, in the dialect that has no link back; None for the others."""
    if not is_sips(row):
        return None
    data = response_data(row, row["created_at"])
    return {"Data": data, "Encode": "", "InterfaceVersion": "HP_2.20"}


def _own_path(request: Request, row: Row, page: str = "") -> str:
    """Another page of the same payment, in the language that is being read."""
    language = language_of(request.query_params.get("locale"), row["locale"])
    return f"/pay/{row['id']}{page}?locale={language}"


def _to_shop(row: Row) -> Response:
    return _see_other(f"/pay/{row['id']}" if is_sips(row) else _back_url(row))


def _see_other(url: str) -> Response:
    return RedirectResponse(url, 303, {"Cache-Control": "no-store"})


async def _form(request: Request) -> Form:
    try:
        fields = parse_qs((await read_bounded(request)).decode(), max_num_fields=20)
    except (ValueError, PaymentRefused):
        return {}
    return {name: values[0][:200] for name, values in fields.items()}
