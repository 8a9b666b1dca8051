"""The outcomes of asking a merchant or a payment provider, other than done.

Done is the return value. A refusal and silence mean that nothing changed; only `OutcomeUnknown`
leaves a doubt, and it is settled by looking up, never by guessing.
"""

from __future__ import annotations

from kernel.errors import DomainError


class Refused(DomainError):
    """The peer said no, and changed nothing. `code` is ours, `message` may be theirs."""

    def __init__(self, code: str, message: str, *, hint: str = "") -> None:
        super().__init__(code, message, hint=hint, status=409)


class HandoffNeeded(Refused):
    """The merchant wants the buyer to finish on its own page, `continue_url`. No order exists."""

    def __init__(self, message: str, continue_url: str) -> None:
        super().__init__("handoff_needed", message, hint="Continue at the merchant's own shop.")
        self.continue_url = continue_url


class NoAnswer(DomainError):
    """The peer was not reached, or did not answer a question. Nothing was changed: ask again."""

    def __init__(self, message: str) -> None:
        super().__init__("no_answer", message, status=503)


class NotYet(NoAnswer):
    """The peer does it only later, and nothing is wrong. Nothing was changed: ask again then."""

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class OutcomeUnknown(DomainError):
    """A change was sent and no usable answer came: it may have happened. Look it up first.

    `retry_after_s` is what the peer asked for, if anything.
    """

    def __init__(self, message: str, *, hint: str = "", retry_after_s: int | None = None) -> None:
        super().__init__("outcome_unknown", message, hint=hint, status=504)
        self.retry_after_s = retry_after_s
