"""localstripe, a Stripe of somebody else's, as a process of its own with Checkout in front of it.

localstripe has no Checkout: `Checkout` answers for the hosted page alone, out of the payment
intents that localstripe keeps, and hands everything else on to it unread. It is GPL: it is run from
an environment of its own and never imported.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import httpx2

from tests.little_server import Answering, LittleServer
from tests.peers import end, free_port, http, wait_for
from tests.scratch_interpreters import interpreter_with

PACKAGES = (
    *("localstripe==1.15.10", "aiohttp==3.14.5", "aiohappyeyeballs==2.7.1", "aiosignal==1.4.0"),
    *("attrs==26.1.0", "frozenlist==1.8.0", "idna==3.20", "multidict==7.2.1", "propcache==0.5.4"),
    *("python-dateutil==4.0.0", "typing-extensions==4.16.0", "tzdata==2026.6", "yarl==1.25.1"),
)
# Its own command listens on every interface.
_SERVE = (
    "import sys; from aiohttp import web; from localstripe.server import app; "
    "web.run_app(app, host='127.0.0.1', port=int(sys.argv[1]), print=None)"
)


@contextmanager
def running_localstripe(scratch: Path) -> Iterator[Checkout]:
    """A localstripe that has seen nothing; left out where it cannot be installed."""
    python, port = interpreter_with("localstripe", PACKAGES), free_port()
    # It keeps its memory in the folder for temporary files.
    environment = {"TMPDIR": str(scratch), "PATH": "/usr/bin:/bin"}
    command = [str(python), "-c", _SERVE, str(port)]
    process = subprocess.Popen(command, cwd=scratch, env=environment)
    checkout = None
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: http.get(f"{url}/v1/plans").status_code in (200, 401), 60)
        checkout = Checkout(url)
        yield checkout
    finally:
        if checkout is not None:
            checkout.close()
        end(process)


class Checkout:
    """Stripe's address for the adapter: sessions are ours, all the rest is localstripe's."""

    def __init__(self, localstripe: str) -> None:
        self._localstripe = localstripe
        self._sessions: dict[str, dict[str, Any]] = {}
        checkout = self

        class Handler(Answering):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                asked = self.command, self.path, dict(self.headers), self.taken()
                self.reply(*checkout.answer(*asked), {"Content-Type": "application/json"})

        self._server = LittleServer(Handler)
        self.url = self._server.url

    def close(self) -> None:
        """Stop answering."""
        self._server.close()

    def pay(self, session_id: str, method: str = "pm_card_visa") -> int:
        """The buyer pays at the page: localstripe makes the intent that the page was made for."""
        session = self._sessions[session_id]
        wanted = {
            "amount": session["amount_total"],
            "currency": session["currency"],
            "capture_method": "manual",
            "payment_method": method,
            "confirm": "true",
            "metadata[reference]": session["client_reference_id"],
        }
        made = self._ask("POST", "/v1/payment_intents", content=urlencode(wanted).encode())
        if made.status_code == 200:
            session["intent"] = made.json()["id"]
        return made.status_code

    def answer(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, bytes]:
        """Status and JSON of a request."""
        if path.startswith("/v1/checkout/sessions"):
            session_id = path.partition("?")[0].removeprefix("/v1/checkout/sessions").strip("/")
            session = self._made(body) if method == "POST" else self._sessions.get(session_id)
            if session is None:
                error = {"type": "invalid_request_error", "code": "resource_missing"}
                return 404, json.dumps({"error": error}).encode()
            return 200, json.dumps(self._shown(session)).encode()
        kept = {name: headers[name] for name in ("Content-Type",) if name in headers}
        given = self._ask(method, path, content=body, headers=kept)
        return given.status_code, given.content

    def _made(self, body: bytes) -> dict[str, Any]:
        fields = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        price = "line_items[0][price_data]"
        session = {
            "id": f"cs_test_local{len(self._sessions)}",
            "object": "checkout.session",
            "amount_total": int(fields[f"{price}[unit_amount]"]),
            "currency": fields[f"{price}[currency]"],
            "client_reference_id": fields["client_reference_id"],
            "expires_at": 2**33,
            "url": self.url,
        }
        self._sessions[str(session["id"])] = session
        return session

    def _shown(self, session: dict[str, Any]) -> dict[str, Any]:
        """The session with the intent as localstripe has it, in the words of today's Stripe."""
        shown = {name: value for name, value in session.items() if name != "intent"}
        if "intent" not in session:
            return shown | {"status": "open", "payment_intent": None}
        intent = self._ask("GET", f"/v1/payment_intents/{session['intent']}").json()
        (charge,) = intent["charges"]["data"]
        intent |= {
            "latest_charge": charge | {"payment_method_details": None},
            "amount_received": charge["amount"] if charge["captured"] else 0,
            "last_payment_error": None,
            "cancellation_reason": None,
        }
        return shown | {"status": "complete", "payment_intent": intent}

    def _ask(
        self,
        method: str,
        path: str,
        *,
        content: bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> httpx2.Response:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        own = {"Authorization": "Bearer sk_test_12345", **(headers or form)}
        return http.request(
            method, f"{self._localstripe}{path}", content=content or None, headers=own
        )
