"""What `make test` says at its end is what pytest counted."""

from collections import Counter
from pathlib import Path

import pytest

from tools import run_tests
from tools.run_tests import Result, Suite

REPORT = """<testsuites><testsuite>
<testcase name="a"/><testcase name="b"/>
<testcase name="c"><failure/></testcase>
<testcase name="d"><error/></testcase>
<testcase name="e"><skipped type="pytest.skip"/></testcase>
<testcase name="f"><skipped type="pytest.xfail"/></testcase>
</testsuite></testsuites>"""


def test_outcomes_are_counted_from_the_report(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(REPORT)

    assert run_tests.counts_of(report) == {
        "passed": 2, "failed": 1, "errors": 1, "skipped": 1, "xfailed": 1,
    }  # fmt: skip


def test_the_last_line_has_the_form_of_pytest(capsys: pytest.CaptureFixture[str]) -> None:
    counts = (Counter(passed=3, failed=1), Counter(passed=2, skipped=4), Counter[str]())
    run_tests.print_summary([Result(name="x", ok=True, seconds=1, counts=each) for each in counts])

    line = capsys.readouterr().out.splitlines()[-1]
    assert line.strip("= ") == "1 failed, 5 passed, 4 skipped in 3.00s"
    assert line.startswith("===")


def test_a_suite_without_a_folder_fails() -> None:
    nothing = Suite(name="nothing", folders=("tests/no-such-folder",), options=(), limit_s=1)

    assert not run_tests.run_suite(nothing).ok


def test_a_step_that_hangs_is_stopped() -> None:
    assert run_tests.run(["sleep", "60"], limit_s=0.05) == 1


def test_other_words_are_refused() -> None:
    assert run_tests.main(["some"]) == 2
