"""What the processes that serve write down, and what they never do."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
import sqlalchemy as sa

from kernel.db import Database

FAILING = """
import logging
import structlog
from comptoir.logs import write_logs

write_logs()

def charge(password, buyer):
    address = {"buyer": buyer, "line1": password}
    raise ValueError("no such place")

for say in (structlog.get_logger("comptoir.worker").exception, logging.exception):
    try:
        charge("whsec-SECRET", "anna@example.org")
    except ValueError:
        say("purchases could not be resumed")
logging.getLogger("comptoir.shop").error("failure %s at %s", "7F3A", "/basket")
structlog.get_logger("comptoir.worker").info("purchases resumed", count=3)
"""


def test_a_failure_tells_its_place_and_its_time_and_no_value() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FAILING], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == ""
    assert "SECRET" not in done.stderr
    assert "anna@" not in done.stderr
    assert done.stderr.count("ValueError: no such place") == 2
    assert done.stderr.count("in charge") == 2
    told = [
        line for line in done.stderr.splitlines() if re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z ", line)
    ]
    assert len(told) == 4
    assert any("count=3" in line for line in told)


def test_a_statement_that_fails_keeps_what_it_was_given_to_itself(database: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError) as failed, database.platform() as tx:
        tx.execute(sa.text("SELECT :mail::text FROM not_there"), {"mail": "anna@example.org"})
    assert "not_there" in str(failed.value)
    assert "anna@" not in str(failed.value)
