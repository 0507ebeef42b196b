"""
Ends of a process at named points, and what must be there when the platform is started again.

A wave of requests is on its way when the process dies by SIGKILL, or when the power is lost: then
the files are what was flushed, and of the rest whatever chance leaves. Afterwards every request is
sent again. What was answered before is there, once, with equal bytes; the rest is decided now.
"""

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Final

from tests.e2e.folder import Folder
from tests.e2e.load import PEOPLE, REFERRED, Load, purchase
from tests.e2e.platform import DiedError, Options, Platform, running, seed
from tests.integration.power_loss.disk import SURVIVALS

FILES: Final = ("truth", "stream", "keyspaces", "dynamodb")
MOMENTS: Final = ("begin", "before_commit", "after_commit")
STATEMENTS: Final = (
    "LockPersons", "ReadPersons", "ReadCustomers", "ReadReservations", "ReadContracts", "ReadKeys",
    "ReadRecent", "ReadOpenReviews", "ReadLoss", "InsertBatch", "InsertDecisions",
    "InsertReservations", "InsertOffers", "InsertOutbox", "InsertReviews", "CloseReview",
    "ReadKey", "ReadReviewsOf",
    "InsertKey", "DeleteOutbox", "LockProfiles", "ReadInbox", "ReadTransactions", "ReadMonth",
    "EnsurePersons", "WriteProfiles", "InsertTransactions", "MarkReversed", "InsertInbox",
    "InsertParked", "InsertIngestionBatch",
)  # fmt: skip
#: Before each statement of truth, and around each transaction of every file.
POINTS: Final = (
    *(f"{file}.{moment}" for file in FILES for moment in MOMENTS),
    *(f"truth.{statement}" for statement in STATEMENTS),
)
#: What the first start of a folder passes, up to the published policy.
FIRST_POINTS: Final = (
    "truth.begin", "truth.InsertBatch", "truth.before_commit", "truth.after_commit",
    "truth.ListPolicies", "truth.InsertArtifact", "truth.InsertPolicy",
)  # fmt: skip
#: A point is passed several times in a wave; the process dies at one of the first ones.
NTH_MAX: Final = 4
WAVES_MAX: Final = 20

