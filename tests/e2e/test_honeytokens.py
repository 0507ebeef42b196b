"""
What people are called, where they live and when they were born stays sealed.

Made-up persons go through success, every refusal, poison, bugs and crashes. Nothing of them may be
found in answers, addresses, metrics, logs, or any byte of the data folder.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from adapters.security.key_ring import KeyRing
from adapters.security.key_vault import SqliteKeyVault
from adapters.system import SystemClock
from domain.ports.time import Deadline
from tests.e2e.folder import Folder
from tests.e2e.honey import Honey, Witness, leaks
from tests.e2e.people import Customer, Envelope, application
from tests.e2e.platform import OK, running

INTERNAL = 500
#: A CPF with a wrong digit, and a good one badly written.
BAD = {"529.982.247-26", "52998224726", "529 982 247 25"}
EVENTS = "/v1/events"
DECISIONS = "/v1/credit-decisions"


def told(customer_id: str, identity: object, **changes: Any) -> Envelope:
    """Return an event about an identity, with fields of the envelope replaced."""
    data = {"identity": identity}
    event = Customer(customer_id=customer_id).event("crm", 1, "customer.profile_updated", data)
    return event | changes


def honest(scene: Callable[[Witness, Honey], Awaitable[None]], data: Path, number: int) -> Witness:
    """Play a scene on a platform and raise when anything of its person is found anywhere."""
    honey = Honey(number)

    async def play() -> Witness:
        async with running(data) as platform:
            witness = Witness(platform)
            await scene(witness, honey)
            await platform.command("settle")
            await witness.metrics()
            found = leaks(witness.everything(data), honey.tokens() | BAD)
            await platform.stop()
        assert found == []
        return witness

    witness = asyncio.run(play())
    assert leaks(witness.everything(data), honey.tokens() | BAD) == []
    return witness


def test_a_told_identity_is_sealed_everywhere(data: Path) -> None:
    async def scene(witness: Witness, honey: Honey) -> None:
        customer = Customer(customer_id="c-honey", identity=honey.identity())
        results = await witness.events(*customer.events())
        assert {each["status"] for each in results} == {"accepted"}
        await witness.platform.command("settle")
        decided = await witness.send(
            "POST", DECISIONS, application("c-honey"), Idempotency_Key="honey"
        )
        assert decided.document["outcome"] == "APPROVED"
        links = decided.document["links"]
        await witness.send("POST", links["review"], {}, Idempotency_Key="review")
        for path in (
            links["self"],
            links["explanation"],
            f"{DECISIONS}?customer_id=c-honey",
            "/v1/customers/c-honey",
            "/v1/customers/c-honey/transactions",
            "/v1/reviews",
        ):
            assert (await witness.send("GET", path)).status == OK

    witness = honest(scene, data, 1)

    # The search finds what may be there, so it would find the rest.
    visible = leaks(witness.everything(data), {"c-honey"})
    assert {place.rpartition(" in ")[2] for place in visible} >= {
        "truth.sqlite", "stream.sqlite", "keyspaces.sqlite", "dynamodb.sqlite",
    }  # fmt: skip
    assert asyncio.run(_opened(data)) == {**Honey(1).identity(), "cpf": "52998224725"}


def test_a_refused_identity_is_not_echoed(data: Path) -> None:
    async def scene(witness: Witness, honey: Honey) -> None:
        identity = honey.identity()
        bad = [told("c-bad", each) for each in _bad_identities(identity)]
        bad += [told("c-bad", identity) | each for each in _bad_envelopes(identity)]
        for event in bad:
            answer = await witness.send("POST", EVENTS, {"events": [event]})
            refused = [each["status"] for each in answer.document.get("results", ())] == ["refused"]
            assert refused or OK < answer.status < INTERNAL, (event, answer)

    honest(scene, data, 2)

    assert Folder(data).rows("SELECT count(*) FROM customers WHERE customer_id = 'c-bad'") == [(0,)]


def test_a_refused_request_is_not_echoed(data: Path) -> None:
    async def scene(witness: Witness, honey: Honey) -> None:
        for path, body, headers in _bad_requests(honey.identity()):
            answer = await witness.send("POST", path, body, Idempotency_Key="key", **headers)
            assert 400 <= answer.status < INTERNAL, (path, body, answer)
        for path in _bad_paths(honey.identity()):
            answer = await witness.send("GET", path)
            assert 400 <= answer.status < INTERNAL, (path, answer)

    honest(scene, data, 3)


def test_poison_is_set_aside_sealed(data: Path) -> None:
    async def scene(witness: Witness, honey: Honey) -> None:
        first = told("c-poison", {"name": "Someone Else"})
        rival = told("c-poison", honey.identity(), event_id=first["event_id"][:-4] + "beef")
        for event in (first, rival):
            (result,) = await witness.events(event)
            assert result["status"] == "accepted"
        await witness.platform.command("settle")

    honest(scene, data, 4)

    assert Folder(data).parked() == {"c-poison": 1}


def test_a_record_in_clear_goes_no_further_than_the_stream_it_came_by(data: Path) -> None:
    honey = Honey(5)
    poison = json.dumps({"type": "customer.profile_updated", "data": honey.identity()})

    async def run() -> Witness:
        async with running(data) as platform:
            witness = Witness(platform)
            await platform.command("fault", kind="raw_record", text=poison)
            await platform.command("settle")
            await witness.metrics()
            await platform.stop()
        return witness

    places = asyncio.run(run()).everything(data)

    found = leaks(places, honey.tokens())
    # It was put there in clear by somebody else, which shows that the search would find it.
    assert {place.rpartition(" in ")[2] for place in found} == {"stream.sqlite"}
    assert Folder(data).parked() == {"c-raw": 1}


@pytest.mark.parametrize(
    "kind", ["accepting", "deciding", "handling", "thread", "task", "unraisable"]
)
def test_a_bug_does_not_tell_what_it_met(data: Path, kind: str) -> None:
    async def scene(witness: Witness, honey: Honey) -> None:
        text = " ".join(sorted(honey.tokens()))
        await witness.platform.command("fault", kind=kind, text=text)
        event = told("c-bug", honey.identity())
        accepted = await witness.send("POST", EVENTS, {"events": [event]})
        decided = await witness.send(
            "POST", DECISIONS, application("c-0"), Idempotency_Key=f"bug-{kind}"
        )
        assert (accepted.status == INTERNAL) == (kind == "accepting")
        assert (decided.status == INTERNAL) == (kind == "deciding")
        await witness.platform.command("mend")

    witness = honest(scene, data, 6)

    if kind != "handling":
        assert b"RuntimeError" in witness.platform.stderr.read_bytes()


@pytest.mark.parametrize(
    "point",
    ["stream.before_commit", "truth.WriteProfiles", "truth.InsertParked", "truth.after_commit"],
)
def test_a_crash_leaves_nothing_behind(data: Path, point: str) -> None:
    honey = Honey(7)

    async def run() -> dict[str, bytes]:
        async with running(data) as platform:
            witness = Witness(platform)
            await platform.command("arm", point=point, nth=1)
            death = asyncio.create_task(platform.until_killed())
            first = told("c-crash", honey.identity())
            rival = told(
                "c-crash",
                honey.identity() | {"phone": "00000000"},
                event_id=first["event_id"][:-4] + "beef",
            )
            with suppress(aiohttp.ClientError):
                await witness.events(first, rival)
            await death
        return witness.everything(data)

    places = asyncio.run(run())

    assert leaks(places, honey.tokens()) == []
    assert any(name.endswith("-wal") for name in places)


async def _opened(data: Path) -> dict[str, str]:
    """Return the identity that truth holds sealed, opened with the folder's own keys."""
    ((profile, person_id),) = Folder(data).rows(
        "SELECT profile, person_id FROM customers WHERE customer_id = 'c-honey'"
    )
    slots = json.loads(profile)["slots"]
    sealed = next(slot for name, slot in slots.items() if name.startswith("identity/"))
    vault = SqliteKeyVault(
        data / "person-keys.sqlite",
        kek=KeyRing.load_or_create(data / "wrapping.key"),
        index=KeyRing.load_or_create(data / "index.key"),
        clock=SystemClock(),
    )
    try:
        return {
            field: await vault.open(person_id, field, text, Deadline(float("inf")))
            for field, text in _fields(sealed).items()
        }
    finally:
        vault.close()


