"""Who buys and where it goes: read from a form, bounded, checked. Pure.

Only what a delivery needs is asked for; nothing is guessed or corrected behind the shopper's back.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass

_LIMITS = {
    "email": 254,
    "name": 100,
    "phone": 30,
    "line1": 120,
    "line2": 120,
    "postcode": 12,
    "city": 80,
    "country": 2,
}
_OPTIONAL = frozenset({"phone", "line2"})
_EMAIL = re.compile(r"^[^@\s<>\"(),:;\\]+@[^@\s<>\"(),:;\\]+\.[^@\s.<>\"(),:;\\]{2,}$")
_PHONE = re.compile(r"^\+?[0-9 ().\-/]{5,}$")
_POSTCODE = re.compile(r"^[A-Z0-9][A-Z0-9 \-]{2,}$")
# Countries whose postcodes have one shape; elsewhere the general pattern holds.
_POSTCODES = {
    "FR": re.compile(r"^\d{5}$"),
    "DE": re.compile(r"^\d{5}$"),
    "IT": re.compile(r"^\d{5}$"),
    "ES": re.compile(r"^\d{5}$"),
    "AT": re.compile(r"^\d{4}$"),
    "BE": re.compile(r"^\d{4}$"),
    "CH": re.compile(r"^\d{4}$"),
    "LU": re.compile(r"^\d{4}$"),
}
_COUNTRY = re.compile(r"^[A-Z]{2}$")


@dataclass(frozen=True, slots=True)
class Contact:
    """A guest's contact and one address. `phone` and `line2` may be empty."""

    email: str
    name: str
    phone: str
    line1: str
    line2: str
    postcode: str
    city: str
    country: str

    def as_json(self) -> dict[str, str]:
        """Plain strings, for the row and its hash."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, str]) -> Contact:
        """Inverse of `as_json`."""
        return cls(**{name: value[name] for name in _LIMITS})

    @property
    def lines(self) -> tuple[str, ...]:
        """The address as it is written on a parcel."""
        place = f"{self.postcode} {self.city}"
        return tuple(line for line in (self.name, self.line1, self.line2, place) if line)


def read_contact(form: Mapping[str, object]) -> tuple[Contact | None, dict[str, str]]:
    """The contact, or None and a code for each wrong field: `missing`, `too_long`, `invalid`."""
    values = form_values(form)
    errors = {}
    for name, limit in _LIMITS.items():
        value = values[name]
        if not value:
            if name not in _OPTIONAL:
                errors[name] = "missing"
        elif len(value) > limit:
            errors[name] = "too_long"
        elif not _is_valid(name, value, values["country"]):
            errors[name] = "invalid"
    if errors:
        return None, errors
    return Contact(**values), {}


def form_values(form: Mapping[str, object]) -> dict[str, str]:
    """The fields as typed, trimmed to one line each and cut, to be shown again."""
    values = {}
    for name, limit in _LIMITS.items():
        given = form.get(name)
        text = unicodedata.normalize("NFC", given) if isinstance(given, str) else ""
        # One character over the limit is kept, so that the check can say `too_long`.
        values[name] = " ".join(text[:2000].split())[: limit + 1]
    values["country"] = values["country"].upper()
    values["postcode"] = values["postcode"].upper()
    return values


def _is_valid(name: str, value: str, country: str) -> bool:
    if any(unicodedata.category(character) in {"Cc", "Cf", "Co", "Cs"} for character in value):
        return False
    if name == "email":
        return bool(_EMAIL.match(value)) and ".." not in value
    if name == "phone":
        return bool(_PHONE.match(value))
    if name == "country":
        return bool(_COUNTRY.match(value))
    if name == "postcode":
        return bool(_POSTCODES.get(country, _POSTCODE).match(value))
    return any(character.isalnum() for character in value)
