"""What has landed, as rows: staged ones moved to where the pipeline finds them, or a few written
there at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from kernel.db import Prepared, Transaction
from mdm.intake_runs import Run
from mdm.raw_landing import Landed

_INTO = (
    "INSERT INTO mdm.raw_offer (source_id, sku, feed, content_sha256, raw, price_minor, "
    "currency, state, pending, pushed, landed_by, landed_at, confirmed_at) "
)
_REPLACING = (
    "ON CONFLICT (source_id, sku) DO UPDATE SET "
    "feed = CASE WHEN :complete THEN EXCLUDED.feed ELSE raw_offer.feed END, "
    "content_sha256 = EXCLUDED.content_sha256, raw = EXCLUDED.raw, "
    "price_minor = EXCLUDED.price_minor, currency = EXCLUDED.currency, state = 'live', "
    "pending = EXCLUDED.pending, pushed = EXCLUDED.pushed, "
    "landed_by = EXCLUDED.landed_by, landed_at = now(), confirmed_at = now()"
)
_MOVE = Prepared(
    sa.text(
        f"{_INTO} SELECT :source, sku, :feed, content_sha256, raw, price_minor, currency, 'live', "  # noqa: S608
        "NOT sku = ANY(:direct), NOT :complete, run_id, now(), now() FROM mdm.landing "
        f"WHERE run_id = :run AND raw IS NOT NULL ORDER BY sku {_REPLACING}"
    )
)
_WRITE = Prepared(
    sa.text(
        f"{_INTO} SELECT :source, sku, :feed, content_sha256, raw, price_minor, currency, 'live', "  # noqa: S608
        "NOT sku = ANY(:direct), NOT :complete, :run, now(), now() FROM unnest("
        "CAST(:skus AS text[]), CAST(:contents AS bytea[]), CAST(:raws AS jsonb[]), "
        "CAST(:prices AS bigint[]), CAST(:currencies AS text[])) "
        "AS s(sku, content_sha256, raw, price_minor, currency) "
        f"ORDER BY sku {_REPLACING}"
    )
)
_RENEWED = (
    "UPDATE mdm.raw_offer o SET confirmed_at = now(), pending = true {} "
    "o.confirmed_at < now() - make_interval(hours => :half_life_hours) AND o.source_id = :source "
).format
_RENEW_STAGED = Prepared(
    sa.text(
        _RENEWED("FROM mdm.landing l WHERE")
        + "AND l.run_id = :run AND l.raw IS NULL AND o.sku = l.sku"
    )
)
_RENEW = Prepared(sa.text(_RENEWED("WHERE") + "AND o.sku = ANY(:skus)"))
_UNSTAGE = Prepared(sa.text("DELETE FROM mdm.landing WHERE run_id = :run"))


def move_staged(tx: Transaction, run: Run, direct: Sequence[str]) -> int:
    """Move what is staged, and renew offers that came again as they are where half of their
    lifetime is over: how many the pipeline has to see, which are all but the `direct` ones."""
    values = {
        "source": run.merchant.id,
        "feed": run.source,
        "run": run.id,
        "complete": run.is_complete,
        "direct": list(direct),
    }
    moved = _MOVE.run(tx, values) - len(direct)
    return moved + _RENEW_STAGED.run(tx, {**_half_life(run), "run": run.id})


def unstage(tx: Transaction, run: Run) -> None:
    """Nothing of the run is staged any longer."""
    _UNSTAGE.run(tx, {"run": run.id})


def write_landed(
    tx: Transaction, run: Run, landed: Collection[Landed], direct: Sequence[str]
) -> None:
    """New and changed offers of an incomplete run; all but the `direct` ones are left to the
    pipeline."""
    if landed:
        columns = zip(
            *(
                (each.sku, each.content_sha256, each.raw_json, each.price_minor, each.currency)
                for each in landed
            ),
            strict=True,
        )
        names = ("skus", "contents", "raws", "prices", "currencies")
        values = {
            "source": run.merchant.id,
            "feed": run.source,
            "run": run.id,
            "complete": False,
            "direct": list(direct),
        }
        _WRITE.run(tx, {**values, **dict(zip(names, map(list, columns), strict=True))})


def renew(tx: Transaction, run: Run, skus: Sequence[str]) -> int:
    """Offers that came again as they are, where half of their lifetime is over: how many."""
    return _RENEW.run(tx, {**_half_life(run), "skus": list(skus)}) if skus else 0


def _half_life(run: Run) -> dict[str, object]:
    return {"source": run.merchant.id, "half_life_hours": run.merchant.lifetime_days * 12}
