"""Letters by e-mail: plain text, handed to one SMTP server, which is asked for at each sending.

A letter keeps its Message-ID when it is sent again, so that a repeated one can be told from a new
one. Nothing is sent without encryption to a server that asks for a password.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from kernel.errors import DomainError

if TYPE_CHECKING:
    from datetime import datetime

TIMEOUT_S = 20.0
_ADDRESS = re.compile(r"[^\s<>\"]+@[^\s<>\"]+")
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where letters are handed in. `security` is smtp (none), smtp+starttls or smtps."""

    security: str
    host: str
    port: int
    user: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter. `message_id` is ours, without angle brackets; `language` is that of the text."""

    to: str
    sender: str
    sender_name: str
    subject: str
    text: str
    message_id: str
    language: str
    written_at: datetime
    attached: tuple[tuple[str, bytes], ...] = ()
    """Files that go with it byte for byte: (name, content)."""


class MailRefusedError(DomainError):
    """The server will not take this letter, however often it is asked."""


class MailLaterError(DomainError):
    """The server was not reached, or says: later."""


def mail_server(url: str) -> MailServer:
    """`smtp+starttls://user:password@host:587`. DomainError `mail_setting` for anything else."""
    parts = urlsplit(url)
    try:
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        port = 0
    if parts.scheme not in _PORTS or not parts.hostname or not port or parts.path not in ("", "/"):
        raise DomainError(
            "mail_setting",
            "SMTP_URL cannot be read.",
            hint="Write smtp://host:25, smtp+starttls://user:password@host or smtps://...",
        )
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if user and parts.scheme == "smtp":
        raise DomainError(
            "mail_setting",
            "SMTP_URL would send a password without encryption.",
            hint="Write smtp+starttls:// or smtps:// where the server wants a password.",
        )
    return MailServer(parts.scheme, parts.hostname, port, user, password)


def send(server: MailServer, letter: Letter) -> None:
    """Hand one letter in. Raises MailRefusedError or MailLaterError, with what was answered."""
    message = _message(letter)
    try:
        with _connection(server) as smtp:
            if server.security == "smtp+starttls":
                smtp.starttls(context=ssl.create_default_context())
            if server.user:
                smtp.login(server.user, server.password)
            smtp.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        raise _refusal(code, said) from error
    except smtplib.SMTPResponseException as error:
        raise _refusal(error.smtp_code, error.smtp_error) from error
    except (OSError, smtplib.SMTPException) as error:
        raise MailLaterError(
            "mail_unreachable", f"The mail server {server.host} cannot be used: {error}", status=503
        ) from error


def _connection(server: MailServer) -> smtplib.SMTP:
    if server.security == "smtps":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=context)
    return smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)


def _message(letter: Letter) -> EmailMessage:
    """The letter as it goes over the wire. MailRefusedError where its address cannot be one."""
    message = EmailMessage(policy=SMTP)
    name, _, domain = letter.to.rpartition("@")
    try:
        if not name or not domain:
            raise ValueError("no name before or no domain behind the @")
        message["From"] = Address(letter.sender_name, addr_spec=letter.sender)
        message["To"] = Address("", name, domain)
        message["Subject"] = " ".join(letter.subject.split())
    except (ValueError, IndexError) as error:
        # What is said of a letter is logged: it never names an address.
        raise MailRefusedError("mail_address", "No letter can go to this address.") from error
    message["Date"] = format_datetime(letter.written_at)
    message["Message-ID"] = f"<{letter.message_id}>"
    # Told to machines that answer letters: nobody reads an answer of theirs.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    message["Content-Language"] = letter.language
    for name, content in letter.attached:
        message.add_attachment(
            content, maintype="application", subtype="octet-stream", filename=name
        )
    return message


def _refusal(code: int, said: bytes | str) -> DomainError:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    text = _ADDRESS.sub("(address)", text)
    if 500 <= code < 600:
        return MailRefusedError("mail_refused", f"The mail server says {code} {text[:300]}")
    return MailLaterError("mail_later", f"The mail server says {code} {text[:300]}", status=503)
