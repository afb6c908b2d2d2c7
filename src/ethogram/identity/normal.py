"""E-mail addresses and phone numbers in the one form in which they are compared. Ids are never changed."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from types import ModuleType

from ethogram.model.extras import require_extra

_EMAIL = re.compile(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+\.[^\s@<>,;\".]+")


def email_of(text: str) -> str | None:
    """Lower case; dots and what follows a plus sign stay. None for what is no address.

    >>> email_of(" Ann.B+news@Example.ORG "), email_of("ann at example")
    ('ann.b+news@example.org', None)
    """
    address = unicodedata.normalize("NFC", text).strip().lower()
    return address if _EMAIL.fullmatch(address) else None


def phone_of(text: str, country: str) -> str | None:
    """As E.164, `+` and digits; `country` (ISO 3166, or empty) is that of numbers without a country code. None for what is no
    number, or does not say its country. Raises EnvironmentFault E_EXTRA_MISSING where the extra `phones` is not installed."""
    return _phone(text.strip(), country.partition("-")[0].upper())


@lru_cache(maxsize=1 << 16)
def _phone(text: str, country: str) -> str | None:
    phonenumbers = _library()
    said = "+" + text[2:] if text.startswith("00") and not country else text
    try:
        number = phonenumbers.parse(said, country or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


@cache
def _library() -> ModuleType:
    require_extra("phones", ("phonenumbers",), "phone numbers are read with a library that is not installed")
    import phonenumbers

    library: ModuleType = phonenumbers
    return library
