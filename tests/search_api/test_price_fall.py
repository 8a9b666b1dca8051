"""What fell most this week: measured from the lowest of before, held for a day, by no slip."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

import tenants
from indexer.document import OfferLine, ProductDocument
from indexer.embedded import EmbeddedEngine
from indexer.price_steps import last_drop
from search_api.price_fall import SHOWN, Falls, price_fall
from tenants.brand import Brand, brand_from, read_brand_file
from tests.indexer.documents import DIMENSIONS, document, offer, upsert

NOW = datetime.now(UTC).replace(hour=12)
TODAY = (NOW.date() - date(1970, 1, 1)).days
Step = tuple[int, int | None]


def product(
    asked: int, *steps: Step, lines: tuple[OfferLine, ...] = (), name: str = "p"
) -> ProductDocument:
    """One new offer at that price, unless `lines` say otherwise; steps are (days ago, price)."""
    return document(
        name,
        "Kettle",
        offers=lines or (offer("darti", asked),),
        price_steps=tuple((TODAY - ago, price) for ago, price in steps),
    )


def percent(asked: int, *steps: Step, lines: tuple[OfferLine, ...] = ()) -> int | None:
    found = product(asked, *steps, lines=lines)
    fall = price_fall(found, found.offers, NOW)
    return fall.percent if fall is not None else None


def test_a_fall_says_how_much_and_since_when() -> None:
    found = product(80_000, (60, 120_000), (30, 100_000), (4, 90_000), (3, 80_000))
    fall = price_fall(found, found.offers, NOW)
    assert fall is not None
    assert (fall.percent, fall.now.minor, fall.before.minor) == (20, 80_000, 100_000)
    assert fall.since == (NOW.date() - timedelta(days=4)).isoformat()


@pytest.mark.parametrize(
    ("asked", "steps", "expected"),
    [
        (900, ((60, 1000), (3, 900)), 10),
        # Raised to be lowered: it was as cheap within the 30 days before the week.
        (900, ((60, 1000), (30, 900), (20, 1000), (3, 900)), None),
        (900, ((60, 1000), (20, 1500), (3, 900)), 10),
        # Stood for less than a day, or is gone again.
        (900, ((60, 1000), (0, 900)), None),
        (900, ((60, 1000), (1, 900)), None),
        (900, ((60, 1000), (2, 900)), 10),
        (1000, ((60, 1000), (3, 900), (0, 900)), None),
        # Fell further today: what has held counts.
        (700, ((60, 1000), (3, 900), (0, 700)), 10),
        # Older than the week.
        (900, ((60, 1000), (9, 900)), None),
        # Little, or so much that it is more likely a slip.
        (960, ((60, 1000), (3, 960)), None),
        (100, ((60, 1000), (3, 100)), None),
        # Too little is known of before.
        (900, ((15, 1000), (3, 900)), None),
        (900, ((22, 1000), (3, 900)), 10),
        (900, ((60, 1000), (3, None), (1, 900)), None),
        (900, (), None),
    ],
)
def test_only_a_fall_that_is_one(asked: int, steps: tuple[Step, ...], expected: int | None) -> None:
    assert percent(asked, *steps) == expected


def test_one_merchant_far_below_the_others_is_no_fall() -> None:
    steps: tuple[Step, ...] = ((60, 1000), (3, 500))
    alone = (offer("darti", 500), offer("voltina", 1400))
    assert percent(0, *steps, lines=alone) is None
    near = (offer("darti", 500), offer("voltina", 1000))
    assert percent(0, *steps, lines=near) == 50
    used = (offer("darti", 500), offer("voltina", 1400, condition="used"))
    assert percent(0, *steps, lines=used) == 50
    gone = (offer("darti", 500, availability="out_of_stock"),)
    assert percent(0, *steps, lines=gone) is None


def test_every_fall_is_among_what_dropped() -> None:
    """The index orders by the drop; nothing that fell may be missing there, or too far down."""
    for steps in (((60, 1000), (7, 900)), ((60, 1000), (4, 950), (3, 800), (1, 810))):
        found = product(steps[-1][1], *steps)
        fall = price_fall(found, found.offers, NOW)
        drop = last_drop(found.price_steps)
        assert fall is not None
        assert drop is not None
        assert drop[0] >= TODAY - 7
        assert drop[1] >= 10 * fall.percent
    assert last_drop(()) is None
    assert last_drop(((1, 100), (5, None))) is None
    assert last_drop(((1, 100), (5, 110))) is None
    assert last_drop(((1, 100), (20, 90), (40, 95))) is None


@pytest.fixture
def brand() -> Brand:
    folder = Path(tenants.__file__).parent / "bundled"
    return brand_from(read_brand_file(folder / "mirabelle.toml")[0])


@pytest.fixture
def engine(tmp_path: Path, brand: Brand) -> EmbeddedEngine:
    """Seven products that fell by 8 to 50 percent, one that was raised to be lowered."""
    opened = EmbeddedEngine(tmp_path)
    index = opened.create(brand.id, model_id="m", dimensions=DIMENSIONS)
    rows = [
        product(1000 - 10 * by, (60, 1000), (3, 1000 - 10 * by), name=f"prd_{by}")
        for by in (8, 15, 22, 29, 36, 43, 50)
    ]
    rows.append(product(500, (60, 1000), (20, 500), (10, 1000), (3, 500), name="prd_seesaw"))
    rows.append(product(500, (60, 500), name="prd_same"))
    opened.write(index, [upsert(row) for row in rows])
    opened.publish(brand.id, index)
    return opened


def test_what_fell_most_comes_first(engine: EmbeddedEngine, brand: Brand) -> None:
    falls = Falls(engine)
    assert falls.of(brand, "fr") == (), "nobody waits for it"
    falls.find_now(brand.id)
    found = falls.of(brand, "fr")
    assert [row.product.id for row in found] == ["prd_50", "prd_43", "prd_36", "prd_29"][:SHOWN]
    assert [row.fall.percent for row in found] == [50, 43, 36, 29]


def test_what_has_risen_since_it_was_found_is_not_shown(
    engine: EmbeddedEngine, brand: Brand
) -> None:
    falls = Falls(engine)
    falls.find_now(brand.id)
    (live,) = engine.generations(brand.id)
    risen = product(1000, (60, 1000), (3, 500), (0, 500), name="prd_50")
    engine.write(live.index, [upsert(risen, 2)])
    assert [row.product.id for row in falls.of(brand, "fr")] == [
        "prd_43", "prd_36", "prd_29", "prd_22",
    ]  # fmt: skip
