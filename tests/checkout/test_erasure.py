"""Erased means erased: no word of a person is left anywhere in the database; the books stay."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from checkout import tables as t
from checkout.erasure import erase
from checkout.erasure_records import KEPT, find_person, records_of
from checkout.order_letters import Post, send_letters
from checkout.purchase.advance import advance
from kernel.errors import DomainError, NotFound
from tests.checkout.shop_visits import ledger_of, shelve
from tests.mail_server import running_mailbox
from tests.purchase_setting import CONTACT, LINKS, Setting
from tests.small_merchant import SmallMerchant

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "customers.md"


def person(number: int) -> Any:
    """Somebody whose every field can be found again."""
    mark = f"q{number}x"
    return replace(
        CONTACT,
        email=f"canari.jaune.{mark}@example.org",
        name=f"Serin Doré {mark}",
        phone="+33 6 11 22 33 44",
        line1=f"7 allée du Nid {mark}",
        line2=f"Volière {mark}",
        postcode="77777",
        city=f"Piafville {mark}",
    )


def found(setting: Setting, word: str) -> set[str]:
    """Tables of the whole database with a row that holds the word, in whatever column."""
    tables = sa.text(
        "SELECT table_schema, table_name FROM information_schema.tables "
        "WHERE table_type = 'BASE TABLE' "
        "AND table_schema NOT IN ('pg_catalog', 'information_schema')"
    )
    with setting.database.engine.connect() as connection:
        parts = [
            f"SELECT '{schema}.{name}' WHERE EXISTS "
            f'(SELECT FROM "{schema}"."{name}" each WHERE each::text ILIKE :word)'
            for schema, name in connection.execute(tables)
        ]
        assert len(parts) > 40
        statement = sa.text(" UNION ALL ".join(parts))
        return set(connection.execute(statement, {"word": f"%{word}%"}).scalars())


def bought_by(setting: Setting, merchant: SmallMerchant, contact: Any) -> str:
    """An order of somebody's, paid and told by letter."""
    made = setting.confirm(setting.quote({shelve(setting, merchant): 1}, contact))
    advance(setting.deps, made.purchase_id)
    setting.pay(made.purchase_id)
    advance(setting.deps, made.purchase_id)
    with running_mailbox() as box:
        post = Post(box.server, "orders@shop.example")
        brands, now = {setting.brand.id: setting.brand}, datetime.now(UTC)
        send_letters(setting.database, brands, post, now, links=LINKS)
    return made.purchase_id


def spread(setting: Setting, purchase_id: str, contact: Any) -> None:
    """Words of the person wherever other systems may have put some."""
    record = setting.leg(purchase_id)
    leg_id, said = record.leg.leg_id, f"{contact.email} {contact.name} {contact.line1}"
    with setting.database.platform() as tx:
        tx.execute(
            t.step.update().where(t.step.c.leg_id == leg_id).values(response={"detail": said})
        )
        tx.execute(t.leg.update().where(t.leg.c.leg_id == leg_id).values(reason_detail=said))
        tx.execute(t.letter.update().where(t.letter.c.purchase_id == purchase_id).values(said=said))
        for number, of_leg in enumerate((leg_id, None)):
            tx.execute(
                t.webhook_event.insert().values(
                    provider="test",
                    event_id=f"{leg_id}-{number}",
                    body=said,
                    received_at=datetime.now(UTC),
                    leg_id=of_leg,
                )
            )
        tx.execute(
            t.idempotent_request.insert().values(
                brand_id=setting.brand.id,
                route="test",
                key=leg_id,
                content_sha256="",
                begun_at=datetime.now(UTC),
                status=200,
                answer={"said": said},
            )
        )


def test_no_word_of_an_erased_person_is_left(setting: Setting, merchant: SmallMerchant) -> None:
    gone, stays = person(1), person(2)
    purchase_id, other_id = (bought_by(setting, merchant, each) for each in (gone, stays))
    setting.quote({shelve(setting, merchant): 1}, gone)
    spread(setting, purchase_id, gone)
    spread(setting, other_id, stays)
    before = setting.order(purchase_id)
    booked, others = ledger_of(setting, purchase_id), setting.order(other_id)
    mine, theirs = "q1x", "q2x"
    assert len(found(setting, mine)) >= 8, "the search itself finds what is there"
    elsewhere_before = found(setting, theirs)

    with setting.database.platform() as tx:
        done = erase(tx, gone.email.upper(), datetime.now(UTC))
    assert found(setting, mine) == set()
    assert found(setting, theirs) == elsewhere_before
    assert (done.orders, [each.order_ref for each in done.elsewhere]) == (1, [before.order_ref])
    assert done.elsewhere[0].merchant_order == before.legs[0].leg.merchant_order

    after = setting.order(purchase_id)
    assert set(after.contact.as_json().values()) == {"", "FR"}
    assert ledger_of(setting, purchase_id) == booked
    assert after.legs[0].leg.captured == before.legs[0].leg.captured
    assert (after.terms, after.terms_accepted_at) == (before.terms, before.terms_accepted_at)
    assert after.legs[0].quoted == before.legs[0].quoted
    assert setting.order(other_id) == others
    assert setting.client().get(f"/order/{setting.opens(after.order_ref)}").status_code == 200
    with setting.database.platform() as tx:
        last = tx.execute(
            t.customer_event.select()
            .where(t.customer_event.c.purchase_id == purchase_id)
            .order_by(t.customer_event.c.sequence.desc())
            .limit(1)
        ).one()
        with pytest.raises(NotFound):
            erase(tx, gone.email, datetime.now(UTC))
    assert (last.kind, last.facts) == ("customer.erased", {})


def test_whoever_still_waits_for_an_order_is_erased_afterwards(
    setting: Setting, merchant: SmallMerchant
) -> None:
    contact = person(3)
    made = setting.confirm(setting.quote({shelve(setting, merchant): 1}, contact))
    advance(setting.deps, made.purchase_id)
    with (
        setting.database.platform() as tx,
        pytest.raises(DomainError, match="still under way"),
    ):
        erase(tx, contact.email, datetime.now(UTC))
    assert setting.order(made.purchase_id).contact == contact


def test_everything_that_is_kept_is_handed_out(setting: Setting, merchant: SmallMerchant) -> None:
    contact = person(4)
    spread(setting, bought_by(setting, merchant, contact), contact)
    with setting.database.platform() as tx:
        records = records_of(tx, find_person(tx, contact.email))
    handed = {name for name, rows in records.items() if "q4x" in str(rows)}
    unmatched = {"webhook_event"}
    assert {place.split(".")[1] for place in found(setting, "q4x")} - unmatched == (
        handed - unmatched
    )
    assert set(records) == set(KEPT)
    assert all(records[name] for name in ("purchase", "leg", "quote", "letter", "accepted_terms"))


def test_evidence_is_changed_by_that_one_function_alone(setting: Setting) -> None:
    with pytest.raises(sa.exc.ProgrammingError), setting.database.platform() as tx:
        tx.execute(sa.text("UPDATE checkout.quote SET document = '{}'"))
    with pytest.raises(sa.exc.ProgrammingError), setting.database.brand(setting.brand.id) as tx:
        tx.execute(sa.text("SELECT checkout.forget_quotes('{}', '{}')"))


def test_the_guide_names_every_place() -> None:
    text = GUIDE.read_text("utf-8")
    assert [name for name in KEPT if f"| `{name}` |" not in text] == []
