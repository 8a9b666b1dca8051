"""Our account at a Vendure shop: logs in, asks, changes. In: GraphQL. Out: the checked envelope.

The session token is kept in memory only and fetched again when the shop no longer knows it. The
name of the operation stands in the address, so that the shop's own log tells what we did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from checkout.merchant_connectors._shop_orders import silent
from checkout.outcomes import NoAnswer
from checkout.peer_http import AnswerLost, NeverSent, PeerAnswer, PeerClient, PeerLimits

_TOKEN = "vendure-auth-token"  # noqa: S105 - the name of a header
_UNKNOWN_SESSION = {"FORBIDDEN", "UNAUTHORIZED"}
_LOGIN = """mutation ($username: String!, $password: String!) {
  login(username: $username, password: $password) { __typename }
}"""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the shop did with a document: the fields, or the first error that ended it.

    `status` tells refused documents (400, 200) from a shop in trouble (5xx and the like).
    """

    status: int
    data: dict[str, Any]
    error: str | None = None
    error_code: str = ""

    @property
    def is_whole(self) -> bool:
        """True where every field of the document was carried out."""
        return self.status == 200 and self.error is None

    @property
    def is_answer(self) -> bool:
        """True where the shop dealt with the document, whatever it said."""
        return self.status in (200, 400)


class VendureAccount:
    """One administrator of one shop. Safe to share: the worst of a race is a second login."""

    def __init__(
        self, *, url: str, username: str, password: str, channel: str, timeout_s: float
    ) -> None:
        limits = PeerLimits(silence_s=timeout_s, whole_s=2 * timeout_s)
        headers = {"vendure-token": channel} if channel else {}
        self._client = PeerClient(url.rstrip("/"), headers=headers, limits=limits)
        self._login = {"username": username, "password": password}
        self._token = ""

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def ask(self, operation: str, document: str, **variables: object) -> dict[str, Any]:
        """A question: it changes nothing, and is asked twice before it counts as unanswered."""
        try:
            return self.draw_up(operation, document, **variables)
        except NoAnswer:
            return self.draw_up(operation, document, **variables)

    def draw_up(self, operation: str, document: str, **variables: object) -> dict[str, Any]:
        """A change to a draft, which binds nobody: sent once. Raises NoAnswer."""
        reply = self.attempt(operation, document, **variables)
        if not reply.is_whole:
            raise NoAnswer(f"The shop did not answer {operation}: {reply.error or reply.status}.")
        return reply.data

    def attempt(self, operation: str, document: str, **variables: object) -> Reply:
        """As `draw_up`, for what the shop may refuse. Raises NoAnswer only where it is silent."""
        try:
            return self.change(operation, document, **variables)
        except (NeverSent, AnswerLost) as error:
            raise silent(error) from error

    def change(self, operation: str, document: str, **variables: object) -> Reply:
        """Send once; a session that the shop no longer knows is opened anew first.

        Raises NeverSent, or AnswerLost where the shop may have acted.
        """
        if not self._token:
            self._open()
        reply = self._send(operation, document, variables)
        if reply.error_code in _UNKNOWN_SESSION:
            self._open()
            reply = self._send(operation, document, variables)
        return reply

    def _open(self) -> None:
        """Log in. Nothing of what was asked has been sent so far: whatever fails is NeverSent."""
        self._token = ""
        try:
            answer = self._post("login", _LOGIN, self._login)
        except AnswerLost as error:
            raise NeverSent(str(error)) from error
        token = answer.headers.get(_TOKEN, "")
        if answer.status != 200 or not 16 <= len(token) <= 512:
            raise NeverSent("it does not know our account")
        self._token = token

    def _send(self, operation: str, document: str, variables: dict[str, object]) -> Reply:
        answer = self._post(operation, document, variables)
        body = answer.body if isinstance(answer.body, dict) else {}
        data = body.get("data") if isinstance(body.get("data"), dict) else {}
        errors = body.get("errors")
        if not errors:
            error = None if answer.status == 200 and data else "no data"
            return Reply(answer.status, data or {}, error)
        first = errors[0] if isinstance(errors, list) and isinstance(errors[0], dict) else {}
        extensions = first.get("extensions")
        code = extensions.get("code", "") if isinstance(extensions, dict) else ""
        return Reply(
            answer.status, data or {}, str(first.get("message", "no reason"))[:300], str(code)
        )

    def _post(self, operation: str, document: str, variables: dict[str, Any]) -> PeerAnswer:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        return self._client.exchange(
            "POST",
            f"/admin-api?operation={operation}",
            json_body={"query": document, "variables": variables},
            headers=headers,
        )
