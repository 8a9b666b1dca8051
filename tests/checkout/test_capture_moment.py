"""When a merchant is paid: who may be paid on shipment, and how it is set."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from checkout.capture_moment import check_capture_moment
from checkout.merchant_connectors import port
from comptoir.commands import merchant as merchant_command
from kernel.db import Database
from kernel.errors import DomainError
from mdm.merchants import Merchant


@pytest.mark.parametrize(
    ("connector", "word", "code"),
    [
        ("oscar", "shipment", None),
        ("vendure", "shipment", None),
        ("medusa", "shipment", None),
        ("ucp", "shipment", None),
        ("acp", "shipment", None),
        ("oscar", "sometime", "capture_unknown"),
        (None, "shipment", "shipment_not_reported"),
        (None, "acceptance", None),
    ],
)
def test_only_who_says_that_it_has_shipped_is_paid_on_it(
    connector: str | None, word: str, code: str | None
) -> None:
    merchant = Merchant("m", "M", "FR", connector=connector, connector_settings={"capture": word})
    if code is None:
        check_capture_moment(merchant)
        return
    with pytest.raises(DomainError) as refusal:
        check_capture_moment(merchant)
    assert refusal.value.code == code


def test_a_connector_that_says_nothing_of_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checkout.merchant_connectors.oscar.CAPABILITIES", port.Capabilities())
    merchant = Merchant(
        "m", "M", "FR", connector="oscar", connector_settings={"capture": "shipment"}
    )
    with pytest.raises(DomainError) as refusal:
        check_capture_moment(merchant)
    assert "acp, medusa, ucp, vendure" in str(refusal.value.hint)


def test_as_commands(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = SimpleNamespace(database=database)
    monkeypatch.setattr("comptoir.installation.Installation", lambda: installed)
    file = tmp_path / "m.toml"
    file.write_text(
        'id = "later"\nname = "Later"\ncountry = "FR"\n'
        '[orders]\nexecution = "execute"\nconnector = "oscar"\n'
    )

    def typed(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(merchant_command.command, words)
        return result.exit_code, result.output

    def listed() -> str:
        (line,) = [row for row in typed("list")[1].splitlines() if row.startswith("later ")]
        return line

    assert typed("add", str(file))[0] == 0
    assert listed().endswith("paid on acceptance")
    assert typed("add", str(file), "--capture", "shipment")[0] == 0
    assert listed().endswith("paid on shipment")
    assert typed("add", str(file), "--capture", "sometime")[0] == 2
    file.write_text(file.read_text().replace('connector = "oscar"\n', ""))
    assert typed("add", str(file), "--capture", "shipment")[0] == 1
