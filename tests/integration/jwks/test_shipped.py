"""The shipped program with another issuer's tokens: these and no others, from its start on."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from adapters.security.key_ring import KeyRing
from adapters.security.tokens import SCOPES, TokenKey
from tests.integration.doctor.running import started
from tests.integration.doctor.site import Shell
from tests.integration.jwks.test_fetch import Answer, serving
from tests.integration.jwks.test_fetch import Site as Issuer
from tests.integration.ledger_faults.processes import Site
from tests.services.provided import provided
from tests.services.server import HOST, free_ports
from tests.unit.security.issuer import AUDIENCE, ISSUER, jwk_of, signed

CREDITCTL: Final = Path(sys.executable).parent / "creditctl"
UP: Final = ("up", "--profile", "services", "--port", "0", "--metrics-port", "0")
AWAY: Final = 3


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with provided("mariadb", "redis") as servers:
        yield Site.made(
            tmp_path_factory.mktemp("jwks"),
            servers["mariadb"].settings["MYSQL_URL"],
            servers["redis"].settings["REDIS_URL"],
        )


@pytest.fixture
def keys() -> list[Any]:
    """What the issuer publishes, which a test may change."""
    return [jwk_of("ES256", "a")]


@pytest.fixture
def issuer(keys: list[Any]) -> Iterator[Issuer]:
    with serving(lambda _: (200, json.dumps({"keys": keys}).encode(), {})) as made:
        yield made


def settings(site: Site, url: str) -> dict[str, str]:
    return {
        **site.environment,
        "CREDITCTL_DATA": str(site.folder / "data"),
        "JWKS_URL": url,
        "JWKS_ISSUER": ISSUER,
        "JWKS_AUDIENCE": AUDIENCE,
    }


def token(kid: str = "a", **claims: Any) -> str:
    """A token of the issuer, good for an hour from now on."""
    now = int(datetime.now(UTC).timestamp())
    usual = {"iat": now, "exp": now + 3600, "scope": " ".join(SCOPES)}
    return signed("ES256", kid, **{**usual, **claims}).decode()


def asked(url: str, bearer: str) -> int:
    request = urllib.request.Request(
        f"{url}/v1/policies", headers={"Authorization": f"Bearer {bearer}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            status: int = answer.status
            return status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def own(site: Site) -> str:
    """A token of the platform's own key, which every process has in its folder."""
    return TokenKey(KeyRing.load_or_create(site.folder / "keys" / "token.key")).issue(
        "lender", SCOPES
    )


def test_only_tokens_of_the_issuer_are_accepted(site: Site, issuer: Issuer) -> None:
    environment = {**os.environ, **settings(site, issuer.url())}
    with started([CREDITCTL, *UP], environment) as (url, _):
        statuses = {
            "theirs": asked(url, token()),
            "ours": asked(url, own(site)),
            "another audience": asked(url, token(aud="https://other.example")),
            "another issuer": asked(url, token(iss="credit-platform")),
            "another key": asked(url, token("b")),
        }

    refused = dict.fromkeys(statuses, 401)
    assert statuses == {**refused, "theirs": 200}


def test_without_another_issuer_only_our_own_are(site: Site) -> None:
    named = settings(site, "")
    environment = {**os.environ, **named, "JWKS_ISSUER": "", "JWKS_AUDIENCE": ""}
    with started([CREDITCTL, *UP], environment) as (url, _):
        assert (asked(url, own(site)), asked(url, token())) == (200, 401)


def test_an_issuer_that_goes_away_later_stops_nobody(site: Site, keys: list[Any]) -> None:
    answers: list[Answer] = [(200, json.dumps({"keys": keys}).encode(), {})] * 2
    with serving(lambda _: answers.pop() if answers else (500, b"", {})) as issuer:
        environment = {**os.environ, **settings(site, issuer.url())}
        with started([CREDITCTL, *UP], environment) as (url, _):
            assert asked(url, token()) == 200
            # An unknown name makes it ask, in vain; what it has stays good.
            asked(url, token("b"))
            assert asked(url, token(sub="another")) == 200


def test_an_issuer_that_is_lost_between_the_look_and_the_start_refuses_it_too(
    site: Site, keys: list[Any]
) -> None:
    answers: list[Answer] = [(200, json.dumps({"keys": keys}).encode(), {})]
    with serving(lambda _: answers.pop() if answers else (500, b"", {})) as issuer:
        # In a process of its own: one that starts all the same would never end.
        up = subprocess.run(
            [CREDITCTL, *UP], env={**os.environ, **settings(site, issuer.url())},
            capture_output=True, timeout=60, check=False,
        )  # fmt: skip

    assert len(issuer.asked) == 2
    assert (up.returncode, b"answers 500" in up.stderr) == (AWAY, True)


def test_without_its_keys_a_start_is_refused_and_the_doctor_says_why(site: Site) -> None:
    (port,) = free_ports(1)
    shell = Shell(settings(site, f"http://{HOST}:{port}/keys"))

    assert_refused(shell, "is away")


@pytest.mark.parametrize(
    ("document", "words"),
    [(b"<html>", "is no key set"), (b'{"keys":[]}', "no key that may be used")],
)
def test_what_is_no_key_set_refuses_a_start(site: Site, document: bytes, words: str) -> None:
    with serving(lambda _: (200, document, {})) as issuer:
        assert_refused(Shell(settings(site, issuer.url())), words)


def test_the_doctor_fetches_the_keys_once_and_tells_of_those_of_no_use(
    site: Site, issuer: Issuer, keys: list[Any]
) -> None:
    shell = Shell(settings(site, issuer.url()))
    found = examined(shell, 0)
    assert [(each["level"], each["detail"]) for each in found] == [
        ("well", f"1 of {HOST}:{issuer.port}")
    ]
    assert len(issuer.asked) == 1

    keys.append({"kty": "oct", "kid": "c"})
    assert [each["level"] for each in examined(shell, 0)] == ["well", "warning"]


def assert_refused(shell: Shell, words: str) -> None:
    (found,) = examined(shell, 1)
    up = shell(*UP)

    assert found["level"] == "fault"
    assert words in found["detail"]
    assert "nobody can be let in" in found["remedy"]
    # It ends with the doctor's sentence, before anything is begun.
    assert up.stderr.startswith("Error: ")
    assert (up.exit_code, found["remedy"] in up.stderr) == (AWAY, True)


def examined(shell: Shell, code: int) -> list[Mapping[str, str]]:
    result = shell("doctor", "--profile", "services", "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == code, document
    return [each for each in document["checks"] if each["name"] == "token keys"]
