"""Changes as bulk requests: versions of ours, late ones counted, refused ones reported.

Refused is only what this document brings upon itself. What a cluster cannot do at the moment is
repeated, then an error of the whole write, so that nobody moves on without it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from elasticsearch import ApiError, Elasticsearch

from indexer.elasticsearch.connection import WRITE_WITHIN_S, Nodes, missing, unavailable
from indexer.elasticsearch.mapping import source
from indexer.engine import Delete, Refused, Upsert, WriteReport, misfit

BATCH = 250
BATCH_BYTES = 8_000_000
"""Of one request, whichever is reached first; a larger document goes alone."""
AT_ONCE = 2
"""Requests on their way. The order of two changes of one product is that of their versions."""
_BUSY_FOR = "20s"
"""How long a node waits for a primary shard that moves, before it says so."""
_CONFLICT, _MISSING, _TOO_LARGE = 409, 404, 413
_REFUSED = frozenset({400, _TOO_LARGE})
_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 2.0


@dataclass(frozen=True, slots=True)
class _Line:
    """A change as two lines of a bulk request."""

    change: Upsert | Delete
    address: bytes
    body: bytes


def write_alias(index: str) -> str:
    """The name by which an index is written to: one that is gone is not made anew by a write."""
    return f"{index}.write"


def write(
    nodes: Nodes,
    index: str,
    changes: Sequence[Upsert | Delete],
    model_id: str,
    dimensions: int,
) -> WriteReport:
    """Apply changes to an index of that model's vectors.

    A version that is not the newest answers 409 and is counted as late.
    """
    report, refused = WriteReport(), list[Refused]()
    # The next lines are made while the cluster takes the former ones.
    with ThreadPoolExecutor(AT_ONCE) as senders:
        sent: deque[Future[WriteReport]] = deque()
        for batch in _batches(_lines(changes, model_id, dimensions, refused)):
            if len(sent) == AT_ONCE:
                report += sent.popleft().result()
            sent.append(senders.submit(_send, nodes, index, batch))
        for each in sent:
            report += each.result()
    return report + WriteReport(refused=tuple(refused))


def _lines(
    changes: Sequence[Upsert | Delete], model_id: str, dimensions: int, refused: list[Refused]
) -> Iterator[_Line]:
    """What can be written as JSON beside the index's vectors; what cannot goes to `refused`."""
    for change in changes:
        reason = misfit(change, model_id, dimensions)
        if reason is not None:
            refused.append(Refused(product_of(change), reason))
            continue
        try:
            line = _line(change, model_id)
        except (ValueError, TypeError, OverflowError, KeyError) as error:
            refused.append(Refused(product_of(change), f"it cannot be written down: {error}"))
            continue
        yield line


def _line(change: Upsert | Delete, model_id: str) -> _Line:
    if isinstance(change, Upsert) and not np.isfinite(change.vector).all():
        raise ValueError("its vector has numbers that are none")
    # The same version may come again: a doubled write changes nothing, a repair may pass.
    address = {
        "_id": product_of(change),
        "version": change.version,
        "version_type": "external_gte",
    }
    body = orjson.dumps(source(change, model_id), option=orjson.OPT_SERIALIZE_NUMPY)
    return _Line(change, orjson.dumps({"index": address}), body)


def _batches(lines: Iterable[_Line]) -> Iterator[list[_Line]]:
    batch: list[_Line] = []
    size = 0
    for line in lines:
        if batch and (len(batch) == BATCH or size + len(line.body) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += len(line.body)
    if batch:
        yield batch


def _send(nodes: Nodes, index: str, batch: Sequence[_Line]) -> WriteReport:
    """One request, repeated for what the cluster could not do at the moment."""
    report = WriteReport()
    until = time.monotonic() + WRITE_WITHIN_S
    pause = _PAUSE_S
    while True:
        items = _bulk(nodes, index, batch)
        if items is None:
            return report + _in_halves(nodes, index, batch)
        waiting = []
        for line, item in zip(batch, items, strict=True):
            outcome = _outcome(line.change, item)
            if outcome is None:
                waiting.append((line, item))
            else:
                report += outcome
        if not waiting:
            return report
        if time.monotonic() + pause > until:
            raise unavailable(f"it did not take {len(waiting)} writes: {_reason(item)}", "")
        batch = [line for line, _ in waiting]
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_S)


def _bulk(nodes: Nodes, index: str, batch: Sequence[_Line]) -> Sequence[Mapping[str, Any]] | None:
    """What became of each line; None where the request as a whole was too large."""
    # The client takes lines that are JSON already; its types know objects only.
    operations: Any = [part for line in batch for part in (line.address, line.body)]

    def send(client: Elasticsearch) -> Sequence[Mapping[str, Any]] | None:
        try:
            answer = client.bulk(
                index=write_alias(index),
                operations=operations,
                require_alias=True,
                timeout=_BUSY_FOR,
                filter_path=["items.index.status", "items.index.error"],
            )
        except ApiError as error:
            if error.status_code == _TOO_LARGE:
                return None
            raise
        return [item["index"] for item in answer["items"]]

    items = nodes.work(send)
    if items and all(_is_gone(item) for item in items):
        raise missing("")
    return items


def _in_halves(nodes: Nodes, index: str, batch: Sequence[_Line]) -> WriteReport:
    if len(batch) == 1:
        line = batch[0]
        reason = f"its {len(line.body)} bytes are more than the engine takes at once"
        return WriteReport(refused=(Refused(product_of(line.change), reason),))
    middle = len(batch) // 2
    return _send(nodes, index, batch[:middle]) + _send(nodes, index, batch[middle:])


def _outcome(change: Upsert | Delete, item: Mapping[str, Any]) -> WriteReport | None:
    """What became of one change; None where it is to be tried again."""
    status = int(item["status"])
    if status == _CONFLICT:
        return WriteReport(late=1)
    if status in _REFUSED:
        return WriteReport(refused=(Refused(product_of(change), _reason(item)),))
    if status >= 300:
        return None
    return WriteReport(deleted=1) if isinstance(change, Delete) else WriteReport(written=1)


def _is_gone(item: Mapping[str, Any]) -> bool:
    kind = item.get("error", {}).get("type")
    return int(item["status"]) == _MISSING and kind == "index_not_found_exception"


def _reason(item: Mapping[str, Any]) -> str:
    error = item.get("error", {})
    cause = error.get("caused_by", {}).get("reason", "")
    return f"{error.get('type')}: {error.get('reason')} {cause}".strip()[:500]


def product_of(change: Upsert | Delete) -> str:
    """Id of the product that a change is about."""
    return change.document.product_id if isinstance(change, Upsert) else change.product_id
