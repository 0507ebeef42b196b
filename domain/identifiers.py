"""Identifiers: opaque text with a stated shape, checked once where they enter."""

import re
from datetime import datetime
from typing import Final

from domain.errors import InvalidInputError
from domain.instants import epoch_micros

NAME: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}", re.ASCII)
UUID_TEXT: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.ASCII
)


def parse_name(text: object, pointer: str) -> str:
    """
    Read a customer id, an external reference or a channel: 1-64 of `[A-Za-z0-9._:-]`.

    Raises:
        InvalidInputError: `name-format`.
    """
    if not isinstance(text, str) or NAME.fullmatch(text) is None:
        raise InvalidInputError.at(pointer, "name-format", "1 to 64 of A-Z a-z 0-9 . _ : -")
    return text


def parse_uuid7(text: object, pointer: str) -> str:
    """
    Read a UUIDv7 in its lower-case text form (RFC 9562).

    Raises:
        InvalidInputError: `uuid7-format`.
    """
    if not isinstance(text, str) or UUID_TEXT.fullmatch(text) is None:
        raise InvalidInputError.at(pointer, "uuid7-format", "a UUIDv7 in lower case")
    return text


def uuid7(instant: datetime, entropy: int) -> str:
    """Return the UUIDv7 of an instant and 74 bits of entropy (RFC 9562, section 5.7)."""
    millis = epoch_micros(instant) // 1000
    high = (millis & (1 << 48) - 1) << 16 | 0x7000 | (entropy >> 62) & 0xFFF
    low = 0b10 << 62 | entropy & (1 << 62) - 1
    text = f"{high << 64 | low:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def own_person(customer_id: str) -> str:
    """Return the person of a customer whose CPF is not known: the customer alone."""
    return f"c.{customer_id}"


def person_of_index(blind_index: str) -> str:
    """Return the person behind the blind index of a CPF (`<key version>:<hex>`)."""
    version, _, body = blind_index.partition(":")
    return f"p{version}.{body[:40]}"
