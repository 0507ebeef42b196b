"""What callers ask of the decision engine, and what they get back."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.application import CreditApplication
from domain.ports.time import Deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideCommand:
    """
    Decide one application, once, however often it is sent.

    `command_hash` is a keyed hash of the canonical validated command; `client_id` the caller.
    """

    client_id: str
    idem_key: str
    command_hash: str
    application: CreditApplication
    language: str
    deadline: Deadline


@dataclass(frozen=True, slots=True)
class Recorded:
    """A durable reply: the bytes that every repetition of the command gets as well."""

    decision_id: str
    reply: bytes
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfCommand:
    """Evaluate without recording; `overrides` replace attributes, None makes one missing."""

    application: CreditApplication
    overrides: Mapping[str, str | bool | int | None]
    policy: str | None
    language: str
    deadline: Deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseReviewCommand:
    """A reviewer's answer to a case: APPROVED waives what referred it, DECLINED names reasons."""

    review_id: str
    client_id: str
    idem_key: str
    command_hash: str
    outcome: str
    reasons: tuple[str, ...]
    note: str
    language: str
    deadline: Deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestReviewCommand:
    """A person asks for a review of an automated decision."""

    decision_id: str
    client_id: str
    idem_key: str
    command_hash: str
    note: str
    deadline: Deadline


@dataclass(frozen=True, slots=True)
class Created:
    """The reply to a creating POST other than a decision."""

    status: int
    body: bytes
    replayed: bool
