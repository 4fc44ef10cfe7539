"""emu's clock: one for schedules, expiries, retries, delays, `Date.now()` and timers in functions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Callable, Optional, Union

from ._errors import EmuError
from ._records import instant

_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


def milliseconds(length: Union[str, timedelta]) -> int:
    """`25h`, `1d12h`, `-90s` or a timedelta, in milliseconds."""
    if isinstance(length, timedelta):
        return length // timedelta(milliseconds=1)
    found = re.fullmatch(r"(-?)((?:\d+(?:ms|min|[smhdw]))+)", str(length))
    if found is None:
        raise EmuError(f"`{length}` is no length of time; write 500ms, 90s, 10m, 25h, 2d, 1w, several of them as 1d12h, or a timedelta")
    parts = re.findall(r"(\d+)(ms|min|[smhdw])", found[2])
    total = sum(int(amount) * _UNITS_MS[unit] for amount, unit in parts)
    return -total if found[1] else total


def written(time: Union[str, datetime]) -> str:
    """A time as emu reads it; one without a zone is UTC."""
    if isinstance(time, str):
        return time
    aware = time.replace(tzinfo=timezone.utc) if time.tzinfo is None else time
    return aware.astimezone(timezone.utc).isoformat(timespec="milliseconds")


@dataclass(frozen=True)
class ClockState:
    time: datetime
    frozen: bool
    #: How far it is ahead of the machine's; None where it stands still.
    ahead_ms: Optional[int]


class Clock:
    """emu's clock."""

    def __init__(self, ask: Callable[..., Any], timeout_s: float) -> None:
        self._ask = ask
        self._timeout_s = timeout_s

    @property
    def now(self) -> datetime:
        """The time in emu, in UTC."""
        return self.state().time

    def state(self) -> ClockState:
        """The time, whether it stands still, and how far it is ahead of the machine's."""
        return self._change("GET", "clock", "reading the clock")

    def advance(self, length: Union[str, timedelta], *, timeout: Optional[float] = None) -> ClockState:
        """Moves on through every time at which something is due, in order: by `"25h"`, `"1d12h"` or a timedelta."""
        return self._change("POST", "clock/advance", "advancing the clock", {"ms": milliseconds(length)}, timeout)

    def set(self, time: Union[str, datetime], *, timeout: Optional[float] = None) -> ClockState:
        """As `advance`, to a time; to an earlier one it jumps, and to the machine's with `"now"`."""
        return self._change("POST", "clock/set", "setting the clock", {"time": written(time)}, timeout)

    def freeze(self, at: Union[str, datetime, None] = None) -> ClockState:
        """Stops the clock, at a time if one is given."""
        frozen = self._change("POST", "clock/freeze", "freezing the clock")
        return frozen if at is None else self.set(at)

    def resume(self) -> ClockState:
        """Lets a clock that was stopped run on."""
        return self._change("POST", "clock/resume", "resuming the clock")

    def _change(self, method: str, path: str, doing: str, body: Any = None, timeout: Optional[float] = None) -> ClockState:
        timeout_s = self._timeout_s if timeout is None else timeout
        answer = self._ask(method, path, doing=doing, body=body, timeout_s=timeout_s)
        return ClockState(instant(answer["time"]), answer["frozen"], answer["aheadMs"])
