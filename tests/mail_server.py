"""A real SMTP server on this machine that keeps what it is handed, and can be told to refuse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller

from checkout.mail import MailServer
from tests.peers import free_port


class Mailbox:
    """What came in. `answers` are given to the next letters instead of taking them."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.answers: list[str] = []
        self.server = MailServer("smtp", "127.0.0.1", free_port())

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - its name there
        """Called by the server for each letter."""
        del server, session
        if self.answers:
            return self.answers.pop(0)
        letter = message_from_bytes(envelope.content, policy=default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        return "250 taken"

    def texts(self) -> list[str]:
        """The bodies, in the order they came."""
        return [str(letter.get_content()) for letter in self.letters]


@contextmanager
def running_mailbox() -> Iterator[Mailbox]:
    """A mailbox behind a listening server."""
    box = Mailbox()
    controller = Controller(box, hostname=box.server.host, port=box.server.port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
