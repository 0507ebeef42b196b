"""Tokens of another issuer: who is believed, for how long, and what no attack achieves."""

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from adapters.security.jwks import JwksKeys, JwksLimits, read_keys
from adapters.security.jwks_verifier import JwksVerifier
from adapters.security.tokens import KeyNotKnownError, Principal, TokenRefusedError
from domain.errors import DeadlineExceededError, TransientError
from domain.ports.time import Deadline
from tests.contracts.opened import Counted
from tests.unit.security.issuer import (
    ACCEPTED,
    NOW,
    Clock,
    Issuer,
    jwk_of,
    private_key,
    signed,
)

KINDS = ("RS256", "ES256", "EdDSA")
NEVER = Deadline(float("inf"))


class Site:
    """A verifier of an issuer's tokens, on one clock."""

    def __init__(self, *keys: Any, limits: JwksLimits | None = None) -> None:
        self.clock, self.issuer, self.counted = Clock(), Issuer(list(keys)), Counted()
        self.keys = JwksKeys(
            self.issuer.fetch, clock=self.clock, monitoring=self.counted,
            limits=limits or JwksLimits(),
        )  # fmt: skip
        self.verifier = JwksVerifier(self.keys, ACCEPTED, self.clock, cached_tokens_max=10)

    async def admit(self, token: bytes, deadline: Deadline = NEVER) -> Principal:
        """What the gate of HTTP does."""
        try:
            return self.verifier.verify(token)
        except KeyNotKnownError:
            await self.verifier.learn(deadline)
            return self.verifier.verify(token)

    def admitted(self, token: bytes) -> Principal:
        return asyncio.run(self.admit(token))

    def refused(self, token: bytes) -> TokenRefusedError:
        with pytest.raises(TokenRefusedError) as caught:
            self.admitted(token)
        assert not isinstance(caught.value, KeyNotKnownError)
        return caught.value


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_of_each_kind_speaks_for_its_subject(kind: str) -> None:
    site = Site(jwk_of(kind, "a"))

    principal = site.admitted(signed(kind, "a"))

    assert principal == Principal("app", frozenset({"reviews", "privacy"}))


def test_keys_are_asked_for_once_and_a_known_token_is_not_decoded_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site, token = Site(jwk_of("ES256", "a")), signed("ES256", "a")
    known = site.admitted(token)
    monkeypatch.setattr(jwt, "decode", lambda *_, **__: pytest.fail("decoded again"))

    assert site.verifier.verify(token) is known
    assert site.issuer.asked == 1


def test_a_new_key_is_learned_when_a_token_names_it() -> None:
    site = Site(jwk_of("ES256", "a"))
    site.admitted(signed("ES256", "a"))
    site.issuer.keys.append(jwk_of("RS256", "b"))
    site.clock.advance(10)

    assert site.admitted(signed("RS256", "b")).sub == "app"
    assert site.admitted(signed("ES256", "a")).sub == "app"
    assert site.issuer.asked == 2


def test_a_key_that_was_taken_back_ends_its_tokens_also_the_known_ones() -> None:
    site, token = Site(jwk_of("ES256", "a"), jwk_of("RS256", "b")), signed("ES256", "a")
    site.admitted(token)
    site.issuer.keys.pop(0)
    site.clock.advance(10)
    asyncio.run(site.keys.refresh(NEVER))

    site.refused(token)
    assert site.admitted(signed("RS256", "b")).sub == "app"


def test_a_name_that_gets_another_key_ends_the_tokens_of_the_old_one() -> None:
    site, token = Site(jwk_of("ES256", "a")), signed("ES256", "a")
    site.admitted(token)
    site.issuer.keys[0] = jwk_of("ES256", "a", 1)
    site.clock.advance(10)
    asyncio.run(site.keys.refresh(NEVER))

    site.refused(token)
    assert site.admitted(signed("ES256", "a", 1)).sub == "app"


def test_invented_names_of_keys_cause_no_storm_of_questions() -> None:
    site = Site(jwk_of("ES256", "a"))
    site.admitted(signed("ES256", "a"))

    for second in range(30):
        site.clock.advance(1)
        site.refused(signed("ES256", f"invented-{second}"))

    assert site.issuer.asked == 1 + 3


