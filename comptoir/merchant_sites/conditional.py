"""Answers that need not be sent twice: ETag, Last-Modified, 304."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from starlette.requests import Request
from starlette.responses import Response


def _is_unchanged(request: Request, tag: str, modified: datetime) -> bool:
    """If-None-Match wins over If-Modified-Since (RFC 9110, 13.2.2)."""
    if (stated := request.headers.get("if-none-match")) is not None:
        return stated.strip() == "*" or tag in [part.strip() for part in stated.split(",")]
    since = request.headers.get("if-modified-since")
    if since is None:
        return False
    try:
        moment = parsedate_to_datetime(since)
    except ValueError:
        return False
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return modified <= moment


def conditional(request: Request, body: bytes, modified: datetime, media_type: str) -> Response:
    """The body with its validators, or 304 when the client has it."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    headers = {"etag": tag, "last-modified": format_datetime(modified, usegmt=True)}
    if _is_unchanged(request, tag, modified):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)