def _fields(slot: Any) -> dict[str, str]:
    fields = slot["data"] if isinstance(slot, dict) else slot[-1]
    return {name: text for name, text in fields.items() if name != "cpf_index"}


def _bad_identities(identity: dict[str, str]) -> list[Any]:
    wrong = [{**identity, "cpf": bad} for bad in (*sorted(BAD), 52998224725, "")]
    wrong += [{**identity, name: [text]} for name, text in identity.items()]
    wrong += [{**identity, name: {text: text}} for name, text in identity.items()]
    wrong += [{**identity, name: text + "\x00"} for name, text in identity.items()]
    wrong += [{**identity, name: text * 99} for name, text in identity.items()]
    wrong += [{**identity, "mother": identity["name"]}, {**identity, identity["name"]: "x"}]
    # More than an envelope may hold.
    wrong += [{**identity, "name": identity["name"] * 4_000}]
    return [*wrong, [identity], list(identity.values()), identity["name"], {}]


def _bad_envelopes(identity: dict[str, str]) -> list[dict[str, Any]]:
    name = identity["name"]
    fields = ("event_id", "source", "stream_id", "customer_id", "type", "occurred_at", "trace")
    changes: list[dict[str, Any]] = [{field: name} for field in fields]
    changes += [{"source_version": name}, {"schema_version": identity["cpf"]}]
    return [*changes, {name: name}, {"data": {name: identity}}, {"data": name}]