def test_many_who_name_a_new_key_at_once_share_one_question() -> None:
    site = Site(jwk_of("ES256", "a"))

    async def crowd() -> list[Principal]:
        site.issuer.gate = asyncio.Event()
        waiting = [asyncio.create_task(site.admit(signed("ES256", "a"))) for _ in range(50)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
        site.issuer.gate.set()
        return await asyncio.gather(*waiting[1:])

    assert {each.sub for each in asyncio.run(crowd())} == {"app"}
    assert site.issuer.asked == 1


def test_who_waits_for_an_issuer_that_says_nothing_leaves_at_its_deadline() -> None:
    site = Site(jwk_of("ES256", "a"))

    async def scene() -> None:
        site.issuer.gate = asyncio.Event()
        with pytest.raises(DeadlineExceededError):
            await site.admit(signed("ES256", "a"), Deadline(site.clock.monotonic() + 1e-9))
        site.issuer.gate.set()
        assert (await site.admit(signed("ES256", "a"))).sub == "app"

    asyncio.run(scene())
    assert site.issuer.asked == 1


def test_an_issuer_that_is_away_is_outlived_until_the_keys_are_too_old() -> None:
    site, token = Site(jwk_of("ES256", "a")), signed("ES256", "a", exp=int(NOW.timestamp()) + 9_999)
    site.admitted(token)
    site.issuer.away = True

    site.clock.advance(3_599)
    assert site.verifier.verify(token).sub == "app"
    fresh = signed("ES256", "a", sub="other", exp=int(NOW.timestamp()) + 9_999)
    assert site.verifier.verify(fresh).sub == "other"
    site.clock.advance(1)

    for _ in range(3):
        with pytest.raises(TransientError):
            site.admitted(token)
    site.issuer.away = False
    site.clock.advance(10)
    assert site.admitted(token).sub == "app"


def test_an_unknown_key_of_an_issuer_that_is_away_is_no_proof_of_anything() -> None:
    site = Site(jwk_of("ES256", "a"))
    site.admitted(signed("ES256", "a"))
    site.issuer.away = True
    site.clock.advance(10)

    for _ in range(2):
        with pytest.raises(TransientError):
            site.admitted(signed("RS256", "b"))
    assert site.admitted(signed("ES256", "a")).sub == "app"
    assert site.issuer.asked == 2
    assert site.counted.counts["token_keys_failures"] == 1


def test_keys_are_kept_young_and_a_failure_is_tried_again_sooner() -> None:
    site, waits = Site(jwk_of("ES256", "a")), list[float]()

    async def scene() -> None:
        stop = asyncio.Event()

        async def sleep(seconds: float) -> None:
            waits.append(seconds)
            site.clock.advance(seconds)
            site.issuer.away = len(waits) in (1, 2)
            if len(waits) == 5:
                stop.set()

        await site.keys.run(sleep, stop)

    asyncio.run(scene())

    assert waits == [300, 10, 10, 300, 300]
    assert site.issuer.asked == 5


# --- attacks -------------------------------------------------------------------------------------


def forged(header: dict[str, Any], signature: Callable[[bytes], bytes]) -> bytes:
    claims = jwt.decode(signed("ES256", "a"), options={"verify_signature": False})
    parts = [json.dumps(each).encode() for each in (header, claims)]
    text = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    return text + b"." + base64.urlsafe_b64encode(signature(text)).rstrip(b"=")


@pytest.mark.parametrize("name", ["none", "None", "NONE"])
def test_a_token_without_a_signature_is_refused(name: str) -> None:
    site = Site(jwk_of("RS256", "a"))

    site.refused(forged({"alg": name, "kid": "a", "typ": "JWT"}, lambda _: b""))


@pytest.mark.parametrize("encoding", ["PEM", "DER"])
def test_a_public_key_is_no_shared_secret(encoding: str) -> None:
    site = Site(jwk_of("RS256", "a"))
    public = private_key("RS256").public_key()
    secret = public.public_bytes(
        getattr(serialization.Encoding, encoding), serialization.PublicFormat.SubjectPublicKeyInfo
    )
    algorithm = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)

    def sign(text: bytes) -> bytes:
        return algorithm.sign(text, secret)

    site.refused(forged({"alg": "HS256", "kid": "a", "typ": "JWT"}, sign))


def test_a_shared_secret_that_is_published_is_no_key() -> None:
    secret = b"s" * 32
    oct_key = {"kty": "oct", "kid": "s", "alg": "HS256", "k": base64.urlsafe_b64encode(secret)}
    site = Site(jwk_of("ES256", "a"), {**oct_key, "k": "c3Nzcw"})

    site.refused(jwt.encode({"sub": "app"}, secret, "HS256", headers={"kid": "s"}).encode())


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256"])
def test_a_key_is_for_its_own_algorithm_only(algorithm: str) -> None:
    site = Site(jwk_of("RS256", "a"))
    claims = jwt.decode(signed("ES256", "a"), options={"verify_signature": False})

    site.refused(jwt.encode(claims, private_key("RS256"), algorithm, headers={"kid": "a"}).encode())


def test_keys_in_the_token_itself_are_not_believed() -> None:
    site = Site(jwk_of("ES256", "a"))
    own = jwk_of("ES256", "a", 7)

    for header in (
        {"jwk": own}, {"jku": "https://evil.example/keys"}, {"x5u": "https://evil.example/x"},
        {"x5c": ["MIIB"]}, {"crit": ["exp"]},
    ):  # fmt: skip
        site.refused(signed("ES256", "a", 7, headers=header))
    assert site.issuer.asked == 1
    # A strange header by itself does no harm; one that must be understood does.
    assert site.admitted(signed("ES256", "a", headers={"jku": "https://evil.example"})).sub == "app"
    site.refused(signed("ES256", "a", headers={"crit": ["exp"]}))


