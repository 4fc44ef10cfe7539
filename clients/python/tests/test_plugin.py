"""The pytest plugin, in test runs of its own."""

import pytest

TWO_TESTS = """
    import urllib.request, os, json

    def sign_up():
        body, headers = json.dumps({"email": "ada@example.com"}).encode(), {"content-type": "application/json"}
        urllib.request.urlopen(urllib.request.Request(os.environ["EMU_URL"] + "/members", body, headers))

    def test_first(emu):
        sign_up()
        emu.wait_for_idle()
        assert len(emu.inbox()) >= 2

    def test_second(emu):
        assert len(emu.inbox()) == LEFT
"""


def two_tests(left: int) -> str:
    return TWO_TESTS.replace("LEFT", str(left))


@pytest.mark.usefixtures("emu_reset")
def test_the_option_resets_before_each_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(two_tests(0))
    pytester.makeini("[pytest]\nemu_reset = true")
    pytester.runpytest_subprocess().assert_outcomes(passed=2)


@pytest.mark.usefixtures("emu_reset")
def test_without_the_option_nothing_is_reset(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(two_tests(2))
    pytester.runpytest_subprocess().assert_outcomes(passed=2)


@pytest.mark.usefixtures("emu_reset")
def test_the_flag_resets_too_and_the_world_is_carried(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(two_tests(0))
    pytester.runpytest_subprocess("--emu-reset", "--emu-world=default").assert_outcomes(passed=2)
    result = pytester.runpytest_subprocess("--emu-world=branch")
    result.stdout.fnmatch_lines(["*there is no World `branch`; this emu has one, `default`*"])


def test_without_an_emu_each_test_says_so_in_a_line(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EMU_ADMIN_URL")
    pytester.makepyfile("def test_one(emu): pass\ndef test_two(): pass")
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["EMU_ADMIN_URL is not set, so there is no emu to ask: run your tests under `emu exec -- COMMAND`*"])
    assert "Traceback" not in result.stdout.str() and "_connection.py" not in result.stdout.str()


def test_parallel_workers_may_not_reset_what_they_share(pytester: pytest.Pytester) -> None:
    # Stands for pytest-xdist.
    pytester.makeconftest("def pytest_addoption(parser): parser.addoption('--numprocesses', type=int)")
    pytester.makepyfile("def test_one(): pass")
    pytester.runpytest_subprocess("--numprocesses=2").assert_outcomes(passed=1)
    result = pytester.runpytest_subprocess("--numprocesses=2", "--emu-reset")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*emu_reset: 2 workers share one emu*"])
