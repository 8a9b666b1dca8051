"""The shop's own page, on which a buyer finishes what a platform has prepared; no scripts."""

from __future__ import annotations

from html import escape

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from comptoir.protocol_merchant import shop
from comptoir.protocol_merchant.database import MerchantDatabase

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<style>body{{font:1.1rem/1.5 system-ui;max-width:36rem;margin:2rem auto;padding:0 1rem}}
button{{font:inherit;padding:.7rem 1.4rem}}</style><h1>{title}</h1>{body}</html>"""


class ContinuePage:
    """`/continue/{session}`, `/order/{session}` and `/terms`: what links in messages lead to.

    A session's id cannot be guessed, unlike the number of an order.
    """

    def __init__(self, database: MerchantDatabase) -> None:
        self._database = database

    def routes(self) -> list[Route]:
        """The pages."""
        return [
            Route("/continue/{id}", self._continue, methods=["GET", "POST"]),
            Route("/order/{id}", self._order),
            Route("/terms", _terms),
        ]

    async def _continue(self, request: Request) -> Response:
        act = self._finish if request.method == "POST" else self._show
        return await run_in_threadpool(act, request.path_params["id"])

    def _show(self, session_id: str) -> Response:
        with self._database.write() as tx:
            session = shop.read_session(tx, session_id, None)
            if session is None or session.status == "canceled":
                return _page("There is nothing here", "<p>This basket is no longer kept.</p>", 404)
            sale = shop.sale_of(tx, session.id)
            if sale is not None:
                return RedirectResponse(f"/order/{session.id}", 303)
            bill = shop.bill_of(tx, session)
        button = '<form method="post"><button>Order and pay here</button></form>'
        short = "<p>We have too few of it.</p>"
        return _page("Your basket", _rows(bill) + (short if "short" in bill.problems else button))

    def _finish(self, session_id: str) -> Response:
        with self._database.write() as tx:
            session = shop.read_session(tx, session_id, None)
            if session is not None and session.status == "open":
                bill = shop.bill_of(tx, session)
                if "short" not in bill.problems:
                    shop.complete(tx, session, bill, "paid on the shop's own page")
        return RedirectResponse(f"/continue/{session_id}", 303)

    async def _order(self, request: Request) -> Response:
        return await run_in_threadpool(self._show_order, request.path_params["id"])

    def _show_order(self, session_id: str) -> Response:
        with self._database.write() as tx:
            sale = shop.sale_of(tx, session_id)
        if sale is None:
            return _page("There is nothing here", "<p>No such order.</p>", 404)
        return _page(f"Order {escape(sale.id)}", f"<p>{escape(sale.status)}</p>{_rows(sale.bill)}")


async def _terms(_request: Request) -> Response:
    return _page("Terms of sale", "<p>Sold by this shop, sent within a few days.</p>")


def _rows(bill: shop.Bill) -> str:
    rows = "".join(
        f"<li>{line.quantity} × {escape(line.title)}: {_amount(line.price, bill.currency)}</li>"
        for line in bill.lines
    )
    return f"<ul>{rows}</ul><p>{_amount(bill.total, bill.currency)}</p>"


def _amount(minor: int, currency: str) -> str:
    return f"{minor // 100}.{minor % 100:02d} {escape(currency)}"


def _page(title: str, body: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(title=title, body=body), status)
