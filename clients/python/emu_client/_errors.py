"""What can go wrong. Each message says what happened and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional, Sequence

if TYPE_CHECKING:
    from ._records import Busy, LogLine


class EmuError(Exception):
    """Whatever emu refuses."""

    def __init__(self, message: str, status: Optional[int] = None) -> None:
        super().__init__(message)
        #: The status of emu's answer, where there was one.
        self.status = status


class EmuUnreachableError(EmuError):
    """No emu answers."""


class EmuTimeoutError(EmuError):
    """Something did not happen in time."""

    def __init__(self, message: str, busy: Sequence["Busy"] = ()) -> None:
        super().__init__(message)
        #: What was still being done.
        self.busy = list(busy)


class FunctionError(EmuError):
    """A function that was invoked failed."""

    def __init__(
        self, name: str, kind: str, message: str, payload: Any, logs: Sequence["LogLine"], request_id: str, trace: str
    ) -> None:
        lines = "".join(f"\n  {line.level} {line.text}" for line in logs)
        logged = f"\nIt logged:{lines}" if lines else ""
        super().__init__(f"function `{name}` failed with {kind}: {message}{logged}")
        self.function_name = name
        self.kind = kind
        self.payload = payload
        self.logs = list(logs)
        self.request_id = request_id
        self.trace = trace
