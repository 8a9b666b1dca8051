"""Contacts: what is taken, what is refused, and by which name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkout.contact import Contact, form_values, read_contact
from tests.purchase_setting import CONTACT


def test_good_contact_is_read_as_given() -> None:
    contact, errors = read_contact(CONTACT.as_json())
    assert (contact, errors) == (CONTACT, {})
    assert Contact.from_json(CONTACT.as_json()) == CONTACT
    assert CONTACT.lines == ("Cliente Exemple", "12 rue des Tanneurs", "69005 Lyon")


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("email", "", "missing"),
        ("email", "cliente@", "invalid"),
        ("email", "a@b@c.fr", "invalid"),
        ("email", "a..b@example.org", "invalid"),
        ("name", "x" * 101, "too_long"),
        ("name", "---", "invalid"),
        ("name", "Cliente\u202eExemple", "invalid"),
        ("name", "Cliente\0Exemple", "invalid"),
        ("postcode", "6900", "invalid"),
        ("postcode", "", "missing"),
        ("country", "F", "invalid"),
        ("country", "FRA", "too_long"),
        ("phone", "call me", "invalid"),
        ("city", "\n\t", "missing"),
    ],
)
def test_wrong_field_is_named(field: str, value: str, code: str) -> None:
    contact, errors = read_contact(CONTACT.as_json() | {field: value})
    assert contact is None
    assert errors == {field: code}


@pytest.mark.parametrize(
    ("country", "postcode"),
    [("DE", "10115"), ("BE", "1000"), ("GB", "SW1A 1AA"), ("NL", "1012 AB")],
)
def test_postcodes_by_country(country: str, postcode: str) -> None:
    contact, errors = read_contact(CONTACT.as_json() | {"country": country, "postcode": postcode})
    assert errors == {}
    assert contact is not None


@given(st.dictionaries(st.sampled_from(list(CONTACT.as_json())), st.text(max_size=400)))
def test_any_text_is_bounded_and_never_breaks(form: dict[str, str]) -> None:
    contact, errors = read_contact(form)
    assert (contact is None) == bool(errors)
    assert all(len(value) <= 255 for value in form_values(form).values())