def test_the_wrong_key_of_the_right_name_is_refused() -> None:
    site = Site(jwk_of("ES256", "a"), jwk_of("ES256", "b", 1))

    site.refused(signed("ES256", "a", 1))
    site.refused(signed("RS256", "a"))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example/"}, {"iss": None}, {"aud": "other"}, {"aud": None},
        {"sub": None}, {"sub": ""}, {"sub": 7}, {"exp": None}, {"exp": "9999999999"},
        {"exp": 1e18}, {"nbf": int(NOW.timestamp()) + 60}, {"nbf": "0"}, {"scope": ["reviews"]},
    ],
)  # fmt: skip
def test_claims_that_do_not_fit_are_refused(claims: dict[str, Any]) -> None:
    site = Site(jwk_of("EdDSA", "a"))

    assert not site.refused(signed("EdDSA", "a", **claims)).expired


def test_an_expired_token_is_told_apart() -> None:
    site = Site(jwk_of("EdDSA", "a"))

    assert site.refused(signed("EdDSA", "a", exp=int(NOW.timestamp()) - 6)).expired
    assert site.admitted(signed("EdDSA", "a", exp=int(NOW.timestamp()) - 4)).sub == "app"


@pytest.mark.parametrize("token", [b"", b"a.b.c", b"\xff.\xff.\xff", b"x" * 5_000])
def test_what_is_no_token_asks_nobody(token: bytes) -> None:
    site = Site(jwk_of("ES256", "a"))

    site.refused(token)
    assert site.issuer.asked == 0


def test_a_token_that_is_too_long_is_refused_unread() -> None:
    site = Site(jwk_of("ES256", "a"))

    site.refused(signed("ES256", "a", more="x" * 4_000))
    assert site.issuer.asked == 0


@pytest.mark.parametrize("kid", [7, None, ["a"], {"a": 1}])
def test_a_name_that_is_no_text_is_refused(kid: Any) -> None:
    site = Site(jwk_of("ES256", "a"))

    site.refused(forged({"alg": "ES256", "kid": kid, "typ": "JWT"}, lambda _: b"x" * 64))


# --- what is published ---------------------------------------------------------------------------


def published(*keys: Any) -> bytes:
    return json.dumps({"keys": list(keys)}).encode()


WEAK_KEY = rsa.generate_private_key(65537, 1024).public_key()  # noqa: S505  a test of just that
WEAK = jwt.algorithms.RSAAlgorithm.to_jwk(WEAK_KEY, as_dict=True)
P384 = jwt.algorithms.ECAlgorithm.to_jwk(
    ec.generate_private_key(ec.SECP384R1()).public_key(), as_dict=True
)


@pytest.mark.parametrize(
    "bad",
    [
        jwk_of("ES256", "b", use="enc"), jwk_of("ES256", "b", key_ops=["sign"]),
        jwk_of("ES256", "b", d="AAAA"), jwk_of("ES256", "b", alg="RS256"),
        jwk_of("RS256", "b", alg="PS256"), jwk_of("ES256", ""), jwk_of("ES256", "k" * 257),
        jwk_of("ES256", "b", x="AAAA"), jwk_of("ES256", "b", kty=7), jwk_of("ES256", "b", crv=[]),
        {**WEAK, "kid": "b"}, {**P384, "kid": "b"}, {"kid": "b"}, "b", None, 7,
    ],
)  # fmt: skip
def test_a_key_that_is_not_for_us_is_left_out_and_counted(bad: Any) -> None:
    keys, unused = read_keys(published(bad, jwk_of("ES256", "a")))

    assert list(keys) == ["a"]
    assert unused == 1


def test_a_key_may_leave_its_algorithm_and_use_unsaid() -> None:
    plain = {
        name: value
        for name, value in jwk_of("RS256", "a").items()
        if name in ("kty", "n", "e", "kid")
    }
    modern = jwk_of("EdDSA", "b", alg="Ed25519")

    keys, unused = read_keys(published(plain, modern))

    assert {kid: key.algorithm for kid, key in keys.items()} == {"a": "RS256", "b": "EdDSA"}
    assert unused == 0


def test_a_name_that_two_keys_bear_is_worth_nothing() -> None:
    keys, unused = read_keys(
        published(jwk_of("ES256", "a"), jwk_of("ES256", "a", 1), jwk_of("ES256", "b"))
    )

    assert list(keys) == ["b"]
    assert unused == 2


@pytest.mark.parametrize(
    "document",
    [b"", b"<html>", b"[]", b"{}", b'{"keys": 7}', b'{"keys": []}', published(WEAK),
     published(*[jwk_of("ES256", "a")] * 65)],
)  # fmt: skip
def test_what_is_no_set_of_keys_leaves_the_old_one_in_use(document: bytes) -> None:
    with pytest.raises(TransientError):
        read_keys(document)
