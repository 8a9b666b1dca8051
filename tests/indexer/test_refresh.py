"""From the catalogue into the index, on a real database: refresh, rebuild, crash and repair."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

import indexer.refresh
import tenants
from indexer import catch_up
from indexer.embedded import EmbeddedEngine
from indexer.engine import Delete, SearchRequest, Upsert, WriteReport
from indexer.positions import read_position
from indexer.rebuild import rebuild
from indexer.refresh import behind, refresh
from kernel.db import Database, Transaction
from kernel.embedding.encoder import Encoder, load_encoder
from kernel.errors import DomainError
from mdm.catalogue import head
from mdm.intake import close_run, open_run, submit
from mdm.merchants import Merchant, register_merchant
from mdm.pipeline import match_landed
from mdm.product_view import ProductView
from mdm.raw_offer import RawDelivery, RawOffer
from tenants.brand import Brand, brand_from, read_brand_file
from tests.conftest import fresh_database
from tests.small_models import small_model

BUNDLED = Path(tenants.__file__).parent / "bundled"
TITLES = ("Nordlys Book 14 Laptop", "Ampère Kettle Inox", "Boreal Desk Lamp", "Voltina Drill 18")


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    opened = Database(fresh_database(postgres_url))
    yield opened
    opened.close()


@pytest.fixture
def engine(tmp_path: Path) -> EmbeddedEngine:
    return EmbeddedEngine(tmp_path / "search")


@pytest.fixture(scope="module")
def french() -> Brand:
    return brand_from(read_brand_file(BUNDLED / "mirabelle.toml")[0])


@pytest.fixture(scope="module")
def german() -> Brand:
    return brand_from(read_brand_file(BUNDLED / "taktwerk.toml")[0])


def land(
    database: Database,
    encoder: Encoder,
    merchant_id: str,
    titles: Sequence[str],
    *,
    country: str = "FR",
    price: str = "100.00",
) -> None:
    """A merchant's whole feed, matched into the catalogue."""
    with database.platform() as tx:
        register_merchant(tx, Merchant(merchant_id, merchant_id.title(), country))
        run = open_run(tx, merchant_id, "test", complete=True)
        submit(
            tx,
            run,
            [
                RawOffer(
                    sku=f"{place}",
                    title=title,
                    price=price,
                    currency="EUR",
                    availability="in stock",
                    delivery=(RawDelivery(country=country, price="5.00 EUR"),),
                )
                for place, title in enumerate(titles)
            ],
        )
        close_run(tx, run)
    match_landed(database, encoder)


def titles(engine: EmbeddedEngine, brand: Brand) -> set[str]:
    hits = engine.search(brand.id, SearchRequest(limit=100)).hits
    documents = engine.read(brand.id, [hit.product_id for hit in hits])
    return {document.title("en") for document in documents.values()}


def test_refresh_brings_each_brand_what_it_shows(
    database: Database, engine: EmbeddedEngine, encoder: Encoder, french: Brand, german: Brand
) -> None:
    """The first refresh builds; later ones write what changed; nothing to do is nothing done."""
    brands = {french.id: french, german.id: german}
    land(database, encoder, "darti", TITLES[:2])
    land(database, encoder, "elektrohaus", TITLES[2:3], country="DE")
    first = refresh(database, engine, encoder, brands)
    assert all(report.rebuilt for report in first)
    assert titles(engine, french) == set(TITLES[:2])
    assert titles(engine, german) == set(TITLES[2:3])

    again = refresh(database, engine, encoder, brands)
    assert [(row.rebuilt, row.report) for row in again] == [(False, WriteReport())] * 2
    land(database, encoder, "darti", TITLES[:2], price="89.00")
    with database.platform() as tx:
        assert behind(tx, french.id) > 0
    changed = {row.brand_id: row for row in refresh(database, engine, encoder, brands)}
    assert changed[french.id].report.written == 2
    document = next(
        iter(
            engine.read(
                french.id,
                [hit.product_id for hit in engine.search(french.id, SearchRequest()).hits],
            ).values()
        )
    )
    assert document.total_minor == 9400
    with database.platform() as tx:
        assert behind(tx, french.id) == 0
        assert behind(tx, german.id) == 0


