"""Letters to buyers: one for what is settled, one for what changes, none twice, none lost."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from checkout import tables as t
from checkout.after_sale import cancel
from checkout.order_letters import Post, send_letters
from checkout.purchase.advance import advance
from tests.checkout.shop_visits import bought, shelve
from tests.mail_server import Mailbox, running_mailbox
from tests.purchase_setting import LINKS, Setting
from tests.small_merchant import SmallMerchant

_LATER = itertools.count(1)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with running_mailbox() as box:
        yield box


@pytest.fixture(autouse=True)
def _no_older_letters(setting: Setting) -> None:
    """What other tests left due is none of ours."""
    with setting.database.platform() as tx:
        tx.execute(t.letter.update().values(state="sent", next_try_at=None))


def deliver(setting: Setting, mailbox: Mailbox, **later: float) -> int:
    """Send what is due, as the worker does."""
    post = Post(mailbox.server, "orders@mirabelle.example")
    now = datetime.now(UTC) + timedelta(**later)
    brands = {setting.brand.id: setting.brand}
    return send_letters(setting.database, brands, post, now, links=LINKS)


def test_an_order_is_told_once_and_its_end_once_more(
    setting: Setting, merchant: SmallMerchant, mailbox: Mailbox
) -> None:
    purchase_id = bought(setting, merchant)
    order = setting.order(purchase_id)
    assert deliver(setting, mailbox) == 1
    assert deliver(setting, mailbox) == 0
    (letter,) = mailbox.letters
    text = mailbox.texts()[0]
    assert order.number in letter["Subject"]
    assert letter["To"] == order.contact.email
    link = f"{order.site}/order/{setting.opens(order.order_ref)}"
    assert link in text.split()
    opened = setting.client().get(link.removeprefix(order.site))
    assert opened.status_code == 200
    assert "M-1000" in opened.text
    assert "M-1000" in text
    assert "262" in text
    assert "<" not in text.replace("<http", "")

    cancel(setting.deps, order, "norden")
    advance(setting.deps, purchase_id)
    assert deliver(setting, mailbox) == 1
    assert mailbox.letters[1]["Subject"] != letter["Subject"]
    assert mailbox.letters[1]["Message-ID"] != letter["Message-ID"]
    assert mailbox.texts()[1] != text


def test_a_server_that_is_away_loses_nothing(
    setting: Setting, merchant: SmallMerchant, mailbox: Mailbox
) -> None:
    bought(setting, merchant)
    mailbox.answers = ["451 later", "451 later"]
    assert deliver(setting, mailbox) == 1
    assert deliver(setting, mailbox) == 0
    assert deliver(setting, mailbox, minutes=1) == 1
    assert mailbox.letters == []
    assert deliver(setting, mailbox, minutes=10) == 1
    assert len(mailbox.letters) == 1


def test_a_refused_address_is_on_record_and_not_tried_again(
    setting: Setting, merchant: SmallMerchant, mailbox: Mailbox
) -> None:
    purchase_id = bought(setting, merchant)
    mailbox.answers = ["550 no such mailbox"]
    deliver(setting, mailbox)
    assert deliver(setting, mailbox, days=1) == 0
    with setting.database.platform() as tx:
        row = tx.execute(t.letter.select().where(t.letter.c.purchase_id == purchase_id)).one()
    assert row.state == "refused"
    assert "no such mailbox" in row.said
    assert setting.order(purchase_id).number in row.subject


def test_several_workers_send_one_letter(
    setting: Setting, merchant: SmallMerchant, mailbox: Mailbox
) -> None:
    bought(setting, merchant)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: deliver(setting, mailbox), range(8)))
    assert len(mailbox.letters) == 1


def test_who_leaves_the_payment_page_is_not_written_to(
    setting: Setting, merchant: SmallMerchant, mailbox: Mailbox
) -> None:
    made = setting.confirm(setting.quote({shelve(setting, merchant): 1}))
    advance(setting.deps, made.purchase_id)
    with setting.database.platform() as tx:
        statement = sa.select(sa.func.count()).select_from(t.letter)
        assert (
            tx.execute(statement.where(t.letter.c.purchase_id == made.purchase_id)).scalar_one()
            == 0
        )
