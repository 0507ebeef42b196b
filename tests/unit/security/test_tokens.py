from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest

from adapters.security.key_ring import KeyRing
from adapters.security.tokens import (
    AUDIENCE,
    ISSUER,
    SCOPES,
    TokenKey,
    TokenRefusedError,
    Verifier,
)

NOW = datetime(2026, 12, 10, 14, tzinfo=UTC)


@dataclass
class Clock:
    instant: datetime = NOW

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return 0.0

    def advance(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    return KeyRing.load_or_create(tmp_path / "token.key")


def token(ring: KeyRing, clock: Clock, ttl_seconds: int = 60) -> bytes:
    return TokenKey(ring, clock).issue("credit-app", ["reviews", "privacy"], ttl_seconds).encode()


def test_a_token_speaks_for_its_subject(ring: KeyRing, clock: Clock) -> None:
    principal = Verifier(ring, clock).verify(token(ring, clock))

    assert principal.sub == "credit-app"
    assert principal.scopes == {"reviews", "privacy"}


def test_a_token_names_its_key_and_claims(ring: KeyRing, clock: Clock) -> None:
    made = token(ring, clock)

    assert jwt.get_unverified_header(made) == {"alg": "HS256", "kid": "1", "typ": "JWT"}
    claims = jwt.decode(made, options={"verify_signature": False})
    assert (claims["iss"], claims["aud"], claims["sub"]) == (ISSUER, AUDIENCE, "credit-app")
    assert claims["exp"] - claims["nbf"] == 60
    assert claims["nbf"] == int(NOW.timestamp())


def test_a_token_ends_in_time_also_when_it_is_known(ring: KeyRing, clock: Clock) -> None:
    verifier, made = Verifier(ring, clock), token(ring, clock)
    verifier.verify(made)

    clock.advance(64)
    verifier.verify(made)
    clock.advance(1)

    with pytest.raises(TokenRefusedError) as caught:
        verifier.verify(made)
    assert caught.value.expired
    assert verifier._cache == {}


def test_a_token_of_the_future_is_refused(ring: KeyRing, clock: Clock) -> None:
    made = token(ring, Clock(NOW + timedelta(seconds=6)))

    with pytest.raises(TokenRefusedError) as caught:
        Verifier(ring, clock).verify(made)
    assert not caught.value.expired


def test_a_known_token_is_not_decoded_again(
    ring: KeyRing, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier, made = Verifier(ring, clock), token(ring, clock)
    known = verifier.verify(made)
    monkeypatch.setattr(jwt, "decode", lambda *_, **__: pytest.fail("decoded again"))

    assert verifier.verify(made) is known


def test_the_cache_is_bounded(ring: KeyRing, clock: Clock) -> None:
    verifier = Verifier(ring, clock, cached_tokens_max=3)
    for seconds in range(60, 70):
        verifier.verify(token(ring, clock, seconds))

    assert len(verifier._cache) == 3


def test_refused_tokens_are_not_kept(ring: KeyRing, clock: Clock) -> None:
    verifier = Verifier(ring, clock)
    for text in (b"", b"a.b.c", b"x" * 5_000, b"\xff\xfe", token(ring, clock)[:-2]):
        with pytest.raises(TokenRefusedError):
            verifier.verify(text)

    assert verifier._cache == {}


def test_tokens_of_an_older_key_stay_good_after_a_rotation(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "token.key"
    old = KeyRing.load_or_create(path)
    made = token(old, clock)

    new = old.rotated(path)

    assert Verifier(new, clock).verify(made).sub == "credit-app"
    assert Verifier(new, clock).verify(token(new, clock)).sub == "credit-app"
    with pytest.raises(TokenRefusedError):
        Verifier(old, clock).verify(token(new, clock))


def test_a_key_file_of_another_folder_is_foreign(tmp_path: Path, clock: Clock) -> None:
    ours = TokenKey.load_or_create(tmp_path / "a.key", clock)
    theirs = TokenKey.load_or_create(tmp_path / "b.key", clock)

    with pytest.raises(TokenRefusedError):
        ours.verifier().verify(theirs.issue("credit-app", SCOPES).encode())


def test_a_refusal_says_nothing_about_the_token(ring: KeyRing, clock: Clock) -> None:
    with pytest.raises(TokenRefusedError) as caught:
        Verifier(ring, clock).verify(b"honeytoken.honeytoken.honeytoken")

    assert "honeytoken" not in repr(caught.value)
    assert caught.value.__suppress_context__


def test_a_key_made_without_a_clock_lives_in_real_time(tmp_path: Path) -> None:
    key = TokenKey.load_or_create(tmp_path / "token.key")

    assert key.verifier().verify(key.issue("credit-app", ()).encode()).scopes == frozenset()
