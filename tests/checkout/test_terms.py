"""Terms of sale: every version stays, lies in the archive, is on record with each order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from checkout.confirm import AskAgain, confirm
from checkout.order_letters import Post
from checkout.purchase.advance import advance
from checkout.quote_document import Quote, TermsQuoted
from checkout.terms_archive import ArchiveFolder, ArchiveMailbox, archive_terms
from kernel.db import Database
from kernel.errors import DomainError
from tenants.terms import (
    PLATFORM_ID,
    Party,
    Terms,
    deposits_of,
    list_terms,
    publish_terms,
    terms_in_force,
)
from tests.checkout.shop_visits import shelve
from tests.mail_server import Mailbox, running_mailbox
from tests.purchase_setting import Setting
from tests.small_merchant import SmallMerchant


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with running_mailbox() as box:
        yield box


def published(database: Database, owner: str, body: str, **others: datetime) -> Terms:
    """A version of a merchant's terms."""
    with database.platform() as tx:
        return publish_terms(tx, owner, "fr", body, party=Party.MERCHANT, **others)


def in_force(database: Database, owner: str, at: datetime | None = None) -> int | None:
    """The version in force at a moment."""
    with database.platform() as tx:
        found = terms_in_force(tx, Party.MERCHANT, owner, "fr", at=at)
    return None if found is None else found.version


def of(quote: Quote, owner: str) -> TermsQuoted:
    """The terms of one party in a quote."""
    (found,) = [each for each in quote.terms if each.owner_id == owner]
    return found


def test_what_was_in_force_stays_known(database: Database) -> None:
    now = datetime.now(UTC)
    first = published(database, "in-force", "Un.")
    assert published(database, "in-force", "Un.") == first
    soon = now + timedelta(days=3)
    assert published(database, "in-force", "Deux.", valid_from=soon).version == 2
    assert in_force(database, "in-force") == 1
    assert in_force(database, "in-force", soon) == 2
    assert in_force(database, "in-force", now - timedelta(days=1)) is None
    with pytest.raises(DomainError, match="before they are published"):
        published(database, "in-force", "Trois.", valid_from=now - timedelta(days=1))
    with pytest.raises(DomainError, match="Version 2 is published already"):
        published(database, "in-force", "Trois.", valid_from=now + timedelta(days=1))


@pytest.mark.parametrize("table", ["tenants.terms", "tenants.terms_deposit"])
@pytest.mark.parametrize(
    "act", ["UPDATE {} SET language = 'en'", "DELETE FROM {}", "TRUNCATE {} CASCADE"]
)
def test_not_even_the_owner_of_the_tables_changes_a_record(
    database: Database, table: str, act: str
) -> None:
    published(database, "records", "Une version.")
    with (
        pytest.raises(sa.exc.DBAPIError, match="it is a record"),
        database.engine.begin() as tx,
    ):
        tx.execute(sa.text(act.format(table)))


def test_a_brand_reads_the_terms_of_merchants_and_no_other_brand(setting: Setting) -> None:
    published(setting.database, "norden-reads", "Les conditions du marchand.")
    with setting.database.brand("taktwerk") as tx:
        assert terms_in_force(tx, Party.MERCHANT, "norden-reads", "de") is not None
        assert terms_in_force(tx, Party.BRAND, setting.brand.id, "fr") is None
        with pytest.raises(sa.exc.ProgrammingError), tx.begin_nested():
            publish_terms(tx, "taktwerk", "de", "Alles ist erlaubt.")


def test_every_version_lies_in_the_archive_under_its_hash(
    database: Database, tmp_path: Path, mailbox: Mailbox
) -> None:
    terms = published(database, "archived", "Conditions de vente.\n\nVersion d’essai.\r\n")
    folder = ArchiveFolder(tmp_path / "archive")
    mail = ArchiveMailbox(Post(mailbox.server, "orders@shop.example"), "archive@example.org")
    now = datetime.now(UTC)
    mailbox.answers = ["451 later"]
    archive_terms(database, [folder, mail], now)
    with database.platform() as tx:
        count = len(list_terms(tx))
        assert [each.place for each in deposits_of(tx, terms)] == ["folder"]
    assert archive_terms(database, [folder, mail], now) == count
    assert archive_terms(database, [folder, mail], now) == 0
    text = tmp_path / "archive" / f"{terms.sha256}.md"
    assert text.read_bytes() == terms.body.encode()
    assert {hashlib.sha256(part).hexdigest() for part in _attached(mailbox)} >= {terms.sha256}
    with database.platform() as tx:
        receipts = {each.place: each.receipt for each in deposits_of(tx, terms)}
    assert receipts["mail"].endswith("@shop.example")
    assert folder.holds(receipts["folder"])
    text.chmod(0o644)
    text.write_text("autre chose")
    assert not folder.holds(receipts["folder"])
    with pytest.raises(DomainError, match="is not what was put there"):
        folder.deposit(terms, now)
    assert text.read_text() == "autre chose"


def _attached(mailbox: Mailbox) -> list[bytes]:
    parts = [part for letter in mailbox.letters for part in letter.iter_attachments()]
    return [bytes(part.get_payload(decode=True)) for part in parts]


def test_an_order_is_under_the_terms_of_all_who_had_some(
    setting: Setting, merchant: SmallMerchant
) -> None:
    theirs = published(setting.database, "norden", "Conditions de Norden, première version.")
    with setting.database.platform() as tx:
        ours = publish_terms(tx, PLATFORM_ID, "fr", "La plateforme.", party=Party.PLATFORM)
    quote = setting.quote({shelve(setting, merchant): 1})
    page = setting.client().get(of(quote, "norden").path)
    assert "première version" in page.text
    assert theirs.sha256 in page.text
    made = setting.confirm(quote)
    order = setting.order(made.purchase_id)
    assert {(each.party, each.owner_id, each.sha256) for each in order.terms} == {
        ("platform", PLATFORM_ID, ours.sha256),
        ("brand", setting.brand.id, setting.terms().sha256),
        ("merchant", "norden", theirs.sha256),
    }
    advance(setting.deps, made.purchase_id)


def test_new_terms_of_a_merchant_are_seen_before_anything_is_bought(
    setting: Setting, merchant: SmallMerchant
) -> None:
    published(setting.database, "norden", "Conditions de Norden, avant.")
    quote = setting.quote({shelve(setting, merchant): 1})
    after = published(setting.database, "norden", "Conditions de Norden, après.")
    outcome = confirm(setting.deps, setting.brand, setting.acceptance(quote))
    assert isinstance(outcome, AskAgain)
    assert of(outcome.quote, "norden").sha256 == after.sha256
    again = confirm(setting.deps, setting.brand, setting.acceptance(outcome.quote))
    assert not isinstance(again, AskAgain)
    assert replace(outcome.quote, quote_id=quote.quote_id).terms != quote.terms
