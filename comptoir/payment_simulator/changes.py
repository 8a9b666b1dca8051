"""A change that a platform asks for: done once for its key, with whatever fault is switched on.

The change and its stored answer are one commit. Where `keeps_failures` is set an answer of 500 that
was given after the work is stored too, and given again for ever, as Stripe does.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from comptoir.payment_simulator import idempotency
from comptoir.payment_simulator.database import SimulatorDatabase
from comptoir.payment_simulator.exchange import LostAnswer, json_answer
from comptoir.payment_simulator.faults import Fault, take_fault
from comptoir.payment_simulator.payments import PaymentRefused

Tx = sqlite3.Connection
Work = Callable[[Tx], tuple[int, dict[str, Any]]]
ErrorBody = Callable[[str, str], dict[str, Any]]


class _NothingDone(Exception):
    """A fault struck before the work."""

    def __init__(self, response: Response) -> None:
        super().__init__("fault before the work")
        self.response = response


@dataclass(frozen=True, slots=True)
class _Answered:
    """What is answered at once: the stored answer, or that of work just done."""

    answer: idempotency.StoredAnswer
    is_replayed: bool


class Changes:
    """Changes in one dialect; `error_body` spells a refusal from its code and sentence."""

    def __init__(
        self,
        database: SimulatorDatabase,
        error_body: ErrorBody,
        *,
        keeps_failures: bool = False,
        key_header: str = "Idempotency-Key",
    ) -> None:
        self._database = database
        self._error_body = error_body
        self._keeps_failures = keeps_failures
        self._key_header = key_header
        # Claims of an earlier process, killed in the middle, are void.
        self._boot = secrets.token_hex(8)

    async def once(
        self, request: Request, scope: str, operation: str, body: Any, work: Work
    ) -> Response:
        """Do the work once for its idempotency key. `scope` is who the key belongs to."""
        key = request.headers.get(self._key_header, "")
        if not 1 <= len(key) <= 255:
            raise PaymentRefused(
                400, "idempotency_key_required", f"The header {self._key_header} is missing."
            )
        digest = idempotency.request_hash(request.url.path, body)
        begun = self._begin(scope, key, digest, operation, work)
        if isinstance(begun, _Answered):
            replayed = {"Idempotent-Replayed": "true"} if begun.is_replayed else None
            return json_answer(begun.answer.status, begun.answer.body, replayed)
        fault = begun
        try:
            await self._fail_before(fault)
            answer = self._commit(scope, key, work, fault)
        except _NothingDone as failure:
            self._release(scope, key)
            return failure.response
        except Exception:
            self._release(scope, key)
            raise
        return await self._bent(fault, json_answer(answer.status, answer.body))

    async def each_time(
        self,
        operation: str,
        work: Callable[[Tx], dict[str, Any]],
        spelled: Callable[[dict[str, Any]], Response],
    ) -> Response:
        """Do the work whenever it is asked for, as providers without keys do."""

        def take() -> Fault | None:
            with self._database.write() as tx:
                return take_fault(tx, operation)

        def commit() -> dict[str, Any]:
            with self._database.write() as tx:
                return work(tx)

        fault = take()
        try:
            await self._fail_before(fault)
        except _NothingDone as failure:
            return failure.response
        return await self._bent(fault, spelled(commit()))

    async def answered(self, fault: Fault | None, answer: Response) -> Response:
        """The answer to a question, or what a fault makes of it."""
        try:
            await self._fail_before(fault)
        except _NothingDone as failure:
            return failure.response
        return await self._bent(fault, answer)

    def _begin(
        self, scope: str, key: str, digest: str, operation: str, work: Work
    ) -> _Answered | Fault:
        """The key claimed and, where no fault is to strike meanwhile, the work done as well."""
        with self._database.write() as tx:
            stored = idempotency.claim(tx, scope, key, digest, self._boot)
            if stored is not None:
                return _Answered(stored, is_replayed=True)
            fault = take_fault(tx, operation)
            if fault is not None:
                return fault
            return _Answered(self._work(tx, scope, key, work, None), is_replayed=False)

    def _commit(self, scope: str, key: str, work: Work, fault: Fault) -> idempotency.StoredAnswer:
        with self._database.write() as tx:
            return self._work(tx, scope, key, work, fault)

    def _work(
        self, tx: Tx, scope: str, key: str, work: Work, fault: Fault | None
    ) -> idempotency.StoredAnswer:
        try:
            status, content = work(tx)
        except PaymentRefused as error:
            status, content = error.status, self._error_body(error.code, error.message)
        answer = idempotency.StoredAnswer(status, json.dumps(content))
        kept = answer
        if self._keeps_failures and fault and fault.kind == "error_after":
            kept = idempotency.StoredAnswer(500, json.dumps(self._failure()))
        idempotency.store(tx, scope, key, kept)
        return answer

    def _release(self, scope: str, key: str) -> None:
        with self._database.write() as tx:
            idempotency.release(tx, scope, key)

    def _failure(self) -> dict[str, Any]:
        return self._error_body("internal_error", "Something broke here.")

    async def _fail_before(self, fault: Fault | None) -> None:
        if fault and fault.kind == "error_before":
            raise _NothingDone(json_answer(500, self._failure()))
        if fault and fault.kind == "timeout_before":
            await asyncio.sleep(fault.delay_s)
            raise _NothingDone(LostAnswer())

    async def _bent(self, fault: Fault | None, answer: Response) -> Response:
        """The answer, or what a fault makes of it once the work is committed."""
        if fault and fault.kind == "answer_late":
            await asyncio.sleep(fault.delay_s)
        if fault and fault.kind == "error_after":
            return json_answer(500, self._failure())
        return LostAnswer() if fault and fault.kind == "answer_lost" else answer
