"""The way to the admin API of one World."""

from __future__ import annotations

import http.client
import json
import os
import socket
import threading
from typing import Any, Dict, List, Mapping, NamedTuple, Optional
from urllib.parse import urlencode, urlsplit

from ._errors import EmuError, EmuTimeoutError, EmuUnreachableError
from ._records import Busy

#: How long the answer may take where it is emu that waits and says what for, beyond that, in seconds.
GRACE_S = 5.0
HOW = "run your tests under `emu exec -- COMMAND`"


class Answer(NamedTuple):
    json: Any
    trace: str


def still(busy: List[Busy]) -> str:
    """What was still being done, for the end of a message."""
    if not busy:
        return "; emu has nothing left to deliver"
    return "; still busy: " + "; ".join(one.text for one in busy)


class Connection:
    """Keeps one connection for each thread."""

    def __init__(self, url: Optional[str], world: Optional[str]) -> None:
        self._url = url
        self._world = world
        self._threads = threading.local()

    @property
    def url(self) -> str:
        """Where emu is asked."""
        url = self._url or os.environ.get("EMU_ADMIN_URL")
        if not url:
            raise EmuUnreachableError(
                f"EMU_ADMIN_URL is not set, so there is no emu to ask: {HOW}. To use an emu that runs already, set it to the"
                " admin address that `emu start` shows; mind that a reset throws its data away."
            )
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise EmuUnreachableError(f"`{url}` is no address of emu's admin API; write http://127.0.0.1:4400")
        return url.rstrip("/")

    def ask(
        self,
        method: str,
        path: str,
        *,
        timeout_s: float,
        doing: str,
        body: Any = None,
        query: Optional[Mapping[str, Any]] = None,
        waits: bool = False,
    ) -> Answer:
        """Asks; answers what emu does. `path` is below `/emu/v1/`; with `waits` emu itself answers after `timeout_s`."""
        asked: Dict[str, str] = {name: _text(value) for name, value in (query or {}).items() if value is not None}
        if self._world is not None:
            asked["world"] = self._world
        target = f"/emu/v1/{path}" + (f"?{urlencode(asked)}" if asked else "")
        status, headers, text = self._send(method, target, body, timeout_s, doing, waits)
        if "x-emu-world" not in headers:
            raise EmuUnreachableError(f"what answers at {self.url} is not emu's admin API; EMU_ADMIN_URL is the address of that")
        answer = json.loads(text)
        if status >= 400:
            message = answer.get("message") or f"emu answered {status} to {method} {target}"
            if "busy" in answer:
                raise EmuTimeoutError(message, Busy.all(answer["busy"]))
            raise EmuError(message, status)
        return Answer(answer, headers.get("x-emu-trace-id", ""))

    def busy(self) -> List[Busy]:
        """What emu is at just now; nothing where it cannot say."""
        try:
            self.ask("POST", "idle", timeout_s=0, doing="idle", body={"timeoutMs": 0}, waits=True)
        except EmuTimeoutError as error:
            return error.busy
        except EmuError:
            pass
        return []

    def _send(self, method: str, target: str, body: Any, timeout_s: float, doing: str, waits: bool) -> "tuple[int, http.client.HTTPMessage, bytes]":
        payload = None if body is None else json.dumps(body).encode()
        headers = {} if payload is None else {"content-type": "application/json"}
        while True:
            connection, used = self._connection(timeout_s + (GRACE_S if waits else 0))
            try:
                connection.request(method, target, payload, headers)
                response = connection.getresponse()
                return response.status, response.headers, response.read()
            except socket.timeout:
                self._forget()
                busy = [] if doing == "idle" else self.busy()
                raise EmuTimeoutError(f"{doing} took longer than {timeout_s:g} s{still(busy)}", busy) from None
            except (OSError, http.client.HTTPException) as error:
                self._forget()
                # emu has let go of a connection that was not used for a while: a new one is as good.
                if used and isinstance(error, (ConnectionResetError, BrokenPipeError, http.client.RemoteDisconnected)):
                    continue
                why = getattr(error, "strerror", None) or str(error) or type(error).__name__
                raise EmuUnreachableError(f"emu does not answer at {self.url} ({why}): {HOW}") from error

    def _connection(self, timeout_s: float) -> "tuple[http.client.HTTPConnection, bool]":
        """This thread's connection, and whether it was used before."""
        url = self.url
        kept: Optional["tuple[str, http.client.HTTPConnection]"] = getattr(self._threads, "kept", None)
        if kept is not None and kept[0] == url:
            connection = kept[1]
            if connection.sock is not None:
                connection.sock.settimeout(timeout_s)
                return connection, True
            connection.timeout = timeout_s
            return connection, False
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=timeout_s)
        self._threads.kept = (url, connection)
        return connection, False

    def _forget(self) -> None:
        kept: Optional["tuple[str, http.client.HTTPConnection]"] = getattr(self._threads, "kept", None)
        if kept is not None:
            kept[1].close()
            self._threads.kept = None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
