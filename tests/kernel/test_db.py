"""Transactions and prepared statements on a real PostgreSQL."""

from __future__ import annotations

import psycopg
import pytest
import sqlalchemy as sa

from checkout import tables as t
from kernel.db import Database, Prepared, sent_together
from tests.purchase_setting import bundled_brand

_WHO = Prepared(
    sa.text("SELECT current_user AS who, current_setting('app.brand_id') AS brand, :given AS given")
)
_ADD = Prepared(t.basket.insert())
_ADD_LINE = Prepared(t.basket_line.insert())
_CONTACT = Prepared(
    sa.select(t.basket.c.contact).where(t.basket.c.basket_id == sa.bindparam("wanted"))
)

_LENGTH = Prepared(sa.text("SELECT length(CAST(:text AS text)) AS length"))
_RATIO = Prepared(sa.text("SELECT 1 / CAST(:number AS integer) AS ratio"))
_FREE = Prepared(
    sa.text("SELECT pg_try_advisory_xact_lock(hashtextextended(CAST(:name AS text), 0)) AS free")
)


@pytest.fixture(scope="module")
def brand(database: Database) -> str:
    """A brand on record."""
    return bundled_brand(database).id


@pytest.mark.parametrize("name", ["mirabelle", "it's", "a\\' b"])
def test_every_transaction_says_who_asks(database: Database, name: str) -> None:
    with database.brand(name) as tx:
        assert _WHO.first(tx, {"given": 1})[:2] == ("comptoir_app", name)
    with database.platform() as tx:
        assert _WHO.first(tx, {"given": 1})[:2] == ("comptoir_platform", "")


@pytest.mark.parametrize("contact", [None, {"name": "Zoë", "lines": [1, None]}])
def test_documents_come_back_as_they_were_given(
    database: Database, brand: str, contact: object
) -> None:
    basket_id = f"bsk_{contact is None}"
    with database.brand(brand) as tx:
        new = {"basket_id": basket_id, "brand_id": brand, "contact": contact}
        assert _ADD.run(tx, new) == 1
    with database.brand(brand) as tx:
        assert _CONTACT.first(tx, {"wanted": basket_id}).contact == contact


def test_values_may_vary_and_constants_stay(database: Database, brand: str) -> None:
    some = Prepared(sa.select(t.basket.c.basket_id).where(t.basket.c.basket_id.in_(["x1", "x2"])))
    with database.brand(brand) as tx:
        _ADD.run(tx, {"basket_id": "x1", "brand_id": brand})
        _ADD.run(tx, {"brand_id": brand, "basket_id": "x2", "contact": {}})
        _ADD.run(tx, {"basket_id": "x3", "brand_id": brand})
        assert {row.basket_id for row in some.all(tx)} == {"x1", "x2"}
        line = {"basket_id": "x1", "brand_id": brand, "title": "t", "quantity": 1}
        seen = {"seen_minor": 1, "seen_currency": "EUR"}
        _ADD_LINE.run_each(tx, [line | seen | {"offer_id": each} for each in ("o1", "o2")])
        _ADD_LINE.run_each(tx, [])
        assert tx.execute(sa.select(sa.func.count()).select_from(t.basket_line)).scalar() == 2


def test_a_refused_change_undoes_everything_and_has_the_usual_type(
    database: Database, brand: str
) -> None:
    def twice() -> None:
        with database.brand(brand) as tx:
            _ADD.run(tx, {"basket_id": "once", "brand_id": brand})
            _ADD.run(tx, {"basket_id": "once", "brand_id": brand})

    with pytest.raises(sa.exc.IntegrityError):
        twice()
    with database.brand(brand) as tx:
        assert _CONTACT.first(tx, {"wanted": "once"}) is None


def test_connections_that_the_server_ended_are_replaced(database: Database) -> None:
    with database.platform() as first, database.platform() as second:
        held = [each.connection.driver_connection.info.backend_pid for each in (first, second)]
    with psycopg.connect(database.url, autocommit=True) as other:
        for process in held:
            other.execute("SELECT pg_terminate_backend(%s, 30000)", (process,))
    for _ in range(3):
        with database.platform() as tx:
            assert _WHO.first(tx, {"given": 1}).who == "comptoir_platform"


def test_one_that_ends_in_the_middle_is_told_as_such(database: Database) -> None:
    def ended() -> None:
        with database.platform() as tx:
            process = tx.connection.driver_connection.info.backend_pid
            with psycopg.connect(database.url, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s, 30000)", (process,))
            _WHO.first(tx, {"given": 1})

    with pytest.raises(sa.exc.OperationalError):
        ended()
    with database.platform() as tx:
        assert _WHO.first(tx, {"given": 1}).who == "comptoir_platform"


def test_what_is_sent_together_may_be_large_and_in_parts(database: Database) -> None:
    """More than the way to the server holds at once: nobody waits for what was not sent."""
    large = "x" * 20_000_000
    with database.platform() as tx:
        with sent_together(tx):
            first = _LENGTH.asked(tx, {"text": large})
            with sent_together(tx):
                second = _LENGTH.asked(tx, {"text": "four"})
            third = _LENGTH.all(tx, {"text": large})
            _LENGTH.run(tx, {"text": large})
        lengths = [first.fetchall()[0].length, second.fetchall()[0].length, third[0].length]
    assert lengths == [len(large), 4, len(large)]


def test_a_failure_among_what_is_sent_together_is_told_and_undoes_all(
    database: Database, brand: str
) -> None:
    with pytest.raises(sa.exc.DBAPIError, match="division by zero"):
        _divide_by_zero(database, brand)
    with database.brand(brand) as tx:
        assert _CONTACT.first(tx, {"wanted": "x4"}) is None
        assert _RATIO.first(tx, {"number": 1}).ratio == 1


def _divide_by_zero(database: Database, brand: str) -> None:
    with database.brand(brand) as tx:
        with sent_together(tx):
            _ADD.run(tx, {"basket_id": "x4", "brand_id": brand})
            _RATIO.run(tx, {"number": 0})
            _ADD.run(tx, {"basket_id": "x5", "brand_id": brand})
        pytest.fail("the failure was not told")


def test_a_transaction_may_hold_a_lock_from_the_first(database: Database) -> None:
    with database.platform(holding="it's") as _, database.platform() as other:
        assert not _FREE.first(other, {"name": "it's"}).free
        assert _FREE.first(other, {"name": "its"}).free
    with database.platform() as tx:
        assert _FREE.first(tx, {"name": "it's"}).free