Measured = Mapping[str, str | int | float | bool | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One way to end: where, at which time of passing it, and what survives of a loss of power."""

    point: str
    nth: int
    survival: str | None = None
    chance: int = 0
    pragmas: tuple[str, ...] = ()
    deaf: bool = False

    @property
    def options(self) -> Options:
        """How the process is started that is going to end."""
        lossy = self.survival is not None
        return Options(lossy=lossy, pragmas=self.pragmas, deaf=self.deaf)


def check_crash_points(points: Sequence[str], seed: int, book: Path | None = None) -> Measured:
    """
    Kill a process at each point and raise when anything that was answered is not there.

    `book` is a folder that `make_book` has made; None makes one.
    """
    return _check([_killed(point, seed) for point in points], book)


def check_power_loss(points: Sequence[str], seed: int, book: Path | None = None) -> Measured:
    """Lose the power at each point and raise when anything that was answered is not there."""
    return _check([_unpowered(point, seed) for point in points], book)


def check_ends(ends: Sequence[End], book: Path | None = None) -> Measured:
    """Check ends that are given one by one."""
    return _check(ends, book)


def check_first_start(points: Sequence[str], seed: int) -> Measured:
    """Kill and unpower the very first start at each point; afterwards the folder must work."""
    ends = [make(point, seed) for point in points for make in (_killed, _unpowered)]
    for end in ends:
        with tempfile.TemporaryDirectory(prefix="ends-") as temporary:
            asyncio.run(_first_start(replace(end, nth=1), Path(temporary)))
    return {"first starts": len(ends)}


def make_book(data: Path) -> None:
    """Make a data folder with people, a policy, and nothing decided."""
    asyncio.run(_make_book(data))


async def _make_book(data: Path) -> None:
    async with running(data) as platform:
        known = (event for each in (*PEOPLE, *REFERRED) for event in each.events())
        await seed(platform, (*known, purchase(-1)))
        await platform.stop()


async def passed_by_a_wave(data: Path) -> dict[str, int]:
    """Return how often each point is passed when nothing ends."""
    load = Load()
    async with running(data) as platform:
        await platform.command("arm", point="nowhere", nth=1)
        await load.wave(platform)
        await platform.command("settle")
        passed: dict[str, int] = await platform.command("passed")
        await platform.stop()
    return passed


def _killed(point: str, seed: int) -> End:
    return End(point=point, nth=Random(f"kill/{seed}/{point}").randint(1, NTH_MAX))


def _unpowered(point: str, seed: int) -> End:
    chance = Random(f"power/{seed}/{point}")
    return End(
        point=point,
        nth=chance.randint(1, NTH_MAX),
        survival=chance.choice(SURVIVALS),
        chance=chance.getrandbits(32),
    )


def _check(ends: Sequence[End], book: Path | None) -> Measured:
    answered = recorded = 0
    with tempfile.TemporaryDirectory(prefix="ends-") as temporary:
        root = Path(temporary)
        if book is None:
            book = root / "book"
            make_book(book)
        for number, end in enumerate(ends):
            load = asyncio.run(_ended(end, book, root / f"{number:03d}"))
            answered += load[0]
            recorded += load[1]
    return {"ends": len(ends), "answered before": answered, "decided in the end": recorded}


async def _ended(end: End, book: Path, root: Path) -> tuple[int, int]:
    """Live through an end and what comes after; return how much was answered before, and in all."""
    data = root / "data"
    shutil.copytree(book, data)
    load = Load()
    try:
        async with running(data, end.options) as platform:
            await _die(end, platform, load, root / "lost")
        answered = len(load.replies)
        left = _what_is_left(data, root / "lost") if end.survival else data
        await _go_on(left, load)
    except AssertionError as error:
        raise AssertionError(f"{end}: {error}") from error
    shutil.rmtree(root)
    return answered, len(load.replies)


async def _die(end: End, platform: Platform, load: Load, into: Path) -> None:
    # Something is answered in any case, wherever the end comes.
    await load.wave(platform)
    await platform.command(
        "arm",
        point=end.point,
        nth=end.nth,
        into=str(into),
        survival=end.survival,
        seed=end.chance,
    )
    death = asyncio.create_task(platform.until_killed())
    while not death.done() and load.waves < WAVES_MAX:
        await load.wave(platform)
    await death


def _what_is_left(data: Path, lost: Path) -> Path:
    """Add the files that no database wrote: those are flushed before their names are used."""
    for path in data.iterdir():
        if ".sqlite" in path.name:
            continue
        copy = shutil.copytree if path.is_dir() else shutil.copy2
        copy(path, lost / path.name)
    return lost


async def _first_start(end: End, root: Path) -> None:
    data = root / "data"
    armed = {"point": end.point, "nth": 1, "into": str(root / "lost")}
    armed |= {"survival": end.survival, "seed": end.chance}
    with suppress(DiedError):
        async with running(data, replace(end.options, armed=armed)) as platform:
            await platform.command("publish")
            raise AssertionError(f"{end}: the point was not passed")
    left = _what_is_left(data, root / "lost") if end.survival else data
    async with running(left) as platform:
        load = Load()
        await seed(platform, (event for each in (*PEOPLE, *REFERRED) for event in each.events()))
        await load.wave(platform)
        await platform.stop()
    assert len(load.replies) == len(load.acts), f"{end}: not everything was answered"
    assert not list(Folder(left).faults())


async def _go_on(data: Path, load: Load) -> None:
    async with running(data) as platform:
        await load.send_again(platform)
        settled = await platform.command("settle")
        await platform.stop()
    folder = Folder(data)
    assert settled["differing"] == 0, f"the stores disagree: {settled}"
    faults = list(folder.faults())
    assert not faults, faults
    assert folder.replies() == dict.fromkeys(load.replies.items(), 1)
    missing = load.accepted.keys() - folder.events()
    aside = Counter(load.accepted[event_id]["customer_id"] for event_id in missing)
    # Each wave tells one event that can only be set aside, and each is set aside once.
    assert aside <= folder.parked() <= Counter(set(folder.parked())), (aside, folder.parked())
