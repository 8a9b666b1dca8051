"""Brands on record: applied once, found by host, kept while the database is away."""

from __future__ import annotations

import copy
from pathlib import Path
from threading import Event
from typing import Any, Never

import pytest
import sqlalchemy as sa

from kernel.db import Database
from kernel.errors import DomainError, NotFound
from tenants import registry
from tenants.brand import read_brand_file
from tenants.registry import BrandRegistry, apply_brand
from tenants.terms import current_terms, publish_terms, read_terms

BUNDLED = Path(__file__).resolve().parents[2] / "tenants" / "bundled"


@pytest.fixture(scope="module")
def applied(database: Database) -> Database:
    for name in ("mirabelle", "taktwerk"):
        document, terms = read_brand_file(BUNDLED / f"{name}.toml")
        with database.platform() as tx:
            assert apply_brand(tx, document, terms).changed
    return database


def _document(name: str) -> tuple[dict[str, Any], str]:
    document, terms = read_brand_file(BUNDLED / f"{name}.toml")
    return copy.deepcopy(document), terms


def test_applying_the_same_document_again_changes_nothing(applied: Database) -> None:
    document, terms = _document("mirabelle")
    with applied.platform() as tx:
        again = apply_brand(tx, document, terms)
    assert not again.changed
    assert (again.brand.revision, again.terms.version) == (1, 1)


def test_a_changed_document_is_a_new_revision_and_new_terms_a_new_version(
    applied: Database,
) -> None:
    document, terms = _document("taktwerk")
    document["name"] = "Taktwerk Neu"
    with applied.platform() as tx:
        changed = apply_brand(tx, document, terms + "\nNeu.")
    assert (changed.brand.revision, changed.terms.version) == (2, 2)
    with applied.brand("taktwerk") as tx:
        first = read_terms(tx, "taktwerk", "de", 1)
        assert first is not None
        assert first.body == terms


def test_a_brand_answers_under_its_host_whatever_the_port(applied: Database) -> None:
    brands = BrandRegistry(applied)
    found = brands.by_host("Mirabelle.localhost:8000")
    assert found is not None
    assert found.id == "mirabelle"
    assert brands.by_host("evil.example") is None


def test_a_host_belongs_to_one_brand(applied: Database) -> None:
    document, terms = _document("taktwerk")
    document["hosts"] = ["mirabelle.localhost"]
    with (
        pytest.raises(DomainError, match="belongs to brand mirabelle"),
        applied.platform() as tx,
    ):
        apply_brand(tx, document, terms)


def test_a_brand_sees_its_own_terms_only(applied: Database) -> None:
    with applied.brand("mirabelle") as tx:
        assert current_terms(tx, "mirabelle", "de").language == "fr"
        with pytest.raises(NotFound):
            current_terms(tx, "taktwerk", "de")


@pytest.mark.parametrize("act", ["UPDATE tenants.terms SET body = ''", "DELETE FROM tenants.terms"])
def test_published_terms_can_be_neither_changed_nor_removed(applied: Database, act: str) -> None:
    with (
        pytest.raises(sa.exc.ProgrammingError, match="permission denied"),
        applied.platform() as tx,
    ):
        tx.execute(sa.text(act))


def test_a_brand_cannot_publish_terms_by_itself(applied: Database) -> None:
    with pytest.raises(sa.exc.ProgrammingError), applied.brand("mirabelle") as tx:
        publish_terms(tx, "mirabelle", "fr", "Tout est permis.")


def test_nobody_waits_for_a_database_that_says_nothing(
    applied: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    brands = BrandRegistry(applied)
    known = dict(brands.brands())
    answers, asked = Event(), Event()

    def silent() -> Never:
        asked.set()
        assert answers.wait(60)
        raise sa.exc.OperationalError("SELECT", {}, Exception("it was away"))

    monkeypatch.setattr(registry, "REFRESH_AFTER_S", 0.0)
    monkeypatch.setattr(registry, "PATIENCE_S", 0.01)
    monkeypatch.setattr(applied, "platform", silent)
    for _ in range(3):
        assert brands.brands() == known
        assert brands.by_host("mirabelle.localhost") == known["mirabelle"]
    assert asked.is_set()
    assert not answers.is_set()
    monkeypatch.undo()
    answers.set()


def test_the_snapshot_outlives_the_database(
    applied: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    brands = BrandRegistry(applied)
    assert brands.by_host("mirabelle.localhost") is not None
    monkeypatch.setattr(registry, "REFRESH_AFTER_S", 0.0)
    away = Database("postgresql://nobody@127.0.0.1:9/none")
    monkeypatch.setattr(brands, "_database", away)
    assert brands.by_host("mirabelle.localhost") is not None
