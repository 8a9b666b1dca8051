"""The one error that a person is meant to read.

A `DomainError` says what is refused, why, and what to do next. The web edge turns it into
`application/problem+json` (RFC 9457) or a page, the command line into one line without a traceback.
"""

from __future__ import annotations

from collections.abc import Mapping


class DomainError(Exception):
    """A refusal with a stable machine code, a sentence for people and a next step.

    `code` is snake_case and part of the public contract; `status` is the HTTP status it maps to;
    `retry_after_s` says when another try may do better, where that is known.

    What shoppers may read keeps its names and numbers apart, as `values` of `%(name)s`: the
    sentences before them, `message_id` and `hint_id`, are what has a translation.
    """

    retry_after_s: int | None = None

    def __init__(
        self,
        code: str,
        message: str,
        *,
        hint: str = "",
        status: int = 422,
        values: Mapping[str, object] | None = None,
    ) -> None:
        self.message_id, self.hint_id, self.values = message, hint, dict(values or {})
        self.message = message % self.values if self.values else message
        super().__init__(self.message)
        self.code = code
        self.hint = hint % self.values if self.values else hint
        self.status = status

    def as_problem(self) -> dict[str, object]:
        """The RFC 9457 members of this refusal."""
        problem: dict[str, object] = {
            "type": f"urn:comptoir:problem:{self.code}",
            "title": self.message,
            "status": self.status,
            "code": self.code,
        }
        if self.hint:
            problem["detail"] = self.hint
        return problem


class TooMany(DomainError):
    """More calls than the limit; there is room again after `retry_after_s`."""

    def __init__(self, message: str, retry_after_s: int) -> None:
        hint = f"Try again in {retry_after_s} s."
        super().__init__("too_many_requests", message, hint=hint, status=429)
        self.retry_after_s = retry_after_s


class NotFound(DomainError):
    """The thing named does not exist, or is not visible to who asks."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        hint: str = "",
        values: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(code, message, hint=hint, status=404, values=values)
