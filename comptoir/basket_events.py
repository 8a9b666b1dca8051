"""Notes that an article out of an answer was put into the basket, or made ready at its shop.

Both belong to the purchase, which knows nothing of searching; the form's address carries the mark
of the answer, and this middleware reads it once the purchase has agreed. Nothing else is kept.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import QueryParams
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from search_api.answering import QueryLog
from search_api.events import note_visit
from search_api.query_id import MARK, QueryIds
from tenants.query_log import EventKind

# What a post means, and the answer that says that it was done.
_NOTED: Mapping[str, tuple[EventKind, int]] = {
    "/basket/lines": ("add_to_basket", 303),
    "/handoff": ("offer_out", 200),
}


class BasketEvents:
    """ASGI middleware behind the brand gate."""

    def __init__(self, app: ASGIApp, ids: QueryIds, log: QueryLog) -> None:
        self.app = app
        self.ids = ids
        self.log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in _NOTED or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        kind, done = _NOTED[scope["path"]]

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == done:
                self._note(scope, kind)
            await send(message)

        await self.app(scope, receive, noted)

    def _note(self, scope: Scope, kind: EventKind) -> None:
        said = QueryParams(scope["query_string"])
        note_visit(
            said.get(MARK, ""),
            kind,
            said.get("product", ""),
            scope["state"]["brand"].id,
            self.ids,
            self.log,
            offer_id=said.get("offer", ""),
        )
