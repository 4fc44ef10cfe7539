"""The pytest plugin: the fixture `emu`, and resets before tests."""

from __future__ import annotations

from typing import Iterator, Optional

import pytest

from ._emu import Emu, connect
from ._errors import EmuError

OPTION = "emu_reset"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("emu", "a running emu")
    group.addoption("--emu-reset", action="store_true", default=False, help="reset emu before each test (as `emu_reset = true` in the ini file)")
    group.addoption("--emu-world", default=None, metavar="NAME", help="the World that the fixture `emu` is about; emu's only one unless given")
    parser.addini(OPTION, "reset emu before each test", type="bool", default=False)


def resets(config: pytest.Config) -> bool:
    """Whether emu is reset before each test."""
    return bool(config.getoption("--emu-reset")) or bool(config.getini(OPTION))


def pytest_configure(config: pytest.Config) -> None:
    # As pytest-xdist has it.
    workers = getattr(config.option, "numprocesses", None)
    if isinstance(workers, int) and workers > 1 and resets(config):
        raise pytest.UsageError(
            f"{OPTION}: {workers} workers share one emu, and each would reset it under the others. Leave out `-n`, or the reset."
        )


@pytest.fixture(scope="session")
def emu(pytestconfig: pytest.Config) -> Emu:
    """The emu that the tests run against: that of `emu exec -- pytest`."""
    world: Optional[str] = pytestconfig.getoption("--emu-world")
    client = connect(world=world)
    try:
        client.health()
    except EmuError as error:
        # Once and in a line, not as a traceback for every test.
        pytest.fail(str(error), pytrace=False)
    return client


@pytest.fixture
def emu_reset(emu: Emu) -> None:
    """Resets emu before the test; for single tests or modules by `pytest.mark.usefixtures("emu_reset")`."""
    emu.reset()


@pytest.fixture(autouse=True)
def _emu_reset_by_option(request: pytest.FixtureRequest) -> Iterator[None]:
    if resets(request.config):
        request.getfixturevalue("emu_reset")
    yield
