"""
What each event type carries: one strict reader a type, from the outer form to the inner one.

Outside money is text, a month `YYYY-MM`; inside amounts are centavos and months are numbers.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from domain.application import MAX_TERM_MONTHS
from domain.customer import JsonObject
from domain.decision import Outcome
from domain.events import EventType
from domain.features import INCOME_BASES
from domain.identifiers import parse_name, parse_uuid7
from domain.instants import business_day, epoch_micros, month_of
from domain.money import Money
from ingestion.identity import clear_identity, day_of, sealed_identity
from ingestion.reading import (
    NOTHING,
    choice_of,
    fail,
    instant_of,
    object_of,
    period_of,
    signed_centavos,
    text_of,
    whole_of,
)

MONTHS_LATE_MAX: Final = 99
SCORE_MAX: Final = 1000
DAYS_LATE_MAX: Final = 36_500
REASONS_MAX: Final = 100
WHOLE_MAX: Final = 2**53 - 1

AMOUNT_KINDS: Final = frozenset({"purchase", "payment"})
KINDS: Final = AMOUNT_KINDS | {"inquiry"}
OUTCOMES: Final = frozenset(outcome.value for outcome in Outcome)
#: A code or name that may be empty where there is none, such as the band of an unscored decision.
LABEL_TEXT: Final = re.compile(r"[A-Za-z0-9._:+-]{0,64}", re.ASCII)

Reader = Callable[[object, str], object]
Groups = Mapping[str, Reader]
DataReader = Callable[[JsonObject, datetime, Groups], JsonObject]


def month_of_instant(instant: datetime) -> int:
    """Return the São Paulo month of an instant in UTC."""
    # São Paulo is hours behind UTC, so the month can differ on the first day only.
    return month_of(instant if instant.day > 1 else business_day(instant))


def _income(value: object, pointer: str) -> JsonObject:
    income = object_of(value, pointer, {"monthly", "basis"})
    return {
        "monthly": Money.parse(income["monthly"], f"{pointer}/monthly").centavos,
        "basis": choice_of(income["basis"], f"{pointer}/basis", BASES),
    }


def _relationship(value: object, pointer: str) -> JsonObject:
    relationship = object_of(value, pointer, {"since"})
    return {"since": day_of(relationship["since"], f"{pointer}/since")}


BASES: Final = frozenset(INCOME_BASES)
#: Attribute groups behind the edge, and in front of it.
SEALED_GROUPS: Final[Groups] = {
    "income": _income,
    "relationship": _relationship,
    "identity": sealed_identity,
}
CLEAR_GROUPS: Final[Groups] = {**SEALED_GROUPS, "identity": clear_identity}


def _profile(data: JsonObject, _: datetime, groups: Groups) -> JsonObject:
    object_of(data, "/data", NOTHING, groups.keys())
    if not data:
        fail("/data", "field-missing", "at least one attribute group")
    return {name: groups[name](value, f"/data/{name}") for name, value in data.items()}


def _recorded(data: JsonObject, occurred: datetime, _: Groups) -> JsonObject:
    kind = choice_of(data.get("kind"), "/data/kind", KINDS)
    month = month_of_instant(occurred)
    if kind not in AMOUNT_KINDS:
        object_of(data, "/data", {"kind"})
        return {"kind": kind, "amount": 0, "month": month}
    object_of(data, "/data", _AMOUNT_FIELDS)
    amount = Money.parse(data["amount"], "/data/amount").centavos
    return {"kind": kind, "amount": amount, "month": month}


def _reversed(data: JsonObject, occurred: datetime, _: Groups) -> JsonObject:
    object_of(data, "/data", {"reverses"})
    reverses = parse_uuid7(data["reverses"], "/data/reverses")
    return {"reverses": reverses, "month": month_of_instant(occurred)}


def _statement(data: JsonObject, _: datetime, __: Groups) -> JsonObject:
    object_of(data, "/data", _STATEMENT_FIELDS)
    return {
        "month": period_of(data["period"], "/data/period"),
        "balance": signed_centavos(data["balance"], "/data/balance"),
        "limit": Money.parse(data["limit"], "/data/limit").centavos,
    }


def _delinquency(data: JsonObject, _: datetime, __: Groups) -> JsonObject:
    object_of(data, "/data", _DELINQUENCY_FIELDS)
    return {
        "month": period_of(data["period"], "/data/period"),
        "late": whole_of(data["months_late"], "/data/months_late", 0, MONTHS_LATE_MAX),
    }


def _bureau(data: JsonObject, _: datetime, __: Groups) -> JsonObject:
    object_of(data, "/data", {"score", "model"})
    return {
        "score": whole_of(data["score"], "/data/score", 0, SCORE_MAX),
        "model": parse_name(data["model"], "/data/model"),
    }


def _performance(data: JsonObject, _: datetime, __: Groups) -> JsonObject:
    object_of(data, "/data", {"contract_id", "period", "days_late", "balance"})
    return {
        "contract_id": parse_name(data["contract_id"], "/data/contract_id"),
        "month": period_of(data["period"], "/data/period"),
        "days_late": whole_of(data["days_late"], "/data/days_late", 0, DAYS_LATE_MAX),
        "balance": signed_centavos(data["balance"], "/data/balance"),
    }


def _decided(data: JsonObject, _: datetime, __: Groups) -> JsonObject:
    object_of(data, "/data", _DECIDED_FIELDS, _DECIDED_EXTRAS.keys())
    parse_uuid7(data["decision_id"], "/data/decision_id")
    parse_name(data["customer_id"], "/data/customer_id")
    choice_of(data["outcome"], "/data/outcome", OUTCOMES)
    for name in sorted(data.keys() - _DECIDED_FIELDS):
        _DECIDED_EXTRAS[name](data[name], f"/data/{name}")
    decided = instant_of(data["decided_at"], "/data/decided_at")
    return {**data, "decided_us": epoch_micros(decided)}


def _label(value: object, pointer: str) -> str:
    return text_of(value, pointer, LABEL_TEXT, "label-format")


def _codes(value: object, pointer: str) -> None:
    if type(value) is not list or len(value) > REASONS_MAX:
        fail(pointer, "codes", f"a list of at most {REASONS_MAX} codes")
    for code in value:
        parse_name(code, pointer)


def _score_or_none(value: object, pointer: str) -> None:
    if value is not None:
        whole_of(value, pointer, 0, SCORE_MAX)


_AMOUNT_FIELDS: Final = frozenset({"kind", "amount"})
_STATEMENT_FIELDS: Final = frozenset({"period", "balance", "limit"})
_DELINQUENCY_FIELDS: Final = frozenset({"period", "months_late"})
_DECIDED_FIELDS: Final = frozenset({"decision_id", "customer_id", "outcome", "decided_at"})
_DECIDED_EXTRAS: Final[Groups] = {
    "product": _label,
    "amount": Money.parse,
    "term_months": lambda value, pointer: whole_of(value, pointer, 1, MAX_TERM_MONTHS),
    "policy_id": _label,
    "policy_version": lambda value, pointer: whole_of(value, pointer, 0, WHOLE_MAX),
    "score": _score_or_none,
    "band": _label,
    "reasons": _codes,
    "principal": Money.parse,
}

#: Each type of the contract by its name, with the reader of what it carries.
READERS: Final[Mapping[str, tuple[EventType, DataReader]]] = {
    event_type.value: (event_type, reader)
    for event_type, reader in {
        EventType.PROFILE_UPDATED: _profile,
        EventType.TRANSACTION_RECORDED: _recorded,
        EventType.TRANSACTION_REVERSED: _reversed,
        EventType.STATEMENT_CLOSED: _statement,
        EventType.DELINQUENCY_REPORTED: _delinquency,
        EventType.BUREAU_SCORE_UPDATED: _bureau,
        EventType.CREDIT_DECIDED: _decided,
        EventType.LOAN_PERFORMANCE_REPORTED: _performance,
    }.items()
}
