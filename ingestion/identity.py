"""
Direct identifiers of a person, in their two forms.

Clear, as producers send them: CPF, name, birth date, e-mail, phone, address. Sealed, as everything
behind the edge holds them: the same fields as ciphertext, and the blind index of the CPF.
"""

import re
from typing import Final

from domain.cpf import Cpf
from domain.customer import JsonObject
from domain.instants import parse_date
from ingestion.reading import (
    FREE_TEXT,
    NOTHING,
    TEXT_MAX,
    YEARS_OF_LIFE,
    fail,
    object_of,
    text_of,
)

IDENTITY_FIELDS: Final = frozenset({"cpf", "name", "birth_date", "email", "phone", "address"})
#: The vault's layout mark, then base64 of at least a tag; the longest text fits several times.
SEALED_TEXT: Final = re.compile(r"(?:siv)?[0-9]{1,3}[.:][A-Za-z0-9+/_=-]{22,2048}", re.ASCII)
INDEX_TEXT: Final = re.compile(r"[A-Za-z0-9]{1,8}:[0-9a-f]{64}", re.ASCII)
EMAIL_TEXT: Final = re.compile(r"[!-?A-~]{1,64}@[!-?A-~]{1,128}", re.ASCII)
PHONE_TEXT: Final = re.compile(r"[0-9+() .-]{8,32}", re.ASCII)
DAY_TEXT: Final = re.compile(rf"{YEARS_OF_LIFE}-[0-9]{{2}}-[0-9]{{2}}", re.ASCII)


def day_of(value: object, pointer: str) -> str:
    """
    Read a calendar day from 1900 to 2100.

    Raises:
        InvalidInputError: `date-format`.
    """
    text_of(value, pointer, DAY_TEXT, "date-format")
    return parse_date(value, pointer).isoformat()


def is_sealed(identity: JsonObject) -> bool:
    """Return whether this is the sealed form: no field holds anything but ciphertext."""
    fields = identity.keys() & IDENTITY_FIELDS
    return bool(fields) and all(_looks_sealed(identity[name]) for name in fields)


def sealed_identity(value: object, pointer: str) -> JsonObject:
    """
    Read the sealed form: a blind index goes with a sealed CPF, and with nothing else.

    Raises:
        InvalidInputError: also for clear text: it must not get behind the edge.
    """
    identity = object_of(value, pointer, NOTHING, IDENTITY_FIELDS | {"cpf_index"})
    fields = identity.keys() - {"cpf_index"}
    if not fields or ("cpf_index" in identity) != ("cpf" in identity):
        fail(pointer, "identity-incomplete", "a field, and the index together with the CPF")
    if "cpf_index" in identity:
        text_of(identity["cpf_index"], f"{pointer}/cpf_index", INDEX_TEXT, "index-format")
    for name in sorted(fields):
        text_of(identity[name], f"{pointer}/{name}", SEALED_TEXT, "sealed-format")
    return identity


def clear_identity(value: object, pointer: str) -> JsonObject:
    """
    Read the clear form; the CPF comes back as eleven digits.

    Raises:
        InvalidInputError: among others `cpf-format` and `cpf-check-digits`.
    """
    identity = object_of(value, pointer, NOTHING, IDENTITY_FIELDS)
    if not identity:
        fail(pointer, "identity-incomplete", "at least one field")
    return {name: _clear_field(name, identity[name], f"{pointer}/{name}") for name in identity}


def _clear_field(name: str, value: object, pointer: str) -> str:
    if name == "cpf":
        return Cpf.parse(value, pointer).digits
    if name == "birth_date":
        return day_of(value, pointer)
    if name == "email":
        return text_of(value, pointer, EMAIL_TEXT, "email-format")
    if name == "phone":
        return text_of(value, pointer, PHONE_TEXT, "phone-format")
    text = text_of(value, pointer, FREE_TEXT, "text-format")
    if _looks_sealed(text):
        fail(pointer, "text-format", f"1 to {TEXT_MAX} characters of clear text")
    return text


def _looks_sealed(value: object) -> bool:
    return isinstance(value, str) and SEALED_TEXT.fullmatch(value) is not None
