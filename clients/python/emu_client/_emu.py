"""A running emu, as tests see it."""

from __future__ import annotations

import os
import re
import time
import uuid
from typing import Any, List, Mapping, Optional, Union
from urllib.parse import quote

from ._clock import Clock
from ._connection import Connection, still
from ._errors import EmuTimeoutError, FunctionError
from ._mail import Mail
from ._push import Push
from ._records import DeadLetter, Invocation, Invoked, LogLine, Snapshot

#: How long to wait unless told otherwise, in seconds: for what is quick, and for a clock that walks through a month.
TIMEOUT_S = 10.0
CLOCK_TIMEOUT_S = 60.0
#: Mails that are named where the one that is waited for does not come.
NAMED_MAX = 5

Subject = Union[str, "re.Pattern[str]"]


def connect(url: Optional[str] = None, *, world: Optional[str] = None, timeout: float = TIMEOUT_S) -> "Emu":
    """A way to an emu: the one of `EMU_ADMIN_URL`, which `emu exec` sets, unless an address is given.

    `world` is what every call is about, emu's only one unless given. `timeout`, in seconds, is how long each call waits at most
    unless it says otherwise.
    """
    return Emu(url, world=world, timeout=timeout)


class Emu:
    """A running emu. Every call waits for its answer, and no longer than its timeout (in seconds)."""

    def __init__(self, url: Optional[str] = None, *, world: Optional[str] = None, timeout: float = TIMEOUT_S) -> None:
        self._connection = Connection(url, world)
        self._timeout_s = timeout
        #: One clock for everything in emu.
        self.clock = Clock(self._ask, max(timeout, CLOCK_TIMEOUT_S))

    @property
    def url(self) -> str:
        """Where the admin API is asked."""
        return self._connection.url

    def health(self) -> Mapping[str, Any]:
        """Addresses, functions, and how much is pending."""
        found: Mapping[str, Any] = self._ask("GET", "health", doing="asking how emu is")
        return found

    def reset(self, service: Optional[str] = None) -> None:
        """Back to what a new start begins with: resources, seed, the machine's time. Or that for one service only."""
        self._ask("POST", "state/reset", doing="the reset", body={} if service is None else {"service": service})

    def snapshot(self, name: Optional[str] = None, *, replace: bool = False) -> Snapshot:
        """Saves the state, to go back to with `restore`; under a name of its own unless one is given."""
        chosen = f"test-{uuid.uuid4().hex[:8]}" if name is None else name
        return Snapshot.of(self._ask("POST", "state/snapshot", doing="the snapshot", body={"name": chosen, "force": replace}))

    def restore(self, snapshot: Union[str, Snapshot]) -> Snapshot:
        """Puts a saved state, and its clock, in the place of the present one."""
        name = snapshot if isinstance(snapshot, str) else snapshot.name
        return Snapshot.of(self._ask("POST", "state/restore", doing="the restore", body={"name": name}))

    def snapshots(self) -> List[Snapshot]:
        """The saved states."""
        return [Snapshot.of(found) for found in self._ask("GET", "state", doing="listing the snapshots")["snapshots"]]

    def export_state(self, dir: Union[str, "os.PathLike[str]"], *, replace: bool = False) -> None:
        """Writes the state as text files."""
        self._ask("POST", "state/export", doing="the export", body={"dir": os.path.abspath(dir), "force": replace})

    def import_state(self, dir: Union[str, "os.PathLike[str]"], *, triggers: bool = True) -> None:
        """Puts the state of an export in the place of the present one; without `triggers` leaves out what was not delivered yet."""
        self._ask("POST", "state/import", doing="the import", body={"dir": os.path.abspath(dir), "triggers": triggers})

    def wait_for_idle(self, *, timeout: Optional[float] = None) -> None:
        """Waits until every event that was committed has been delivered, with all that it led to."""
        timeout_s = self._timeout_s if timeout is None else timeout
        self._ask("POST", "idle", doing="idle", body={"timeoutMs": round(timeout_s * 1000)}, timeout_s=timeout_s, waits=True)

    def inbox(
        self,
        *,
        to: Optional[str] = None,
        from_: Optional[str] = None,
        subject: Optional[Subject] = None,
        after: Union[Mail, str, None] = None,
    ) -> List[Mail]:
        """The mails that were sent, oldest first: all, or those to or from an address, with a subject, after another mail."""
        return [mail for mail in self._mails(to, from_, subject, after, 0) if _fits(mail, subject)]

    def wait_for_mail(
        self,
        *,
        to: Optional[str] = None,
        from_: Optional[str] = None,
        subject: Optional[Subject] = None,
        after: Union[Mail, str, None] = None,
        timeout: Optional[float] = None,
    ) -> Mail:
        """The latest such mail; waits for one where there is none."""
        timeout_s = self._timeout_s if timeout is None else timeout
        until, last = time.monotonic() + timeout_s, after
        while True:
            mails = self._mails(to, from_, subject, last, max(until - time.monotonic(), 0))
            found = [mail for mail in mails if _fits(mail, subject)]
            if found:
                return found[-1]
            if not mails:
                raise self._no_mail(to, from_, subject, after, timeout_s)
            last = mails[-1]

    def clear_inbox(self) -> None:
        """Empties the inbox."""
        self._ask("DELETE", "mails", doing="emptying the inbox")

    def pushes(
        self,
        *,
        token: Optional[str] = None,
        topic: Optional[str] = None,
        title: Optional[str] = None,
        after: Union[Push, str, None] = None,
    ) -> List[Push]:
        """The pushes that were sent, oldest first: all, or those to a token or a topic, with a title, after another push."""
        return self._pushes(token, topic, title, after, 0)

    def wait_for_push(
        self,
        *,
        token: Optional[str] = None,
        topic: Optional[str] = None,
        title: Optional[str] = None,
        after: Union[Push, str, None] = None,
        timeout: Optional[float] = None,
    ) -> Push:
        """The latest such push; waits for one where there is none."""
        timeout_s = self._timeout_s if timeout is None else timeout
        found = self._pushes(token, topic, title, after, timeout_s)
        if found:
            return found[-1]
        parts = [("to the token", token), ("to the topic", topic), ("with the title", title)]
        wanted = "".join(f" {word} {value}" for word, value in parts if value)
        there = self.pushes()
        named = "; ".join(push.told() for push in there[-NAMED_MAX:])
        inbox = f"there are {len(there)}, the latest: {named}" if there else "there is none"
        busy = self._connection.busy()
        raise EmuTimeoutError(f"no push{wanted} came within {timeout_s:g} s; {inbox}{still(busy)}", busy)

    def clear_pushes(self) -> None:
        """Forgets the pushes that were sent."""
        self._ask("DELETE", "pushes", doing="forgetting the pushes")

    def set_push_token(self, token: str, state: str = "registered", platform: Optional[str] = None) -> None:
        """Says what becomes of pushes to a device's token: registered, unregistered, sender-mismatch."""
        path = f"push-tokens/{quote(token, safe='')}"
        self._ask("PUT", path, doing="changing a token", body={"state": state, "platform": platform})

    def push_tokens(self) -> List[Mapping[str, Any]]:
        """The tokens that are known, with their state, platform and topics."""
        found: List[Mapping[str, Any]] = self._ask("GET", "push-tokens", doing="listing the tokens")["tokens"]
        return found

    def invocations(
        self,
        function: Optional[str] = None,
        *,
        trace: Optional[str] = None,
        limit: Optional[int] = None,
        all: bool = False,
        provider: Optional[str] = None,
    ) -> List[Invocation]:
        """What ran since the last reset, restore or import (`all`: before it too), in the order in which it began.

        `provider` is whose list prices costs are reckoned with: aws (unless given), aws-arm, firebase, gcp, cloudflare, azure.
        """
        query = {"function": function, "trace": trace, "limit": limit, "all": all or None, "provider": provider}
        answer = self._ask("GET", "invocations", doing="reading the invocations", query=query)
        return [Invocation.of(found) for found in answer["invocations"]]

    def dead_letters(self) -> List[DeadLetter]:
        """What could not be delivered, newest first."""
        return [DeadLetter.of(found) for found in self._ask("GET", "dead-letters", doing="reading the dead letters")["deadLetters"]]

    def invoke(self, name: str, event: Any = None, *, timeout: Optional[float] = None) -> Invoked:
        """Runs a function once; raises a `FunctionError` where it fails."""
        timeout_s = self._timeout_s if timeout is None else timeout
        path, doing = f"functions/{quote(name, safe='')}/invocations", f"the invocation of `{name}`"
        body = {} if event is None else event
        answer, trace = self._connection.ask("POST", path, timeout_s=timeout_s, doing=doing, body=body)
        logs, error = LogLine.all(answer["logs"]), answer["error"]
        if error:
            raise FunctionError(name, error["kind"], error["message"], answer["payload"], logs, answer["requestId"], trace)
        return Invoked(answer["payload"], answer["requestId"], trace, logs)

    def trace(self, id: str = "latest") -> Mapping[str, Any]:
        """What a request led to: `id` is the header `x-emu-trace-id` of its answer, its beginning, or `latest`."""
        found: Mapping[str, Any] = self._ask("GET", f"traces/{quote(id, safe='')}", doing="reading the trace")
        return found

    def _ask(self, method: str, path: str, *, doing: str, timeout_s: Optional[float] = None, **more: Any) -> Any:
        timeout_s = self._timeout_s if timeout_s is None else timeout_s
        return self._connection.ask(method, path, doing=doing, timeout_s=timeout_s, **more).json

    def _mails(
        self, to: Optional[str], from_: Optional[str], subject: Optional[Subject], after: Union[Mail, str, None], wait_s: float
    ) -> List[Mail]:
        query = {
            "to": to,
            "from": from_,
            "subject": subject if isinstance(subject, str) else None,
            "after": after.id if isinstance(after, Mail) else after,
            "waitMs": round(wait_s * 1000) or None,
        }
        timeout_s = max(wait_s, self._timeout_s)
        answer = self._ask("GET", "mails", doing="reading the inbox", query=query, timeout_s=timeout_s, waits=True)
        return [Mail.of(found) for found in answer["mails"]]

    def _pushes(
        self, token: Optional[str], topic: Optional[str], title: Optional[str], after: Union[Push, str, None], wait_s: float
    ) -> List[Push]:
        query = {
            "token": token,
            "topic": topic,
            "title": title,
            "after": after.id if isinstance(after, Push) else after,
            "waitMs": round(wait_s * 1000) or None,
        }
        timeout_s = max(wait_s, self._timeout_s)
        answer = self._ask("GET", "pushes", doing="reading the pushes", query=query, timeout_s=timeout_s, waits=True)
        return [Push.of(found) for found in answer["pushes"]]

    def _no_mail(
        self, to: Optional[str], from_: Optional[str], subject: Optional[Subject], after: Union[Mail, str, None], timeout_s: float
    ) -> EmuTimeoutError:
        said = subject if subject is None or isinstance(subject, str) else subject.pattern
        parts = [("to", to), ("from", from_), ("with the subject", said)]
        wanted = "".join(f" {word} {value}" for word, value in parts if value) + (" after the one given" if after else "")
        there = self.inbox()
        named = "; ".join(mail.told() for mail in there[-NAMED_MAX:])
        inbox = f"the inbox has {len(there)}, the latest: {named}" if there else "the inbox is empty"
        busy = self._connection.busy()
        return EmuTimeoutError(f"no mail{wanted} came within {timeout_s:g} s; {inbox}{still(busy)}", busy)


def _fits(mail: Mail, subject: Optional[Subject]) -> bool:
    return subject is None or isinstance(subject, str) or subject.search(mail.subject) is not None
