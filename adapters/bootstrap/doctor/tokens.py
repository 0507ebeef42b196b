"""What the doctor finds of the issuer whose tokens are accepted, if that is another than ours."""

import asyncio
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from adapters.bootstrap.doctor.found import Found, fault, warned, well
from adapters.bootstrap.token_checks import STARTING_SECONDS, published
from adapters.security.jwks import read_keys
from adapters.settings import ServicesSettings
from domain.errors import TransientError
from domain.ports.time import Clock, Deadline

NAME: Final = "token keys"
#: Why a start does not go on without them.
NOBODY: Final = "without its keys nobody can be let in"
KINDS: Final = "RS256, ES256 or EdDSA, with a name, for signatures"


def token_keys(settings: ServicesSettings, clock: Clock) -> Iterator[Found]:
    """Yield what is found of the keys that the issuer publishes; they are fetched once."""
    document = published(settings, clock)
    if document is None:
        yield well(NAME, "tokens are signed with token.key of KEYS_DIR")
        return
    # The path of an address may hold what is not for everybody.
    place = urlsplit(settings.jwks_url).netloc
    try:
        keys, unused = read_keys(
            asyncio.run(document.fetch(Deadline.after(clock, STARTING_SECONDS)))
        )
    except TransientError as error:
        remedy = f"start it, or correct JWKS_URL; {NOBODY}"
        yield fault(NAME, f"{place}: {error}", remedy, TransientError)
        return
    yield well(NAME, f"{len(keys)} of {place}")
    if unused:
        yield warned(
            NAME, f"{unused} keys of {place} are of no use here", f"publish keys for {KINDS}"
        )
