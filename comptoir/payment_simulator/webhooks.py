"""Notices to platforms: queued with the change, signed, sent again until accepted, in no order.

Header `Comptoir-Signature: t=<unix>,v1=<hex HMAC-SHA256 of "t.raw_body">`, the same as
`Stripe-Signature` for payments made in that dialect, Worldline's two headers for its own, and for
SIPS a sealed form that goes to the address given with the payment, if there was one. A notice is
accepted by any 2xx answer; otherwise it is tried again after 1, 2, 4 ... 60 s, ten times
in all.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import random
import sqlite3
import threading
import time
from typing import Any

import httpx2

from comptoir.payment_simulator import sips_objects, worldline_objects
from comptoir.payment_simulator.database import SimulatorDatabase, read_setting, unix_now
from comptoir.payment_simulator.faults import take_fault
from comptoir.payment_simulator.stripe_objects import event_json, is_stripes
from comptoir.payment_simulator.worldline_objects import is_worldlines
from kernel.ids import drawn_id

MOST_TRIES = 10
LONGEST_WAIT_S = 60.0
POLL_S = 0.1
OVERTAKEN_S = 1.5

log = logging.getLogger(__name__)


def queue_event(
    tx: sqlite3.Connection, payment: sqlite3.Row, event_type: str, data: dict[str, Any]
) -> None:
    """Record the event and its delivery, bent by the faults that are switched on."""
    event_id = drawn_id("evt")
    created = unix_now(tx)
    body: dict[str, Any] | None
    body = {"id": event_id, "type": event_type, "created": created, "data": {"payment": data}}
    if is_stripes(payment):
        body = event_json(payment, event_id, event_type, created)
    elif is_worldlines(payment):
        body = worldline_objects.event_json(payment, event_id, event_type, created)
    elif sips_objects.is_sips(payment):
        body = sips_objects.event_json(payment, event_type, created)
    if body is None:
        return
    tx.execute(
        "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)",
        (event_id, payment["platform"], payment["id"], event_type, json.dumps(body), created),
    )
    fault = take_fault(tx, "webhook")
    if fault and fault.kind == "none":
        return
    due = time.time()
    if fault and fault.kind == "delayed":
        due += fault.delay_s
    if fault and fault.kind == "reordered":
        # Held back just long enough for what comes next to overtake it.
        due += fault.delay_s or OVERTAKEN_S
    for _copy in range(2 if fault and fault.kind == "duplicate" else 1):
        tx.execute("INSERT INTO delivery (event_id, due_at) VALUES (?, ?)", (event_id, due))


def sign(secret: str, raw_body: bytes, at: int) -> str:
    """The value of the signature header."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + raw_body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def signed_notice(platform: str, secret: str, said: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    """A notice as it goes over the wire, signed in the dialect that it is written in."""
    if "Data" in said:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return sips_objects.notice_form(said["Data"], secret), form
    raw = json.dumps(said).encode()
    headers = {"Content-Type": "application/json"}
    if "apiVersion" in said:
        digest = hmac.new(secret.encode(), raw, hashlib.sha256).digest()
        signature = base64.b64encode(digest).decode()
        return raw, headers | {"X-GCS-Signature": signature, "X-GCS-KeyId": platform}
    name = "Stripe-Signature" if said.get("object") == "event" else "Comptoir-Signature"
    return raw, headers | {name: sign(secret, raw, int(time.time()))}


class WebhookSender:
    """A thread that sends what is due. Where no address is registered, notices wait."""

    def __init__(self, database: SimulatorDatabase, secrets: dict[str, str]) -> None:
        self._database = database
        self._secrets = secrets
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)

    def start(self) -> None:
        """Begin sending."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the notice under way, then end."""
        self._stopping.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        with httpx2.Client(timeout=5, trust_env=False) as client:
            while not self._stopping.wait(POLL_S):
                try:
                    self._send_due(client)
                except sqlite3.Error:
                    log.exception("the queue of notices cannot be read")

    def _send_due(self, client: httpx2.Client) -> None:
        with self._database.read() as tx:
            addresses = {
                platform: address
                for platform in self._secrets
                if (address := read_setting(tx, f"webhook:{platform}"))
            }
            due = tx.execute(
                "SELECT delivery.number, delivery.tries, event.platform, event.body FROM delivery"
                " JOIN event ON event.id = delivery.event_id"
                " WHERE outcome IS NULL AND due_at <= ? AND (event.platform IN"
                " (SELECT value FROM json_each(?)) OR json_extract(event.body, '$.to') IS NOT NULL)"
                " ORDER BY due_at LIMIT 100",
                (time.time(), json.dumps(list(addresses))),
            ).fetchall()
        # No order is promised, and none is kept.
        random.shuffle(due)
        for row in due:
            said = json.loads(row["body"])
            address = said.get("to") or addresses.get(row["platform"])
            if address and not self._stopping.is_set():
                self._send(client, row, said, address)

    def _send(
        self, client: httpx2.Client, row: sqlite3.Row, said: dict[str, Any], address: str
    ) -> None:
        raw, headers = signed_notice(row["platform"], self._secrets[row["platform"]], said)
        try:
            accepted = client.post(address, content=raw, headers=headers).is_success
        except httpx2.HTTPError:
            accepted = False
        tries = row["tries"] + 1
        outcome = "accepted" if accepted else ("given_up" if tries >= MOST_TRIES else None)
        wait = min(2.0 ** (tries - 1), LONGEST_WAIT_S)
        with self._database.write() as tx:
            tx.execute(
                "UPDATE delivery SET tries = ?, outcome = ?, due_at = ? WHERE number = ?",
                (tries, outcome, time.time() + wait, row["number"]),
            )
