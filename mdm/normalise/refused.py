"""The one way in which a normaliser says that a record cannot be used."""

from __future__ import annotations


class RefusedError(Exception):
    """Why a record is refused: a stable code, a sentence for the merchant, and what to do."""

    def __init__(self, code: str, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.hint = hint
