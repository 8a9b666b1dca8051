"""Routes of the search API: refusals as problem+json, in words that are for readers.

Why an engine gives nothing (its address, its key, its disk) is the operator's to read, in the log.
"""

from __future__ import annotations

import logging

from fastapi import Request, Response

from kernel.errors import DomainError
from kernel.web import RefusingRoute

_LOG = logging.getLogger(__name__)
_FILLING = ("This shop has nothing to search yet.", "Try again in some minutes.")
_AWAY = ("The search does not answer right now.", "Try again in a moment.")


class ReaderRoute(RefusingRoute):
    """A route that strangers call."""

    def refused(self, request: Request, error: DomainError) -> Response:
        """In words for readers."""
        return super().refused(request, for_readers(error))


def for_readers(error: DomainError) -> DomainError:
    """The refusal as it is; where it speaks of our own machines, without what it says of them."""
    if error.status < 500:
        return error
    _LOG.error("no answer for a reader: %s: %s %s", error.code, error.message, error.hint)
    message, hint = _FILLING if error.code == "index_missing" else _AWAY
    return DomainError(error.code, message, hint=hint, status=error.status)
