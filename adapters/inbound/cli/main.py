"""`creditctl`: builds the command line over what `adapters.bootstrap` wires."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import click

from adapters.inbound.cli import platform
from adapters.inbound.cli.customers import customer
from adapters.inbound.cli.database import db
from adapters.inbound.cli.decisions import decide, decision
from adapters.inbound.cli.events import events
from adapters.inbound.cli.failures import Failure, document_of, failure_of
from adapters.inbound.cli.operations import ops
from adapters.inbound.cli.output import print_document
from adapters.inbound.cli.policies import policy
from adapters.inbound.cli.policy_tools import TOOLS
from adapters.inbound.cli.quotes import quote
from adapters.inbound.cli.reviews import review
from adapters.inbound.cli.stores import stores
from adapters.inbound.cli.wiring import Wiring
from domain.errors import CreditError

COMMANDS: Final = (
    platform.up,
    platform.demo,
    platform.token,
    decide,
    decision,
    customer,
    quote,
    policy,
    events,
    review,
    db,
    stores,
    ops,
    platform.doctor,
)
WIDTH: Final = 100


class Root(click.Group):
    """Turns what is expected to fail into one sentence and an exit code, under `--json` too."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, noting first whether a program reads along."""
        with _told(as_json="--json" in args):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what it returns is the exit code."""
        with _told(as_json="--json" in ctx.args):
            code = super().invoke(ctx)
        ctx.exit(int(code or 0))

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the commands in the order of their use."""
        return list(self.commands)


def build_cli(wiring: Wiring) -> click.Group:
    """Return `creditctl`, working on what it is given."""
    settings = {"obj": wiring, "max_content_width": WIDTH, "help_option_names": ["-h", "--help"]}
    root = Root("creditctl", context_settings=settings, help=ABOUT)
    for command in COMMANDS:
        root.add_command(command)
    for tool in TOOLS:
        policy.add_command(tool)
    return root


@contextmanager
def _told(*, as_json: bool) -> Iterator[None]:
    try:
        yield
    except CreditError as error:
        raise _print_too(failure_of(error), as_json=as_json) from error
    except click.ClickException as error:
        raise _print_too(error, as_json=as_json) from None
    except OSError as error:
        # A reader that went away (`| head`) is no failure to tell anybody.
        if error.errno == errno.EPIPE:
            raise
        raise _print_too(_system(error), as_json=as_json) from error


def _system(error: OSError) -> Failure:
    place = f" ({error.filename})" if error.filename else ""
    return Failure(f"The system refuses it: {error.strerror or 'unknown'}{place}.", code="system")


def _print_too(error: click.ClickException, *, as_json: bool) -> click.ClickException:
    if as_json:
        print_document(document_of(error))
    return error


ABOUT: Final = """
Run the credit decision platform, and work with one that runs.

Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 found
something wrong, 2 bad usage, 3 not reachable, 4 refused.
"""
