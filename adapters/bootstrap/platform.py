"""The whole platform in one process, over the stores of its profile."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from os import getpid
from typing import Final

from adapters.bootstrap.anchoring import Anchoring
from adapters.bootstrap.elsewhere import Elsewhere
from adapters.bootstrap.guards import GuardedStores, guarded_stores
from adapters.bootstrap.health import health
from adapters.bootstrap.ingestion import Ingestion, build_ingestion
from adapters.bootstrap.services_stores import open_services
from adapters.bootstrap.sharing_breakers import share_breakers
from adapters.bootstrap.shipped import iof_table
from adapters.bootstrap.stores import At, Stores, nowhere, open_stores
from adapters.bootstrap.warming import Warming
from adapters.inbound.http.use_cases import UseCases
from adapters.settings import EmbeddedSettings, ServicesSettings, ServingSettings
from adapters.streams.progress import CheckpointProgress
from decision_engine.customers import Customers
from decision_engine.decide import CreditApproval
from decision_engine.decisions import Decisions
from decision_engine.explain import Explain
from decision_engine.gather import Gather
from decision_engine.history import History
from decision_engine.hot_lists import HotLists
from decision_engine.loss_check import LossCheck
from decision_engine.loss_window import LossWindows
from decision_engine.policies import Policies
from decision_engine.policy_desk import PolicyDesk
from decision_engine.pricing.tables import IofTable
from decision_engine.quote import Quote, quote_reply
from decision_engine.record.anchors import AnchorKeeper
from decision_engine.record.lookup import KeyLookup
from decision_engine.record.writer import LedgerWriter
from decision_engine.replay import Replay
from decision_engine.review import Reviews
from decision_engine.rulebook import Rulebooks
from decision_engine.warm import CacheWarmer
from decision_engine.what_if import WhatIf
from domain.ports.monitoring import Monitoring
from domain.ports.storage import Cache
from domain.ports.time import Deadline
from ingestion.accept import AcceptEvents

LOADING_SECONDS: Final = 60.0
TZ_PACKAGE: Final = "tzdata"


def _unheard(_shard: str, _records: int) -> None:
    """Hear nothing of progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """The use cases of one process and the background work behind them."""

    stores: Stores
    approval: CreditApproval
    gather: Gather
    writer: LedgerWriter
    policies: Policies
    rulebooks: Rulebooks
    ingestion: Ingestion
    anchoring: Anchoring
    #: Where processes share a cache, which may be emptied under them; None where it is their own.
    warming: Warming | None
    use_cases: UseCases


@asynccontextmanager
async def running_core(
    settings: ServingSettings,
    monitoring: Monitoring,
    begin: datetime | None = None,
    progress: Callable[[str, int], None] = _unheard,
    at: At | None = None,
) -> AsyncIterator[Core]:
    """Open the folder, start its background work, and close everything at the end."""
    stores = await _open(settings, monitoring, begin, at or nowhere)
    try:
        core = await _build(stores, settings, monitoring, progress)
        core.ingestion.start()
        core.anchoring.start()
        if core.warming is not None:
            core.warming.start()
        try:
            yield core
        finally:
            if core.warming is not None:
                await core.warming.stop()
            await core.gather.close()
            await core.writer.stop()
            await core.ingestion.stop()
            await core.anchoring.stop()
    finally:
        await stores.close()


async def _open(
    settings: ServingSettings, monitoring: Monitoring, begin: datetime | None, at: At
) -> Stores:
    if isinstance(settings, ServicesSettings):
        return await open_services(settings, monitoring, begin, at)
    if isinstance(settings, EmbeddedSettings):
        return await open_stores(settings, begin, at)
    raise TypeError(f"no profile has {type(settings).__name__}")


