"""Run by tests/integration/clients.rs: emu exec --project fixtures/clients -- python -m pytest"""

import os
import re
import socket
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, List

import pytest

from emu_client import Emu, EmuError, EmuTimeoutError, EmuUnreachableError, FunctionError, Mail, connect

pytestmark = pytest.mark.usefixtures("emu_reset")
SEEDED = "seeded@example.com"

SignUp = Callable[[str], str]
Members = Callable[[], List[str]]


def test_a_reset_goes_back_to_the_seeded_state(emu: Emu, sign_up: SignUp, members: Members) -> None:
    sign_up("ada@example.com")
    emu.clock.advance("1h")
    assert members() == ["ada@example.com", SEEDED]
    emu.reset()
    assert members() == [SEEDED] and emu.inbox() == [] and emu.clock.state().ahead_ms == 0
    sign_up("ada@example.com")
    emu.wait_for_idle()
    emu.reset("mail")
    assert (len(emu.inbox()), len(members())) == (0, 2)
    with pytest.raises(EmuError, match="there is no service `mial`; there are: tables, ") as caught:
        emu.reset("mial")
    assert caught.value.status == 400


def test_the_state_is_saved_and_put_back(emu: Emu, sign_up: SignUp, members: Members, tmp_path: Path) -> None:
    sign_up("ada@example.com")
    emu.wait_for_idle()
    saved = emu.snapshot()
    assert saved.bytes > 0 and saved.taken.tzinfo is not None
    emu.export_state(tmp_path / "state")
    for put_back in (lambda: emu.restore(saved), lambda: emu.import_state(tmp_path / "state")):
        emu.reset()
        assert members() == [SEEDED]
        put_back()
        assert members() == ["ada@example.com", SEEDED]
    assert saved.name in [one.name for one in emu.snapshots()]
    with pytest.raises(EmuError, match="nothing"):
        emu.restore("nothing")


def test_pushes_and_tokens_are_known(emu: Emu) -> None:
    emu.set_push_token("t1", "unregistered", "android")
    assert emu.push_tokens() == [{"token": "t1", "state": "unregistered", "platform": "android", "topics": []}]
    with pytest.raises(EmuError, match="`lost` is none of registered, "):
        emu.set_push_token("t1", "lost")
    assert emu.pushes(token="t1") == []
    with pytest.raises(EmuTimeoutError, match="no push with the title Hello came within 0.05 s; there is none"):
        emu.wait_for_push(title="Hello", timeout=0.05)
    emu.clear_pushes()


def test_idle_is_when_all_that_was_set_off_is_done(emu: Emu, sign_up: SignUp) -> None:
    sign_up("ada@example.com")
    emu.wait_for_idle()
    assert [mail.subject for mail in emu.inbox(to="ada@example.com")] == ["Confirm your address", "Welcome"]


def test_a_wait_in_vain_says_what_is_still_being_done(emu: Emu, welcome_later: Callable[[str, int], None]) -> None:
    emu.clock.freeze()
    welcome_later("ada@example.com", 20_000)
    with pytest.raises(EmuTimeoutError, match="^emu was not idle within 300 ms; still busy: .*`welcome`.*; the clock stands still") as caught:
        emu.wait_for_idle(timeout=0.3)
    assert caught.value.busy[0].kind in ("batches", "queue")
    with pytest.raises(EmuTimeoutError, match="^no mail to ada@example.com came within 0.2 s; the inbox is empty; still busy: .*`welcome`"):
        emu.wait_for_mail(to="ada@example.com", timeout=0.2)
    emu.clock.advance("20s")
    emu.wait_for_idle()
    assert len(emu.inbox()) == 1


def test_mails_are_found_and_waited_for_and_have_links(emu: Emu, sign_up: SignUp) -> None:
    later = threading.Timer(0.1, sign_up, ["ada@example.com"])
    later.start()
    mail = emu.wait_for_mail(to="ADA@example.com", subject=re.compile("^confirm", re.IGNORECASE))
    later.join()
    assert (mail.from_, mail.to, mail.function) == ("Club <club@example.com>", ["ada@example.com"], "signUp")
    link = "https://club.example.com/confirm?email=ada%40example.com&code=1234"
    assert mail.links() == ["https://club.example.com/", link]
    assert mail.link("confirm") == mail.link(re.compile(r"code=\d+")) == link
    with pytest.raises(EmuError, match="the mail `Confirm your address` has no link with unsubscribe; it has https:"):
        mail.link("unsubscribe")
    welcome = emu.wait_for_mail(to="ada@example.com", after=mail)
    assert welcome.subject == "Welcome" and welcome.text == "You are in."
    with pytest.raises(EmuTimeoutError, match="no mail to bob@example.com came within 0.05 s; the inbox has 2, the latest: .*`Welcome` to ada"):
        emu.wait_for_mail(to="bob@example.com", timeout=0.05)
    emu.clear_inbox()
    assert emu.inbox() == []


def test_links_are_read_as_they_are_written() -> None:
    html = """<A HREF=https://a.example/1>x</A> <a href='https://a.example/?x=1&#38;y=&quot;2&quot;'>y</a> <a href="#top">z</a> <a data-href="no">"""
    nothing: Any = {"cc": [], "bcc": [], "replyTo": [], "attachments": [], "template": None, "function": None, "failure": None}
    text = "See (https://b.example/path). Or <https://a.example/1>!"
    some: Any = {"id": "1", "at": "2030-01-01T00:00:00.000Z", "from": "a", "to": [], "subject": "", "text": text, "html": html}
    mail = Mail.of({**nothing, **some})
    assert mail.links() == ["https://a.example/1", 'https://a.example/?x=1&y="2"', "https://b.example/path"]