def _bad_requests(identity: dict[str, str]) -> list[tuple[str, Any, dict[str, str]]]:
    name, text = identity["name"], json.dumps({"events": [told("c-bad", identity)]})
    asked = application("c-0")
    bodies: list[Any] = [
        text[:-1].encode(),
        text.replace('"events"', '"events": [], "events"').encode(),
        text.encode() + b" " * (1 << 20),
        text.encode().replace(b"Rua", b"\xff"),
        ("[" * 99 + json.dumps(name)).encode(),
        json.dumps([identity]).encode(),
        json.dumps({"events": identity}).encode(),
        json.dumps({"events": [name] * 501}).encode(),
        json.dumps({"events": [], name: name}).encode(),
    ]
    wrong: list[Any] = [{**asked, field: name} for field in asked]
    wrong += [{**asked, name: name}, {**asked, "cpf": identity["cpf"]}, {**asked, **identity}]
    wrong += [{**asked, field: name} for field in ("channel", "external_reference", "iof")]
    requests: list[tuple[str, Any, dict[str, str]]] = [(EVENTS, body, {}) for body in bodies]
    requests += [(DECISIONS, body, {}) for body in wrong]
    requests += [("/v1/quotes", {**asked, "amount": name}, {})]
    email = identity["email"]
    headers = (
        {"Authorization": f"Bearer {email}"},
        {"Authorization": email},
        {"Content_Type": email},
        {"Deadline_Ms": email},
        {"Accept": email},
    )
    return [*requests, *((DECISIONS, asked, each) for each in headers)]


def _bad_paths(identity: dict[str, str]) -> list[str]:
    email, digits = identity["email"], "52998224725"
    return [
        f"/v1/customers/{email}",
        f"/v1/customers/{digits}",
        f"/v1/customers/c-0?name={email}",
        f"/v1/{email}",
        f"{DECISIONS}/{email}",
        f"{DECISIONS}?outcome={email}",
        f"{DECISIONS}?cursor={email}",
        f"{DECISIONS}?from={email}",
    ]
