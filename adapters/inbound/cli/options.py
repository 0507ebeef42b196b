"""Options that many commands share, and what they become."""

from collections.abc import Callable
from datetime import date
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import click

from adapters.inbound.cli.client import Api, base_of, check_key, check_token
from adapters.inbound.cli.failures import BadUsage
from adapters.inbound.cli.output import Output
from adapters.inbound.cli.wiring import Wiring
from adapters.security.tokens import SCOPES
from adapters.system import SystemClock, SystemIds
from domain.errors import CreditError, InvalidInputError
from domain.instants import parse_date
from domain.money import MONEY_TEXT

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])

SUBJECT: Final = "creditctl"
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
DEADLINE_MS: Final = 5000
WITHOUT: Final = "No token: give --token, set CREDITCTL_TOKEN, or name a data folder by --data."

FOLDER: Final = click.Path(path_type=Path, file_okay=False)
FILE: Final = click.Path(path_type=Path, exists=True, dir_okay=False)
#: A file, or standard input by the name "-".
STREAM: Final = click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True)


class MoneyParam(click.ParamType[str]):
    """Money with a point, `20000.00`, or whole reais, `20000`."""

    name = "money"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text of the contract."""
        text = f"{value}.00" if str(value).isdigit() else str(value)
        if MONEY_TEXT.fullmatch(text) is None:
            self.fail("money is written like 20000.00 or 20000.", param, ctx)
        return text


class DayParam(click.ParamType[date]):
    """A day of the calendar."""

    name = "yyyy-mm-dd"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the day."""
        try:
            return parse_date(value)
        except InvalidInputError:
            self.fail("a day is written like 2026-12-10.", param, ctx)


MONEY: Final = MoneyParam()
DAY: Final = DayParam()


def _output(_ctx: click.Context, _param: click.Parameter, value: bool) -> Output:  # noqa: FBT001 - click gives it by position
    return Output(value)


def _key(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str:
    if value is not None:
        return check_key(value)
    key = f"creditctl-{SystemIds().uuid7(SystemClock().now())}"
    click.echo(f"Idempotency key: {key}", err=True)
    return key


json_option: Final = click.option(
    "--json",
    "output",
    is_flag=True,
    callback=_output,
    help="Print one JSON document on standard output, and nothing else.",
)

data_option: Final = click.option(
    "--data",
    type=FOLDER,
    help="The data folder (else CREDITCTL_DATA, else the one in your home).",
)

language_option: Final = click.option(
    "--language",
    type=click.Choice(["en", "pt-BR"]),
    default="en",
    show_default=True,
    help="The language of reason texts.",
)

key_option: Final = click.option(
    "--idempotency-key",
    "key",
    callback=_key,
    help="The same key and request give the same reply; made and told when it is not given.",
)


def page_options(function: AnyFunction) -> AnyFunction:
    """Add `--limit` and `--cursor`."""
    limit = click.option(
        "--limit", type=click.IntRange(1, 200), default=50, show_default=True, help="Page size."
    )
    cursor = click.option("--cursor", help="Where the page begins: next_cursor of the one before.")
    return limit(cursor(function))


def with_api(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a connection; the command gets an `api` in their place."""

    @click.option("--url", help="Address of the platform (else CREDITCTL_URL, else this machine).")
    @click.option("--token", help="Bearer token; better in CREDITCTL_TOKEN, which no list shows.")
    @click.option("--data", type=FOLDER, help="Make a token with the key of this data folder.")
    @click.option(
        "--deadline-ms",
        type=click.IntRange(50, 10_000),
        default=DEADLINE_MS,
        show_default=True,
        help="How long a request may take.",
    )
    @wraps(function)
    def command(*, url: str | None, deadline_ms: int, **rest: Any) -> Any:
        wiring = wiring_of()
        base = base_of(url or wiring.default_url())
        token, data = rest.pop("token"), rest.pop("data")
        held = check_token(token or _token(wiring, data, base))
        return function(api=Api(base=base, token=held, deadline_ms=deadline_ms), **rest)

    return command


def wiring_of() -> Wiring:
    """Return what `build_cli` was given."""
    wiring: Wiring = click.get_current_context().obj
    return wiring


def folder(data: Path | None) -> Path:
    """Return the data folder meant."""
    return (data or wiring_of().default_data()).expanduser()


def _token(wiring: Wiring, data: Path | None, base: str) -> str:
    if data is not None:
        return wiring.issue_token(folder(data), SCOPES, SUBJECT)
    # A token made here opens this machine's platform, so it never goes to another one unasked.
    local = urlsplit(base).hostname in LOOPBACK
    held = wiring.default_token()
    if held is None and not local:
        raise BadUsage(WITHOUT)
    try:
        return held or wiring.issue_token(folder(None), SCOPES, SUBJECT)
    except CreditError as error:
        raise BadUsage(WITHOUT) from error
