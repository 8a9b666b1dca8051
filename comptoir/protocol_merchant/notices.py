"""Notices of orders to platforms: queued with the change, signed, sent again until accepted.

UCP: the whole order, signed by the key of the shop's profile. ACP: an event with the whole order,
`Merchant-Signature: t=<unix>,v1=<HMAC-SHA256 of "t.raw_body">`. In no order, and maybe twice.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import sqlite3
import threading
import time
import uuid
from urllib.parse import urlsplit

import httpx2
from cryptography.hazmat.primitives.asymmetric import ec

from comptoir.protocol_merchant.acp_messages import event_json
from comptoir.protocol_merchant.database import MerchantDatabase, read_setting
from comptoir.protocol_merchant.faults import take_fault
from comptoir.protocol_merchant.platforms import Platform
from comptoir.protocol_merchant.schemas import Schemas
from comptoir.protocol_merchant.shop import Sale
from comptoir.protocol_merchant.ucp_messages import order_json
from comptoir.protocol_merchant.ucp_signatures import Message, signed

ACP_ADDRESS = "acp_webhook_url"
MOST_TRIES = 8
POLL_S = 0.05
OVERTAKEN_S = 0.2
HELD_S = 3600.0

log = logging.getLogger(__name__)


class NoticeQueue:
    """Writes notices down beside the change that they tell of."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas

    def changed(
        self, tx: sqlite3.Connection, sale: Sale, base: str, platform: Platform | None
    ) -> None:
        """An order is new or another now. Without `platform` it goes where ACP's notices go."""
        if platform is not None:
            body = order_json(sale, base, platform.version)
            self._schemas.check_ucp_response("order", body)
            url, protocol = platform.webhook_url, "ucp"
        else:
            body = event_json(sale, base)
            self._schemas.check_acp_event(body)
            url, protocol = read_setting(tx, ACP_ADDRESS), "acp"
        fault = take_fault(tx, "notice") if url else None
        if url is None or (fault and fault.kind == "none"):
            return
        now = time.time()
        # One that is held back goes out just after the one that overtakes it.
        tx.execute(
            "UPDATE notice SET due_at = ? WHERE sale_id = ? AND due_at > ?",
            (now + OVERTAKEN_S, sale.id, now + HELD_S / 2),
        )
        due = now + (HELD_S if fault and fault.kind == "reordered" else 0)
        identity = str(uuid.uuid4())
        for _copy in range(2 if fault and fault.kind == "duplicate" else 1):
            tx.execute(
                "INSERT INTO notice (id, sale_id, protocol, url, body, due_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (identity, sale.id, protocol, url, json.dumps(body), due),
            )


class NoticeSender:
    """A thread that sends what is due."""

    def __init__(
        self, database: MerchantDatabase, key: ec.EllipticCurvePrivateKey, key_id: str, secret: str
    ) -> None:
        self._database = database
        self._key = key
        self._key_id = key_id
        self._secret = secret
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="notices", daemon=True)

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
                    for row in self._due():
                        self._send(client, row)
                except sqlite3.Error:
                    log.exception("the queue of notices cannot be read")

    def _due(self) -> list[sqlite3.Row]:
        with self._database.write() as tx:
            return tx.execute(
                "SELECT * FROM notice WHERE outcome IS NULL AND due_at <= ?"
                " ORDER BY due_at LIMIT 50",
                (time.time(),),
            ).fetchall()

    def _send(self, client: httpx2.Client, row: sqlite3.Row) -> None:
        raw = str(row["body"]).encode()
        headers = (
            self._ucp_headers(row, raw) if row["protocol"] == "ucp" else self._acp_headers(raw)
        )
        try:
            accepted = client.post(row["url"], content=raw, headers=headers).is_success
        except httpx2.HTTPError:
            accepted = False
        tries = row["tries"] + 1
        outcome = "accepted" if accepted else "given_up" if tries >= MOST_TRIES else None
        with self._database.write() as tx:
            tx.execute(
                "UPDATE notice SET tries = ?, outcome = ?, due_at = ? WHERE number = ?",
                (tries, outcome, time.time() + min(2.0 ** (tries - 2), 30), row["number"]),
            )

    def _ucp_headers(self, row: sqlite3.Row, raw: bytes) -> dict[str, str]:
        parts = urlsplit(json.loads(raw)["permalink_url"])
        profile = f"{parts.scheme}://{parts.netloc}/.well-known/ucp"
        headers = {
            "content-type": "application/json",
            "ucp-agent": f'profile="{profile}"',
            "webhook-id": row["id"],
            "webhook-timestamp": str(int(time.time())),
        }
        return signed(self._key, self._key_id, Message("POST", row["url"], headers, raw))

    def _acp_headers(self, raw: bytes) -> dict[str, str]:
        at = int(time.time())
        digest = hmac.new(self._secret.encode(), f"{at}.".encode() + raw, hashlib.sha256)
        return {
            "Content-Type": "application/json",
            "Merchant-Signature": f"t={at},v1={digest.hexdigest()}",
        }
