"""Another issuer of tokens is named wholly and safely, or not at all."""

from pathlib import Path
from typing import Any, Final, cast

import pytest

from adapters.bootstrap.doctor.services import malformed
from adapters.bootstrap.token_checks import published
from adapters.settings import TOGETHER, ServicesSettings
from domain.errors import InvalidInputError
from tests.unit.security.issuer import Clock

NEEDED: Final = {
    "MYSQL_URL": "mysql://u:p@h:3306/credit",
    "KEYS_MYSQL_URL": "mysql://u:p@h:3306/persons",
    "REDIS_URL": "redis://h",
    "KEYS_DIR": "/keys",
    "PROJECTIONS": "files",
}
ISSUER: Final = {
    "JWKS_URL": "https://issuer.example/keys",
    "JWKS_ISSUER": "https://issuer.example/",
    "JWKS_AUDIENCE": "https://api.example",
}


def settings(**changes: str) -> ServicesSettings:
    return ServicesSettings.from_environment(Path("data"), {}, {**NEEDED, **changes})


def test_all_three_name_an_issuer_and_none_names_none() -> None:
    found = settings(**ISSUER)
    document = published(found, cast("Any", Clock()))

    assert document is not None
    assert document.url == ISSUER["JWKS_URL"]
    assert (found.jwks_issuer, found.jwks_audience) == (
        ISSUER["JWKS_ISSUER"],
        ISSUER["JWKS_AUDIENCE"],
    )
    assert published(settings(), cast("Any", Clock())) is None
    assert published(settings(**dict.fromkeys(TOGETHER, "")), cast("Any", Clock())) is None
    assert [*malformed(found), *malformed(settings())] == []


@pytest.mark.parametrize("lacking", TOGETHER)
@pytest.mark.parametrize("alone", [True, False])
def test_a_part_of_them_is_refused(lacking: str, *, alone: bool) -> None:
    given = {name: value for name, value in ISSUER.items() if (name == lacking) is alone}
    with pytest.raises(InvalidInputError) as caught:
        settings(**given)

    named = {name for name in TOGETHER if name in str(caught.value)}
    assert named == set(TOGETHER) - set(given)


@pytest.mark.parametrize(
    "url", ["http://issuer.example/keys", "issuer.example", "https://user:secret@issuer.example/k"]
)
def test_an_address_that_is_not_safe_is_bad_usage_and_is_not_shown(url: str) -> None:
    (found,) = malformed(settings(**{**ISSUER, "JWKS_URL": url}))

    assert (found.ok, found.error) == (False, InvalidInputError)
    assert found.detail.startswith("JWKS_URL is")
    assert "secret" not in found.sentence()
