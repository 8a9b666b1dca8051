"""The real sample feeds, kept as published: all that is a full feed lands, and only once."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawlers.ingest import IngestReport, ingest_file
from kernel.db import Database
from mdm.merchants import read_merchant
from mdm.quarantine import list_quarantine

pytestmark = pytest.mark.shared

FULL = {
    "google_313radu.xml": (7, {}),
    "google_onboarding.xml": (4, {"title_missing": 1}),
    "google_pallmann_fr.xml": (305, {}),
    "google_veelyn_sk.xml": (74, {}),
    "heureka_orris_cz.xml": (75, {}),
    "heureka_veelyn_sk.xml": (74, {}),
    "bmecat_12_new_catalog.xml": (1, {}),
    "bmecat_2005_new_catalog.xml": (1, {}),
    "acp_2026-04-17_examples.json": (1, {"price_missing": 1}),
}
REFUSED_AS_A_WHOLE = {
    "google_supplemental_mamtex.tsv": "feed_is_supplemental",
    "bmecat_12_update_prices.xml": "feed_is_delta",
    "bmecat_12_update_products.xml": "feed_is_delta",
}
COUNTRIES = {
    "google_pallmann_fr.xml": ("FR", "EUR"),
    "heureka_orris_cz.xml": ("CZ", "CZK"),
    "heureka_veelyn_sk.xml": ("SK", "EUR"),
}


def _merchant(name: str) -> str:
    return name.partition(".")[0].replace("_", "-")


def _load(database: Database, shared: Path, name: str) -> IngestReport:
    return ingest_file(database, shared / "data" / "feeds" / name, _merchant(name))


@pytest.mark.parametrize("name", FULL)
def test_a_full_feed_lands_and_a_second_load_changes_nothing(
    database: Database, shared: Path, name: str
) -> None:
    landed, reasons = FULL[name]
    first = _load(database, shared, name)
    assert (first.landed, first.unchanged, dict(first.reasons)) == (landed, 0, reasons)
    assert first.parked is None
    assert first.is_complete

    second = _load(database, shared, name)
    assert (second.landed, second.unchanged, second.withdrawn) == (0, landed, 0)
    assert second.refused == first.refused
    with database.platform() as tx:
        listed = list_quarantine(tx, _merchant(name))
        merchant = read_merchant(tx, _merchant(name))
    assert len(listed) == first.refused
    assert all(row.reason for row in listed)
    if name in COUNTRIES:
        assert (merchant.country, merchant.currency) == COUNTRIES[name]


@pytest.mark.parametrize("name", REFUSED_AS_A_WHOLE)
def test_a_partial_feed_is_refused_as_a_whole(database: Database, shared: Path, name: str) -> None:
    report = _load(database, shared, name)
    assert (report.landed, report.refused) == (0, 1)
    assert dict(report.reasons) == {REFUSED_AS_A_WHOLE[name]: 1}
    assert not report.is_complete


def test_eighteen_thousand_titles_go_in_through_a_mapping(database: Database, shared: Path) -> None:
    import crawlers

    mapping = Path(crawlers.__file__).parent / "mappings" / "pricerunner.toml"
    path = shared / "data" / "matching" / "pricerunner_dev.csv.gz"
    first = ingest_file(database, path, "pricerunner", mapping=mapping)
    assert (first.landed, first.refused) == (18_515, 0)
    second = ingest_file(database, path, "pricerunner", mapping=mapping)
    assert (second.landed, second.unchanged, second.refused) == (0, 18_515, 0)
