"""Notes that an article was put into the basket out of an answer, when the basket has taken it.

The basket belongs to the purchase, which knows nothing of searching; the form's address carries
the mark of the answer, and this middleware reads it. Nothing of the basket itself is kept.
"""

from __future__ import annotations

from starlette.datastructures import QueryParams
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from search_api.answering import QueryLog
from search_api.events import note_visit
from search_api.query_id import MARK, QueryIds

PATH = "/basket/lines"


class BasketEvents:
    """ASGI middleware behind the brand gate."""

    def __init__(self, app: ASGIApp, ids: QueryIds, log: QueryLog) -> None:
        self.app = app
        self.ids = ids
        self.log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 303:
                self._note(scope)
            await send(message)

        await self.app(scope, receive, noted)

    def _note(self, scope: Scope) -> None:
        said = QueryParams(scope["query_string"])
        note_visit(
            said.get(MARK, ""),
            "add_to_basket",
            said.get("product", ""),
            scope["state"]["brand"].id,
            self.ids,
            self.log,
            offer_id=said.get("offer", ""),
        )