async def _build(
    stores: Stores,
    settings: ServingSettings,
    monitoring: Monitoring,
    progress: Callable[[str, int], None],
) -> Core:
    ingestion = build_ingestion(stores, settings, monitoring, progress)
    rulebooks = Rulebooks.empty(version(TZ_PACKAGE))
    policies = Policies(stores.truth.api, rulebooks, stores.clock)
    await policies.load(Deadline.after(stores.clock, LOADING_SECONDS))
    guarded = guarded_stores(stores, monitoring, settings.breaker_pause_s)
    share_breakers(stores, settings, guarded.breakers, monitoring)
    gather = Gather(guarded.tiers, stores.clock, monitoring)
    writer = _writer(stores, settings, monitoring, ingestion.committed.set)
    await writer.start()
    approval = CreditApproval(
        gather=gather,
        rulebooks=rulebooks,
        writer=writer,
        lookup=KeyLookup(stores.truth.api, stores.clock),
        losses=LossCheck(
            truth=stores.truth.api,
            hot=guarded.tiers.hot_reader,
            history=guarded.history,
            progress=CheckpointProgress(stores.stream),
            clock=stores.clock,
            monitoring=monitoring,
        ),
        clock=stores.clock,
        monitoring=monitoring,
    )
    return Core(
        stores=stores,
        approval=approval,
        gather=gather,
        writer=writer,
        policies=policies,
        rulebooks=rulebooks,
        ingestion=ingestion,
        anchoring=Anchoring(
            AnchorKeeper(stores.truth.api, stores.anchors, stores.clock, monitoring),
            monitoring,
            asyncio.sleep,
        ),
        warming=_warming(stores, guarded.tiers.cache, gather, monitoring),
        use_cases=_use_cases(stores, approval, policies, guarded),
    )


def _warming(
    stores: Stores, cache: Cache, gather: Gather, monitoring: Monitoring
) -> Warming | None:
    if stores.buckets is None:
        return None
    warmer = CacheWarmer(cache, gather, stores.truth.lists, stores.clock, monitoring, asyncio.sleep)
    return Warming(warmer, stores.chance, monitoring)


def _writer(
    stores: Stores, settings: ServingSettings, monitoring: Monitoring, committed: Callable[[], None]
) -> LedgerWriter:
    return LedgerWriter(
        truth=stores.truth.ledger,
        clock=stores.clock,
        ids=stores.ids,
        chance=stores.chance,
        monitoring=monitoring,
        note=f"{settings.profile} {version('credit-platform')} process {getpid()}",
        committed=committed,
        second=stores.truth.second,
        beside=stores.truth.beside,
    )


def _use_cases(
    stores: Stores,
    approval: CreditApproval,
    policies: Policies,
    guarded: GuardedStores,
) -> UseCases:
    gather, rulebooks = approval.gather, approval.rulebooks
    # What else these read or write goes to the writer: it is no list.
    lists = stores.truth.lists
    decisions = Decisions(lists, rulebooks)
    reviews = Reviews(lists, approval, stores.clock, stores.ids)
    hot = HotLists(stores.dynamodb.queries())
    windows = LossWindows(lists, approval.losses, stores.clock, stores.ids)
    history = History(lists, guarded.history, stores.clock, guarded.monitoring)
    customers = Customers(gather, history, rulebooks, stores.clock)
    replay = Replay(stores.truth.api, rulebooks)

    async def replayed(decision_id: str, deadline: Deadline) -> dict[str, object]:
        return (await replay(decision_id, deadline)).canonical()

    desk = PolicyDesk(stores.truth.api, rulebooks, stores.clock, Elsewhere())
    quote = Quote(IofTable.parse(iof_table()))

    return UseCases(
        decide=approval,
        what_if=WhatIf(gather, rulebooks, stores.clock),
        quote=lambda body: quote_reply(quote(body)),
        read_decision=decisions.read,
        list_decisions=decisions.page,
        explain=Explain(stores.truth.api, rulebooks),
        replay=replayed,
        request_review=reviews.request,
        list_reviews=reviews.page,
        close_review=reviews.close,
        read_customer=customers.read,
        list_transactions=customers.transactions,
        accept_events=AcceptEvents(stores.stream, stores.vault),
        list_policies=policies.listed,
        show_policy=policies.show,
        check_policy=desk.check,
        simulate_policy=desk.simulate,
        diff_policy=desk.diff,
        open_loss_window=windows.open,
        list_loss_windows=windows.page,
        release_loss_window=windows.release,
        list_hot_by_type=hot.of_type,
        list_hot_by_status=hot.of_status,
        health=lambda: health(stores, rulebooks, guarded.breakers),
    )
