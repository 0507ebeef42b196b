"""A natural person: what exposure, velocity and locks are counted by."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """
    One person behind one or several customers.

    `cpf_index` is `<key version>:<hex>` of an HMAC-SHA-256 over the CPF, or empty while unknown.
    """

    person_id: str
    cpf_index: str = ""
