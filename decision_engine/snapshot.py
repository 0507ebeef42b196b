"""What was read about a customer, attribute by attribute, with where it came from and how old."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property, lru_cache
from typing import Final, Literal

from domain.canonical import checked
from domain.customer import CreditData
from domain.features import MISSING, Feature, Value, features_on
from domain.instants import business_day, business_day_of, epoch_micros
from domain.money import EXACT

State = Literal["ok", "missing", "stale", "invalid"]
Status = Literal["present", "absent", "incomplete", "loss_window"]

#: Attributes of these groups come from the request and the ledger, not from the profile.
NOT_READ: Final = ("application.", "exposure.")
DIGITS: Final = "0123456789"
#: A customer who comes again within minutes is read once, as is the profile (`profile_bytes`).
READINGS_KEPT: Final = 512


@dataclass(frozen=True, slots=True)
class InputField:
    """
    One typed input of a policy, with the age it may have in whole São Paulo days.

    `admit` gives a value at its scale, or None for one that is not of the field's type and range.
    """

    name: str
    kind: str
    max_age_days: int | None
    admit: Callable[[object], Value | None]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One input of the policy as read; only `ok` ones are used, the value of others is evidence."""

    value: Value | None
    state: State
    observed_us: int | None

    @property
    def usable(self) -> Value | None:
        """The value that the policy sees."""
        return self.value if self.state == "ok" else None


class Attributes(dict[str, Attribute]):
    """
    Attributes by name as they were read, never changed: what was made of them once is kept.

    `digests` is what `trace_proof` keeps here.
    """

    digests: bytes | None = None

    @cached_property
    def texts(self) -> Mapping[str, str | None]:
        """The one text of each value."""
        return {name: attribute_text(held.value) for name, held in self.items()}

    @cached_property
    def usable(self) -> Mapping[str, Value | None]:
        """What the policy sees of each."""
        return {name: held.usable for name, held in self.items()}

    @cached_property
    def canonical(self) -> Mapping[str, object]:
        """The plain form kept as evidence."""
        texts = self.texts
        return checked(
            {name: [held.state, texts[name], held.observed_us] for name, held in self.items()}
        )


@dataclass(frozen=True, slots=True)
class Source:
    """Which tier answered for a group of attributes, with which version."""

    group: str
    tier: str
    version: int
    as_of_us: int

    def canonical(self) -> list[object]:
        """Return the plain form kept as evidence."""
        return [self.group, self.tier, self.version, self.as_of_us]


@dataclass(frozen=True, slots=True)
class Gathered:
    """The outcome of reading: the profile if there is one, from where, and what was away."""

    profile: CreditData | None
    tier: str
    degraded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything about the customer that a decision reads, at one instant."""

    status: Status
    person_id: str
    profile_version: int
    as_of: datetime
    attributes: Attributes
    sources: tuple[Source, ...] = ()
    degraded: tuple[str, ...] = ()
    overridden: tuple[str, ...] = field(default=())

    def states(self) -> dict[str, Literal["missing", "stale", "invalid"]]:
        """Return the attributes that cannot be used, and why."""
        return {name: held.state for name, held in self.attributes.items() if held.state != "ok"}


def take_snapshot(gathered: Gathered, fields: Iterable[InputField], as_of: datetime) -> Snapshot:
    """Return the attributes that a policy reads, taken from the profile at `as_of`."""
    profile = gathered.profile
    return Snapshot(
        status=_status(profile),
        person_id=profile.person_id if profile else "",
        profile_version=profile.profile_version if profile else 0,
        as_of=as_of,
        attributes=_attributes(_Reading(profile, tuple(fields), business_day(as_of))),
        sources=_sources(gathered),
        degraded=gathered.degraded,
    )


class _Reading:
    """
    A profile, the fields that are read of it, and the day: all that attributes depend on.

    Two are the same when they are of the same objects, which live as long as they are kept here:
    comparing profiles would cost more than reading them.
    """

    __slots__ = ("day", "fields", "profile")

    def __init__(
        self, profile: CreditData | None, fields: tuple[InputField, ...], day: date
    ) -> None:
        self.profile = profile
        self.fields = fields
        self.day = day

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Reading)
            and self.profile is other.profile
            and self.fields is other.fields
            and self.day == other.day
        )

    def __hash__(self) -> int:
        return hash((id(self.profile), id(self.fields), self.day))


@lru_cache(maxsize=READINGS_KEPT)
def _attributes(reading: _Reading) -> Attributes:
    profile, day = reading.profile, reading.day
    read = [field for field in reading.fields if not field.name.startswith(NOT_READ)]
    known = features_on(profile, day, [field.name for field in read]) if profile is not None else {}
    return Attributes(
        {field.name: _judge(field, known.get(field.name, MISSING), day) for field in read}
    )


def judge(field: InputField, feature: Feature, as_of: datetime) -> Attribute:
    """Return the feature with its state: missing, of a wrong type or range, too old, or usable."""
    return _judge(field, feature, business_day(as_of))


def _judge(field: InputField, feature: Feature, day: date) -> Attribute:
    value, observed_us = feature.value, feature.observed_us
    if value is None:
        return Attribute(None, "missing", observed_us)
    admitted = field.admit(value)
    if admitted is None:
        return Attribute(value, "invalid", observed_us)
    return Attribute(admitted, _freshness(field, observed_us, day), observed_us)


def _freshness(field: InputField, observed_us: int | None, day: date) -> State:
    if field.max_age_days is None:
        return "ok"
    if observed_us is None:
        return "stale"
    return "ok" if (day - business_day_of(observed_us)).days <= field.max_age_days else "stale"


def _status(profile: CreditData | None) -> Status:
    if profile is None:
        return "absent"
    return "incomplete" if profile.incomplete else "present"


def _sources(gathered: Gathered) -> tuple[Source, ...]:
    profile = gathered.profile
    if profile is None:
        return ()
    return (Source("profile", gathered.tier, profile.profile_version, profile.newest_us),)


def attribute_text(value: Value | None) -> str | None:
    """Return the one text of a value for evidence; numbers keep the scale of their field."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    # Nothing to round, no exponent, no sign: then it is that text already, at a third of the cost.
    if len(text) <= EXACT.prec and text[0] in DIGITS and "E" not in text:
        return text
    return format(EXACT.plus(value), "f")


def as_of_us(snapshot: Snapshot) -> int:
    """Return the instant of the snapshot in whole microseconds."""
    return epoch_micros(snapshot.as_of)