def test_the_clock_moves_everything(emu: Emu) -> None:
    today = datetime.now(timezone.utc).replace(hour=12, minute=0, second=0, microsecond=0)
    noon = today + timedelta(days=1)
    frozen = emu.clock.freeze(noon)
    assert (frozen.time, frozen.frozen, frozen.ahead_ms) == (noon, True, None)
    assert emu.invoke("echo").payload["now"] == noon.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    emu.wait_for_idle()
    emu.clear_inbox()
    assert emu.clock.advance("1d24h").time == noon + timedelta(days=2)
    emu.wait_for_idle()
    wanted = [f"News of {(noon + timedelta(days=n)).date().isoformat()}" for n in (1, 2)]
    assert [mail.subject for mail in emu.inbox()] == wanted
    assert emu.clock.advance(timedelta(days=-1)).time == emu.clock.now == noon + timedelta(days=1)
    assert emu.clock.set((noon + timedelta(days=1, hours=1)).replace(tzinfo=None)).time == noon + timedelta(days=1, hours=1)
    assert emu.clock.resume().frozen is False
    assert emu.clock.set("now").ahead_ms == 0
    with pytest.raises(EmuError, match="`1y` is no length of time; write 500ms, 90s"):
        emu.clock.advance("1y")
    with pytest.raises(EmuError, match="`noon` is no time"):
        emu.clock.set("noon")


def test_functions_run(emu: Emu) -> None:
    answer = emu.invoke("echo", {"a": [1, "ü"]})
    assert answer.payload["event"] == {"a": [1, "ü"]} and [line.level for line in answer.logs] == ["WARN"]
    assert emu.trace(answer.trace)["trace"] == answer.trace
    with pytest.raises(FunctionError, match="^function `broken` failed with TypeError: it is broken\nIt logged:\n  INFO about to break") as caught:
        emu.invoke("broken")
    assert caught.value.kind == "TypeError"
    with pytest.raises(EmuError, match="there is no function `ehco`; did you mean `echo`?"):
        emu.invoke("ehco")
    emu.clock.freeze()
    with pytest.raises(EmuTimeoutError, match="^the invocation of `nap` took longer than 0.3 s"):
        emu.invoke("nap", {"ms": 60_000}, timeout=0.3)


def test_what_ran_is_told_with_logs_and_costs(emu: Emu, sign_up: SignUp) -> None:
    trace = sign_up("ada@example.com")
    with pytest.raises(FunctionError):
        emu.invoke("broken")
    emu.wait_for_idle()
    assert sorted(one.function for one in emu.invocations()) == ["broken", "signUp", "welcome"]
    (signed_up,) = emu.invocations("signUp")
    assert (signed_up.status, signed_up.error, signed_up.trigger, signed_up.trace) == ("succeeded", None, "POST /members", trace)
    assert [line.text for line in signed_up.logs] == ["signing up ada@example.com"]
    assert signed_up.answer["statusCode"] == 201 and signed_up.duration_ms > 0
    assert signed_up.cost is not None and signed_up.cost.provider == "aws" and signed_up.cost.high >= signed_up.cost.low > 100e-6
    (broken,) = emu.invocations("broken")
    assert broken.status == "failed" and broken.error is not None and broken.error.message == "it is broken"
    assert [one.function for one in emu.invocations(trace=trace)] == ["signUp", "welcome"]
    with pytest.raises(EmuError, match="did you mean `signUp`"):
        emu.invocations("signup")
    emu.reset()
    assert emu.invocations() == [] and len(emu.invocations(all=True)) >= 3


def test_what_could_not_be_delivered_is_told(emu: Emu, invoke_later: Callable[[str, Any], None]) -> None:
    invoke_later("broken", {"n": 1})
    emu.wait_for_idle()
    assert emu.dead_letters() == []
    emu.clock.advance("10m")
    (letter,) = emu.dead_letters()
    assert (letter.target, letter.attempts, letter.event) == ("function:broken", 3, {"n": 1})


def test_where_there_is_no_emu_or_no_such_world_it_says_what_to_do(emu: Emu, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(EmuUnreachableError, match=f"^emu does not answer at {url} \\(Connection refused\\): run your tests under `emu exec -- COMMAND`$"):
        connect(url).reset()
    with pytest.raises(EmuUnreachableError, match="is not emu's admin API; EMU_ADMIN_URL is the address of that"):
        connect(os.environ["EMU_URL"]).health()
    with pytest.raises(EmuUnreachableError, match="`localhost` is no address"):
        connect("localhost").health()
    with pytest.raises(EmuError, match="there is no World `branch`; this emu has one, `default`: ask for that, or for none") as caught:
        connect(world="branch").reset()
    assert caught.value.status == 404
    assert connect(world="default").health()["worlds"] == ["default"]
    monkeypatch.delenv("EMU_ADMIN_URL")
    with pytest.raises(EmuUnreachableError, match="^EMU_ADMIN_URL is not set, .* run your tests under `emu exec -- COMMAND`"):
        emu.health()


def test_threads_have_connections_of_their_own(emu: Emu) -> None:
    failures: List[BaseException] = []

    def work() -> None:
        try:
            for n in range(20):
                assert emu.invoke("echo", {"n": n}).payload["event"] == {"n": n}
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
