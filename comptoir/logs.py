"""How the processes that serve write their logs: the time, how grave, who says it, what.

A failure is told by its place in the code and never by the values of variables: these are buyers'
addresses, and passwords.
"""

from __future__ import annotations

import logging
import sys
import time

import structlog


def write_logs() -> None:
    """For this process, on standard error; times are UTC."""
    form = logging.Formatter("%(asctime)sZ %(levelname)-7s %(name)s: %(message)s")
    form.converter = time.gmtime
    form.default_time_format = "%Y-%m-%dT%H:%M:%S"
    form.default_msec_format = "%s.%03d"
    handler = logging.StreamHandler()
    handler.setFormatter(form)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(
                colors=False,
                pad_event_to=0,
                exception_formatter=structlog.dev.plain_traceback,
            ),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
