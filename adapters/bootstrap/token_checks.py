"""
Who checks tokens: the shared key of the platform, or the published keys of another issuer.

With another issuer named, only its tokens are accepted. The platform's own key would be a second
way in, past whatever that issuer demands (a second factor, a withdrawal), for whoever reads a file.
"""

import asyncio
from typing import Final

from adapters.bootstrap.stores import Stores
from adapters.security.https_document import HttpsDocument
from adapters.security.jwks import JwksKeys
from adapters.security.jwks_verifier import JwksVerifier
from adapters.security.tokens import Accepted, TokenVerifier
from adapters.settings import ServicesSettings, ServingSettings
from adapters.system import SystemClock
from domain.ports.monitoring import Monitoring
from domain.ports.time import Clock, Deadline

STARTING_SECONDS: Final = 5.0
AGAIN_S: Final = 10.0


def published(settings: ServicesSettings, clock: Clock) -> HttpsDocument | None:
    """
    Return where the issuer of tokens publishes its keys; None where there is no other issuer.

    Raises:
        PermanentError: the address is none, or is not safe.
    """
    return HttpsDocument(settings.jwks_url, clock) if settings.jwks_url else None


async def token_verifier(
    stores: Stores, settings: ServingSettings, monitoring: Monitoring
) -> TokenVerifier:
    """
    Return who checks tokens; what renews its keys ends with the stores.

    Raises:
        TransientError: the issuer's keys cannot be had: nobody could be let in. In a rolling
            restart this process would take the place of one that still holds them.
    """
    # Tokens live in the time of the machine, whatever the data folder's clock shows.
    clock = SystemClock()
    document = published(settings, clock) if isinstance(settings, ServicesSettings) else None
    if document is None or not isinstance(settings, ServicesSettings):
        return stores.tokens.verifier()
    keys = JwksKeys(document.fetch, clock=clock, monitoring=monitoring)
    stores.opened.push_async_callback(keys.close)
    await keys.refresh(Deadline.after(clock, STARTING_SECONDS))
    task = asyncio.create_task(_kept_young(keys, monitoring), name="token keys")

    async def end() -> None:
        task.cancel()
        await asyncio.wait([task])

    stores.opened.push_async_callback(end)
    accepted = Accepted(settings.jwks_issuer, settings.jwks_audience)
    return JwksVerifier(keys, accepted, clock)


async def _kept_young(keys: JwksKeys, monitoring: Monitoring) -> None:
    never = asyncio.Event()
    while True:
        try:
            await keys.run(asyncio.sleep, never)
        except Exception as error:  # noqa: BLE001 - a fault here must not end the renewal
            monitoring.count("token_keys_failures", code=type(error).__name__)
            await asyncio.sleep(AGAIN_S)
