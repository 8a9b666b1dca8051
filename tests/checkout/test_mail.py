"""Letters over a real SMTP connection; addresses and settings that cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from checkout.mail import Letter, MailLaterError, MailRefusedError, MailServer, mail_server, send
from kernel.errors import DomainError
from tests.mail_server import Mailbox, running_mailbox
from tests.peers import free_port

LETTER = Letter(
    to="léa@example.org",
    sender="orders@mirabelle.example",
    sender_name="Mirabelle, l’épicerie",
    subject="Votre commande\r\nBcc: everybody@example.org",
    text="Bonjour,\n\nc’est prêt.\n",
    message_id="ltr_1@mirabelle.example",
    language="fr",
    written_at=datetime(2026, 11, 22, 8, 0, tzinfo=UTC),
)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with running_mailbox() as box:
        yield box


def test_a_letter_arrives_as_it_was_written(mailbox: Mailbox) -> None:
    send(mailbox.server, replace(LETTER, to="lea@example.org"))
    (letter,) = mailbox.letters
    assert letter["To"] == "lea@example.org"
    assert letter["From"].addresses[0].display_name == "Mirabelle, l’épicerie"
    assert letter["Subject"] == "Votre commande Bcc: everybody@example.org"
    assert letter["Bcc"] is None
    assert letter["Message-ID"] == "<ltr_1@mirabelle.example>"
    assert letter["Content-Language"] == "fr"
    assert "c’est prêt." in str(letter.get_content())


@pytest.mark.parametrize(
    "address", ["", "nobody", "a@b\r\nBcc: x@example.org", "@", "a@", "x" * 300 + "\n@example.org"]
)
def test_what_is_no_address_is_refused(mailbox: Mailbox, address: str) -> None:
    with pytest.raises(MailRefusedError) as refusal:
        send(mailbox.server, replace(LETTER, to=address))
    assert not address or address not in str(refusal.value)
    assert mailbox.letters == []


def test_no_and_later_are_told_apart(mailbox: Mailbox) -> None:
    letter = replace(LETTER, to="lea@example.org")
    mailbox.answers = ["550 no such mailbox", "451 try again later"]
    with pytest.raises(MailRefusedError, match="no such mailbox"):
        send(mailbox.server, letter)
    with pytest.raises(MailLaterError, match="try again later"):
        send(mailbox.server, letter)
    mailbox.answers = ["550 5.1.1 <lea@example.org>: not known here"]
    with pytest.raises(MailRefusedError, match=r"<\(address\)>: not known here"):
        send(mailbox.server, letter)
    with pytest.raises(MailLaterError):
        send(MailServer("smtp", "127.0.0.1", free_port()), letter)


def test_settings() -> None:
    assert mail_server("smtp://localhost") == MailServer("smtp", "localhost", 25)
    expected = MailServer("smtp+starttls", "mail.example.org", 587, "me", "p@ss")
    assert mail_server("smtp+starttls://me:p%40ss@mail.example.org") == expected
    assert mail_server("smtps://mail.example.org:4465").port == 4465


@pytest.mark.parametrize(
    "url",
    ["", "localhost", "http://localhost", "smtp://", "smtp://me:secret@host", "smtp://host:x"],
)
def test_settings_that_cannot_be_meant(url: str) -> None:
    with pytest.raises(DomainError) as refusal:
        mail_server(url)
    assert refusal.value.code == "mail_setting"
    assert "secret" not in str(refusal.value)
