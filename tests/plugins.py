"""A pytest plugin, loaded before the settings (`-p` in pyproject.toml).

Tests get a data folder of their own, and properties no deadline: a busy machine is no failure. With LISTKEEPER_NO_SKIPS=1
a skipped test is a failed one, so that CI cannot be green by lacking things; a reason that begins with "only" is no lack
("only on PostgreSQL"), and such a test stays skipped.
"""

import os
import tempfile
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

# A short run tries the same each time, so that a change is not blamed for what it did not do; the long one looks further.
settings.register_profile(
    "patient", deadline=None, suppress_health_check=[HealthCheck.too_slow],
    derandomize=not os.environ.get("LISTKEEPER_LONG_TESTS"),
)  # fmt: skip
settings.load_profile("patient")

# The settings make the folder and its keys when they are read, and ./data may hold somebody's lists.
_data = tempfile.TemporaryDirectory(prefix="listkeeper-tests-")
os.environ.setdefault("LISTKEEPER_DATA", _data.name)


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not report.skipped or hasattr(report, "wasxfail") or not os.environ.get("LISTKEEPER_NO_SKIPS"):
        return
    reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
    reason = reason.removeprefix("Skipped: ")
    if not reason.startswith("only "):
        report.outcome = "failed"
        report.longrepr = f"skipped, and LISTKEEPER_NO_SKIPS is set: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Whole modules too: `pytest.importorskip` and `pytest.skip(allow_module_level=True)`."""
    report = yield
    _refuse_skip(report)
    return report
