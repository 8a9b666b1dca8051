"""Ranking documents on record: inherited, published, rolled back, and never changed."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from kernel.db import Database
from kernel.errors import DomainError
from tenants import registry
from tenants.brand import read_brand_file
from tenants.judgements import keep_judgements, read_brand_judgements
from tenants.operator_keys import create_operator_key, operator_of, revoke_operator_keys
from tenants.ranking.document import ranking_document
from tenants.ranking.profile import RankingProfile
from tenants.ranking.versions import (
    Scope,
    Version,
    discard,
    drafts,
    history,
    publish,
    published,
    read_version,
    roll_back,
    save_draft,
)
from tenants.registry import BrandRegistry, apply_brand

BUNDLED = Path(__file__).resolve().parents[2] / "tenants" / "bundled"
BRAND = Scope("mirabelle")


@pytest.fixture
def fresh(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setattr(registry, "REFRESH_AFTER_S", 0.0)
    for name in ("mirabelle", "taktwerk"):
        document, terms = read_brand_file(BUNDLED / f"{name}.toml")
        with database.platform() as tx:
            apply_brand(tx, document, terms)
    with database.engine.begin() as tx:
        # The tables are records: even a test empties them only by switching their guard off.
        tx.execute(sa.text("SET LOCAL session_replication_role = replica"))
        tx.execute(sa.text("DELETE FROM tenants.ranking_act"))
        tx.execute(sa.text("DELETE FROM tenants.ranking_version"))
    return database


def _publish(database: Database, scope: Scope, table: dict[str, object]) -> Version:
    with database.platform() as tx:
        version = save_draft(tx, scope, ranking_document(table), "ann")
        live = published(tx, scope)
        publish(tx, version, "ann", instead_of=live.version if live else None)
    return version


def _profile(database: Database, language: str = "fr") -> RankingProfile:
    return BrandRegistry(database).brands()["mirabelle"].ranking_profile(language)


def test_nothing_published_is_version_0_and_the_shipped_values(fresh: Database) -> None:
    profile = _profile(fresh)
    assert profile.version == 0
    assert profile == RankingProfile(stamp="b0", provenance=profile.provenance)
    assert set(profile.provenance.values()) == {"default"}


def test_values_are_inherited_and_say_where_they_are_from(fresh: Database) -> None:
    _publish(fresh, Scope(), {"product_weights": {"vector": 0.4, "in_stock": 0.2}})
    _publish(fresh, BRAND, {"product_weights": {"vector": 0.3}, "ladder": {"few": 5}})
    last = _publish(fresh, Scope("mirabelle", "fr"), {"product_weights": {"vector": 0.1}})
    french, german = _profile(fresh), _profile(fresh, "de")
    assert french.product_weights.vector == 0.1
    assert german.product_weights.vector == 0.3
    assert french.product_weights.in_stock == german.product_weights.in_stock == 0.2
    assert french.version == last.version > german.version
    assert french.provenance["product_weights.vector"] == "locale fr"
    assert german.provenance["product_weights.vector"] == "brand"
    assert german.provenance["product_weights.in_stock"] == "platform"
    assert german.provenance["field_weights.title"] == "default"


def test_rules_come_most_specific_first_then_last_changed(fresh: Database) -> None:
    def rule(id_: str, note: str = "") -> dict[str, object]:
        return {"id": id_, "kind": "redirect", "url": "/x", "when": {"query": "x"}, "note": note}

    _publish(fresh, Scope(), {"rules": [rule("p")]})
    _publish(fresh, BRAND, {"rules": [rule("old"), rule("b-new")]})
    _publish(fresh, BRAND, {"rules": [rule("old", "changed"), rule("b-new")]})
    _publish(fresh, Scope("mirabelle", "fr"), {"rules": [rule("f")]})
    assert [each.id for each in _profile(fresh).rules] == ["f", "old", "b-new", "p"]
    assert [each.id for each in _profile(fresh, "de").rules] == ["old", "b-new", "p"]


def test_a_rule_of_the_same_id_replaces_the_wider_one_or_takes_it_away(fresh: Database) -> None:
    redirect = {"id": "r", "kind": "redirect", "url": "/x", "when": {"query": "x"}}
    _publish(fresh, Scope(), {"rules": [redirect]})
    _publish(fresh, BRAND, {"rules": [{**redirect, "enabled": False}]})
    assert _profile(fresh).rules == ()


def test_publish_and_roll_back_reach_the_snapshot(fresh: Database) -> None:
    first = _publish(fresh, BRAND, {"ladder": {"few": 3}})
    snapshot = BrandRegistry(fresh)
    assert snapshot.brands()["mirabelle"].ranking_profile("fr").ladder.few == 3
    same = snapshot.brands()["mirabelle"]
    assert snapshot.brands()["mirabelle"] is same
    _publish(fresh, BRAND, {"ladder": {"few": 4}})
    assert snapshot.brands()["mirabelle"].ranking_profile("fr").ladder.few == 4
    with fresh.platform() as tx:
        back = roll_back(tx, BRAND, "bob", "worse")
    assert back is not None
    assert back.version == first.version
    assert snapshot.brands()["mirabelle"].ranking_profile("fr").ladder.few == 3
    assert snapshot.brands()["taktwerk"].ranking_profile("de").version == 0


def test_rolling_back_the_first_version_leaves_the_brands_own_file(fresh: Database) -> None:
    _publish(fresh, BRAND, {"ladder": {"few": 3}})
    with fresh.platform() as tx:
        assert roll_back(tx, BRAND, "bob", "not wanted") is None
    assert _profile(fresh) == RankingProfile(stamp="b0", provenance=_profile(fresh).provenance)


def test_going_back_twice_goes_back_further(fresh: Database) -> None:
    first = _publish(fresh, BRAND, {"ladder": {"few": 1}})
    for few in (2, 3):
        _publish(fresh, BRAND, {"ladder": {"few": few}})
    with fresh.platform() as tx:
        roll_back(tx, BRAND, "bob", "")
        back = roll_back(tx, BRAND, "bob", "")
        assert back is not None
        assert back.version == first.version
        assert roll_back(tx, BRAND, "bob", "") is None
    last = _publish(fresh, BRAND, {"ladder": {"few": 4}})
    with fresh.platform() as tx:
        assert roll_back(tx, BRAND, "bob", "") is None
        publish(tx, last, "bob", instead_of=None)
        back = roll_back(tx, BRAND, "bob", "", first.version)
        assert back is not None


def test_only_what_was_in_force_can_be_rolled_back_to(fresh: Database) -> None:
    _publish(fresh, BRAND, {"ladder": {"few": 3}})
    with fresh.platform() as tx:
        draft = save_draft(tx, BRAND, ranking_document({}), "ann")
    with pytest.raises(DomainError, match="never in force"), fresh.platform() as tx:
        roll_back(tx, BRAND, "bob", "", draft.version)


def test_a_draft_compared_with_another_version_is_not_published(fresh: Database) -> None:
    with fresh.platform() as tx:
        draft = save_draft(tx, BRAND, ranking_document({}), "ann")
    _publish(fresh, BRAND, {"ladder": {"few": 3}})
    with pytest.raises(DomainError, match="published meanwhile"), fresh.platform() as tx:
        publish(tx, draft, "ann", instead_of=None)


def test_every_act_is_on_record_with_who_and_why(fresh: Database) -> None:
    version = _publish(fresh, BRAND, {})
    with fresh.platform() as tx:
        unwanted = save_draft(tx, BRAND, ranking_document({"ladder": {"few": 1}}), "ann", "try")
        assert [each.version for each in drafts(tx, BRAND)] == [unwanted.version]
        discard(tx, unwanted, "bob", "no gain")
        assert drafts(tx, BRAND) == []
        trail = history(tx, BRAND)
    assert [(each.act, each.version, each.actor, each.reason) for each in trail] == [
        ("discard", unwanted.version, "bob", "no gain"),
        ("draft", unwanted.version, "ann", "try"),
        ("publish", version.version, "ann", ""),
        ("draft", version.version, "ann", ""),
    ]


@pytest.mark.parametrize("table", ["ranking_version", "ranking_act"])
@pytest.mark.parametrize(
    "act",
    [
        "UPDATE tenants.{} SET brand_id = NULL",
        "DELETE FROM tenants.{}",
        "TRUNCATE tenants.{} CASCADE",
    ],
)
@pytest.mark.parametrize("who", ["platform", "owner"])
def test_the_record_can_be_neither_changed_nor_removed(
    fresh: Database, table: str, act: str, who: str
) -> None:
    _publish(fresh, BRAND, {})
    opened = fresh.platform() if who == "platform" else fresh.engine.begin()
    with pytest.raises(sa.exc.ProgrammingError, match=r"denied|is a record"), opened as tx:
        tx.execute(sa.text(act.format(table)))


def test_a_brand_sees_its_own_versions_alone(fresh: Database) -> None:
    version = _publish(fresh, BRAND, {})
    with fresh.brand("mirabelle") as tx:
        assert read_version(tx, version.version).scope == BRAND
    with fresh.brand("taktwerk") as tx, pytest.raises(DomainError):
        read_version(tx, version.version)
    with fresh.brand("mirabelle") as tx, pytest.raises(sa.exc.ProgrammingError):
        save_draft(tx, BRAND, ranking_document({}), "somebody")


REDIRECT = {"id": "a", "kind": "redirect", "when": {"query": "x"}}
PLACE = {"id": "a", "shown_in": "offers", "merchant_id": "m", "paid_by": "M"}


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ({"weights": {}}, "weights"),
        ({"product_weights": {"vector": 2}}, "product_weights.vector"),
        ({"product_weights": {"vector": "much"}}, "product_weights.vector"),
        ({"product_weights": {"commission": 1}}, "product_weights.commission"),
        ({"offer_weights": {"order": "highest_commission"}}, "offer_weights.order"),
        ({"field_weights": {"title": float("nan")}}, "field_weights.title"),
        ({"rules": [{"id": "a", "kind": "pin", "target": {}}]}, "rules.0"),
        ({"rules": [{"id": "a", "kind": "hide"}]}, "needs target"),
        ({"rules": [{**REDIRECT, "url": "//evil"}]}, "url"),
        ({"rules": [{**REDIRECT, "url": "https://evil"}]}, "url"),
        ({"rules": [{**REDIRECT, "url": "/x", "weight": 0.1}]}, "has no weight"),
        ({"paid": {"allowed": True, "marked": False}}, "paid.marked"),
        ({"paid": {"placements": [{**PLACE, "sponsored": False}]}}, "sponsored"),
        ({"ties": {"it": "nessuno"}}, "ties"),
    ],
)  # fmt: skip
def test_a_wrong_document_is_refused_by_name(table: dict[str, object], named: str) -> None:
    with pytest.raises(DomainError) as refused:
        ranking_document(table)
    assert refused.value.code == "ranking_invalid"
    assert named in refused.value.message


def test_judgements_are_kept_by_brand_and_language(fresh: Database) -> None:
    with fresh.platform() as tx:
        keep_judgements(tx, "mirabelle", "fr", {"tv": {"p1": 3, "p2": 0}}, "ann")
        keep_judgements(tx, "mirabelle", "fr", {"tv": {"p2": 1}}, "bob")
        assert read_brand_judgements(tx, "mirabelle", "fr") == {"tv": {"p1": 3, "p2": 1}}
        assert read_brand_judgements(tx, "mirabelle", "de") == {}


def test_an_operator_acts_for_its_brand_until_its_keys_end(fresh: Database) -> None:
    with fresh.platform() as tx:
        key = create_operator_key(tx, "Ann", "mirabelle")
        operator = operator_of(tx, key)
        assert operator is not None
        operator.require("mirabelle")
        for other in ("taktwerk", None):
            with pytest.raises(DomainError, match="alone"):
                operator.require(other)
        assert operator_of(tx, key + "x") is None
        assert revoke_operator_keys(tx, "Ann") == 1
        assert operator_of(tx, key) is None
