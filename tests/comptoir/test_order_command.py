"""`comptoir order` as an operator types it."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from comptoir.cli import cli


@pytest.mark.parametrize(
    "amount",
    ["NaN", "sNaN", "Infinity", "-Infinity", "-5", "0", "0.00", "1e3", "1e999999999", "", " ", "٣"],
)
def test_no_other_amount_than_more_than_nothing_is_given_back(amount: str) -> None:
    words = ["order", "refund", "ord_x", "--merchant", "norden", "--key", "1", f"--amount={amount}"]
    result = CliRunner().invoke(cli, words)
    # Refused before an installation is even looked for.
    assert result.exit_code == 2, result.output
    assert "no amount to give back; write it like 12.90" in result.output
    assert isinstance(result.exception, SystemExit)
