"""Changes as one bulk request: versions of ours, late ones counted, refused ones reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from elasticsearch import Elasticsearch

from indexer.elasticsearch.mapping import source
from indexer.engine import Delete, Refused, Upsert, WriteReport, misfit

_CONFLICT = 409
BATCH = 500
"""Documents of one request: some megabytes."""


def write(
    client: Elasticsearch,
    index: str,
    changes: Sequence[Upsert | Delete],
    model_id: str,
    dimensions: int,
) -> WriteReport:
    """Apply changes to an index of that model's vectors.

    A version that is not the newest answers 409 and is counted as late.
    """
    misfits = [misfit(change, model_id, dimensions) for change in changes]
    report = WriteReport(
        refused=tuple(
            Refused(_product_of(change), reason)
            for change, reason in zip(changes, misfits, strict=True)
            if reason is not None
        )
    )
    fitting = [row for row, reason in zip(changes, misfits, strict=True) if reason is None]
    for start in range(0, len(fitting), BATCH):
        batch = fitting[start : start + BATCH]
        operations: list[Mapping[str, Any]] = []
        for change in batch:
            operations += [{"index": _address(change)}, source(change, model_id)]
        answer = client.bulk(index=index, operations=operations)
        for change, item in zip(batch, answer["items"], strict=True):
            report += _outcome(change, item["index"])
    return report


def _address(change: Upsert | Delete) -> dict[str, Any]:
    # The same version may come again: a doubled write changes nothing, a repair may pass.
    return {
        "_id": _product_of(change),
        "version": change.version,
        "version_type": "external_gte",
    }


def _outcome(change: Upsert | Delete, item: Mapping[str, Any]) -> WriteReport:
    status = int(item["status"])
    if status == _CONFLICT:
        return WriteReport(late=1)
    if status >= 300:
        error = item.get("error", {})
        reason = f"{error.get('type')}: {error.get('reason')}"[:500]
        return WriteReport(refused=(Refused(_product_of(change), reason),))
    return WriteReport(deleted=1) if isinstance(change, Delete) else WriteReport(written=1)


def _product_of(change: Upsert | Delete) -> str:
    return change.document.product_id if isinstance(change, Upsert) else change.product_id
