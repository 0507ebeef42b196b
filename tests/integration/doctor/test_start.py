"""What a start goes on with and says so: warnings, a cache that is away, files of the process."""

import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from adapters.bootstrap.doctor.database import _settings as database_settings
from adapters.bootstrap.doctor.start import FILES, refuse_half_configured
from adapters.settings import ServicesSettings
from adapters.system import SystemClock
from tests.integration.doctor.faults import WARNINGS, WITHOUT, Wrong
from tests.integration.doctor.running import started
from tests.integration.doctor.site import SECRET, Shell, Site
from tests.integration.doctor.test_faults import shell_with
from tests.services.server import HOST, free_ports

CREDITCTL = Path(sys.executable).parent / "creditctl"


@pytest.mark.parametrize("name", WARNINGS)
def test_a_warning_is_no_fault_and_a_start_repeats_it(site: Site, name: str) -> None:
    wrong = WARNINGS[name]
    with wrong.making(site) as changes:
        shell = shell_with(site, changes)
        found = shell.doctor(0)
        lines = told(site, shell)

    assert_told(wrong, found, lines, "warning")


@pytest.mark.parametrize("name", WITHOUT)
def test_a_cache_that_is_away_is_a_fault_that_stops_no_start(site: Site, name: str) -> None:
    wrong = WITHOUT[name]
    with wrong.making(site) as changes:
        shell = shell_with(site, changes)
        found = shell.doctor(1)
        lines = told(site, shell)

    assert_told(wrong, found, lines, "fault")


def test_a_start_says_what_is_still_a_file_and_that_it_has_no_cache(site: Site) -> None:
    redis = f"redis://:{SECRET}@{HOST}:{free_ports(1)[0]}/0"
    environment = {**os.environ, **site.settings, "REDIS_URL": redis}
    words = ("up", "--profile", "services", "--port", "0", "--metrics-port", "0")

    with started([CREDITCTL, *words], environment) as (_, said):
        pass

    assert said[0] == FILES
    assert any(line.startswith("Warning: Redis at ") for line in said)
    assert SECRET not in "".join(said)
    # Made at the first start, for packs.
    assert (site.keys / "signing.key").exists()


def test_a_port_that_is_taken_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as held:
        port = held.getsockname()[1]
        up = Shell({})("up", "--data", str(tmp_path / "d"), "--port", str(port))

    assert up.exit_code == 2
    assert up.stderr == (
        f"Error: Something listens on port {port} already: name another one by --port.\n"
    )


def test_statements_in_the_log_of_the_server_are_a_fault() -> None:
    held = {"log_bin": "ON", "binlog_format": "STATEMENT", "innodb_flush_log_at_trx_commit": "1"}
    # The log itself is switched on only where a server starts.
    unused: Any = None

    first, *_ = database_settings(unused, held, SystemClock())
    well = [*database_settings(unused, {**held, "log_bin": "OFF"}, SystemClock())]

    assert (first.ok, "binlog_format = 'ROW'" in first.remedy) == (False, True)
    assert [each.ok for each in well] == [True]


def told(site: Site, shell: Shell) -> list[str]:
    settings = ServicesSettings.from_environment(site.folder / "data", {}, shell.settings)
    return refuse_half_configured(settings, SystemClock())


def assert_told(wrong: Wrong, found: list[dict[str, Any]], lines: list[str], level: str) -> None:
    (named,) = [each for each in found if each["name"] != "ports"]
    assert (named["name"], named["level"]) == (wrong.check, level)
    assert wrong.words in named["detail"]
    assert wrong.remedy in named["remedy"]
    assert lines == [FILES, f"Warning: {named['detail']}: {named['remedy']}."]
    assert SECRET not in "".join(lines)