def test_a_price_does_not_wait_for_the_feed_before_it(
    database: Database,
    engine: EmbeddedEngine,
    encoder: Encoder,
    french: Brand,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Changed while the first of five batches is written, it is found before the second is."""
    land(database, encoder, "darti", [*TITLES, "Halvard Telescope 70"])
    refresh(database, engine, encoder, {french.id: french})
    land(database, encoder, "darti", [*TITLES, "Halvard Telescope 70"], price="89.00")
    for module in (catch_up, indexer.refresh):
        monkeypatch.setattr(module, "BATCH", 1)
    monkeypatch.setattr(indexer.refresh, "NEWEST", 1)
    write, written = engine.write, list[dict[str, int | None]]()

    def watched(index: str, changes: Sequence[Upsert | Delete]) -> WriteReport:
        if len(written) == 1:
            land(database, encoder, "brico", TITLES[3:], price="50.00")
        upserts = [each.document for each in changes if isinstance(each, Upsert)]
        written.append({each.title("en"): each.total_minor for each in upserts})
        return write(index, changes)

    monkeypatch.setattr(engine, "write", watched)
    refresh(database, engine, encoder, {french.id: french})
    assert len(written) == 1 + 1 + 1 + 4, "the newest change of the feed, a batch, the price, ..."
    assert written[2] == {TITLES[3]: 5500}
    with database.platform() as tx:
        assert behind(tx, french.id) == 1
    refresh(database, engine, encoder, {french.id: french})
    shown = engine.search(french.id, SearchRequest(limit=100)).hits
    documents = engine.read(french.id, [hit.product_id for hit in shown]).values()
    assert {each.title("en"): each.total_minor for each in documents} == {
        **dict.fromkeys([*TITLES[:3], "Halvard Telescope 70"], 9400),
        TITLES[3]: 5500,
    }


def test_a_brand_to_be_built_holds_up_no_other(
    database: Database, engine: EmbeddedEngine, encoder: Encoder, french: Brand, german: Brand
) -> None:
    """Where building is somebody else's, the others are followed and the brand is named."""
    land(database, encoder, "darti", TITLES[:2])
    refresh(database, engine, encoder, {french.id: french})
    land(database, encoder, "darti", TITLES[:2], price="89.00")
    named: list[Brand] = []
    brands = {german.id: german, french.id: french}
    (report,) = refresh(database, engine, encoder, brands, named.append)
    assert (report.brand_id, report.rebuilt, report.report.written) == (french.id, False, 2)
    assert named == [german]
    assert engine.stats(german.id) is None


def test_changes_are_read_once_for_all_brands(
    database: Database,
    engine: EmbeddedEngine,
    encoder: Encoder,
    french: Brand,
    german: Brand,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Brands that stand at one place of the log are told by one reading of it."""
    brands = {french.id: french, german.id: german}
    land(database, encoder, "darti", TITLES)
    refresh(database, engine, encoder, brands)
    land(database, encoder, "darti", TITLES, price="89.00")
    read: list[int] = []
    views = catch_up.product_views

    def counted(tx: Transaction, product_ids: Sequence[str]) -> list[ProductView]:
        read.append(len(product_ids))
        return views(tx, product_ids)

    monkeypatch.setattr(catch_up, "product_views", counted)
    reports = refresh(database, engine, encoder, brands)
    assert read == [len(TITLES)]
    assert len({report.position for report in reports}) == 1


def test_withdrawn_products_leave_the_index(
    database: Database, engine: EmbeddedEngine, encoder: Encoder, french: Brand
) -> None:
    """A product without an offer for the brand is shown no longer."""
    brands = {french.id: french}
    land(database, encoder, "darti", TITLES)
    refresh(database, engine, encoder, brands)
    assert titles(engine, french) == set(TITLES)
    land(database, encoder, "darti", TITLES[:3])
    (report,) = refresh(database, engine, encoder, brands)
    assert report.report.deleted >= 1
    assert titles(engine, french) == set(TITLES[:3])


class _Failing(EmbeddedEngine):
    """An engine that loses its disk in the middle of a write."""

    def write(self, index: str, changes: Sequence[Upsert | Delete]) -> WriteReport:
        super().write(index, changes[:1])
        raise DomainError("search_unavailable", "The search engine is not available.", status=503)


def test_the_position_moves_only_after_the_engine_took_the_changes(
    database: Database, engine: EmbeddedEngine, encoder: Encoder, french: Brand, tmp_path: Path
) -> None:
    """A failed write is repeated whole; a rebuild that fails leaves the live index alone."""
    brands = {french.id: french}
    land(database, encoder, "darti", TITLES[:1])
    refresh(database, engine, encoder, brands)
    land(database, encoder, "darti", TITLES)
    with database.platform() as tx:
        before = read_position(tx, french.id)
    failing = _Failing(tmp_path / "search")
    with pytest.raises(DomainError):
        refresh(database, failing, encoder, brands)
    with database.platform() as tx:
        assert read_position(tx, french.id) == before
    with pytest.raises(DomainError):
        rebuild(database, failing, encoder, french)
    stats = engine.stats(french.id)
    assert stats is not None
    assert before is not None
    assert stats.index == before.index

    refresh(database, engine, encoder, brands)
    assert titles(engine, french) == set(TITLES)
    with database.platform() as tx:
        position = read_position(tx, french.id)
        assert position is not None
        assert position.position == head(tx)


def test_rebuild_switches_and_keeps_one_former_index(
    database: Database, engine: EmbeddedEngine, encoder: Encoder, french: Brand, tmp_path: Path
) -> None:
    """The former index stays to go back to, the one before it goes."""
    land(database, encoder, "darti", TITLES)
    seen: list[int] = []
    built = [rebuild(database, engine, encoder, french, seen.append) for _ in range(3)]
    assert sum(seen) == 3 * len(TITLES)
    assert built[2].previous_index == built[1].index
    folders = {path.name for path in (tmp_path / "search").iterdir() if path.is_dir()}
    assert folders == {built[1].index, built[2].index}
    assert titles(engine, french) == set(TITLES)


def test_a_changed_brand_gets_a_new_index(
    database: Database, engine: EmbeddedEngine, encoder: Encoder, french: Brand
) -> None:
    """Another choice of merchants is another catalogue."""
    land(database, encoder, "darti", TITLES[:2])
    land(database, encoder, "voltina", TITLES[2:])
    refresh(database, engine, encoder, {french.id: french})
    assert len(titles(engine, french)) == 4
    smaller = replace(french, merchants=frozenset({"voltina"}), revision=french.revision + 1)
    (report,) = refresh(database, engine, encoder, {french.id: smaller})
    assert report.rebuilt
    assert titles(engine, french) == set(TITLES[2:])


def test_vectors_of_two_models_are_never_mixed(
    database: Database, engine: EmbeddedEngine, encoder: Encoder, french: Brand
) -> None:
    """Another model's index is replaced by one of ours, of whatever size its vectors are."""
    land(database, encoder, "darti", TITLES[:1])
    index = engine.create(french.id, model_id="another-model", dimensions=3)
    engine.publish(french.id, index)
    (report,) = refresh(database, engine, encoder, {french.id: french})
    assert report.rebuilt
    stats = engine.stats(french.id)
    assert stats is not None
    assert (stats.model_id, stats.dimensions) == (encoder.model_id, encoder.dimensions)
    assert titles(engine, french) == set(TITLES[:1])


def test_a_process_with_an_older_model_leaves_a_newer_index_alone(
    database: Database, engine: EmbeddedEngine, encoder: Encoder, french: Brand, tmp_path: Path
) -> None:
    """While processes are restarted one by one, two models do not undo each other's work."""
    land(database, encoder, "darti", TITLES[:1])
    newer = load_encoder(small_model(tmp_path / "newer"))
    built = rebuild(database, engine, newer, french)
    with pytest.raises(DomainError) as refusal:
        refresh(database, engine, encoder, {french.id: french})
    assert refusal.value.code == "vector_model_differs"
    assert newer.model_id in refusal.value.message
    assert f"rebuild --brand {french.id}" in refusal.value.hint
    stats = engine.stats(french.id)
    assert stats is not None
    assert stats.index == built.index


@pytest.mark.parametrize("harm", ["manifest", "lexical", "vectors", "everything"])
def test_a_damaged_index_says_so_and_a_rebuild_repairs_it(
    database: Database,
    engine: EmbeddedEngine,
    encoder: Encoder,
    french: Brand,
    tmp_path: Path,
    harm: str,
) -> None:
    """Damage on disk is one sentence with the way out."""
    land(database, encoder, "darti", TITLES)
    folder = tmp_path / "search" / rebuild(database, engine, encoder, french).index
    doomed = {
        "manifest": [folder / "manifest.json"],
        "lexical": list((folder / "lexical").iterdir()),
        "vectors": [folder / "vectors.bin"],
        "everything": [path for path in folder.rglob("*") if path.is_file()],
    }[harm]
    for path in doomed:
        path.write_bytes(b"\x00 not what it was")
    reader = EmbeddedEngine(tmp_path / "search")

    def ask() -> None:
        reader.stats(french.id)
        vector = encoder.encode_one("laptop")
        reader.neighbours(french.id, vector, filters=SearchRequest().filters, limit=3)

    with pytest.raises(DomainError) as refusal:
        ask()
    assert refusal.value.code == "index_damaged"
    assert refusal.value.status == 503
    assert "comptoir index rebuild" in refusal.value.hint
    rebuild(database, reader, encoder, french)
    assert titles(reader, french) == set(TITLES)


def test_an_index_of_another_release_is_built_again(
    database: Database, engine: EmbeddedEngine, encoder: Encoder, french: Brand, tmp_path: Path
) -> None:
    land(database, encoder, "darti", TITLES)
    index = rebuild(database, engine, encoder, french).index
    manifest = tmp_path / "search" / index / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text("utf-8")), "format": 1}))
    later = EmbeddedEngine(tmp_path / "search")
    (report,) = refresh(database, later, encoder, {french.id: french})
    assert report.rebuilt
    assert titles(later, french) == set(TITLES)


def test_row_security_of_positions(
    database: Database, engine: EmbeddedEngine, encoder: Encoder, french: Brand, german: Brand
) -> None:
    """A brand's transaction sees its own position and cannot write it."""
    refresh(database, engine, encoder, {french.id: french, german.id: german})
    with database.brand(french.id) as tx:
        names = tx.execute(sa.text("SELECT brand_id FROM indexer.position")).scalars().all()
        assert list(names) == [french.id]
    with pytest.raises(sa.exc.ProgrammingError), database.brand(french.id) as tx:
        tx.execute(sa.text("UPDATE indexer.position SET position = 0"))
