"""What emu tells, as Python objects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, List, Mapping, Optional


def instant(text: str) -> datetime:
    """A time of emu's answers, in UTC."""
    # Python reads the letter only from 3.11 on.
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


@dataclass(frozen=True)
class Busy:
    """Something that keeps emu from being idle."""

    kind: str
    text: str

    @classmethod
    def all(cls, found: Any) -> List["Busy"]:
        return [cls(str(one.get("kind", "")), str(one.get("text", ""))) for one in found or []]


@dataclass(frozen=True)
class LogLine:
    at: datetime
    #: TRACE, DEBUG, INFO, WARN or ERROR.
    level: str
    text: str

    @classmethod
    def all(cls, found: Any) -> List["LogLine"]:
        return [cls(instant(line["at"]), line["level"], line["text"]) for line in found]


@dataclass(frozen=True)
class InvocationError:
    kind: str
    message: str
    stack: List[str]


@dataclass(frozen=True)
class Cost:
    """At list prices, in US dollars: exact where it was counted, a range where time is estimated."""

    provider: str
    low: float
    high: float


@dataclass(frozen=True)
class Invocation:
    """An invocation that has ended. Lengths of time are by the machine's clock, `at` is emu's."""

    id: str
    trace: str
    function: str
    #: What it was invoked for: `POST /orders`, `queue jobs`, `schedule`, `invoke`.
    trigger: str
    at: datetime
    #: succeeded, failed or refused.
    status: str
    error: Optional[InvocationError]
    duration_ms: float
    cpu_ms: float
    queued_ms: float
    memory_peak_bytes: int
    memory_mib: int
    #: It ran in a new sandbox.
    cold: bool
    #: The number of the function's build, from 1.
    build: int
    #: Secrets are hidden in both, and what is longer than 64 KiB is text that was cut.
    event: Any
    answer: Any
    logs: List[LogLine]
    #: With everything that it called.
    cost: Optional[Cost]

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> "Invocation":
        error, cost = found["error"], found["cost"]
        return cls(
            id=found["id"],
            trace=found["trace"],
            function=found["function"],
            trigger=found["trigger"],
            at=instant(found["at"]),
            status=found["status"],
            error=InvocationError(error["kind"], error["message"], error["stack"]) if error else None,
            duration_ms=found["durationMs"],
            cpu_ms=found["cpuMs"],
            queued_ms=found["queuedMs"],
            memory_peak_bytes=found["memoryPeakBytes"],
            memory_mib=found["memoryMib"],
            cold=found["cold"],
            build=found["build"],
            event=found["event"],
            answer=found["answer"],
            logs=LogLine.all(found["logs"]),
            cost=Cost(cost["provider"], cost["low"], cost["high"]) if cost else None,
        )


@dataclass(frozen=True)
class Invoked:
    """What a function answered."""

    payload: Any
    request_id: str
    trace: str
    logs: List[LogLine]


@dataclass(frozen=True)
class DeadLetter:
    """Something that could not be delivered."""

    id: int
    time: datetime
    reason: str
    detail: str
    source: str
    target: str
    attempts: int
    request_id: str
    trace: str
    event: Any

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> "DeadLetter":
        return cls(
            id=found["id"],
            time=instant(found["time"]),
            reason=found["reason"],
            detail=found["detail"],
            source=found["source"],
            target=found["target"],
            attempts=found["attempts"],
            request_id=found["requestId"],
            trace=found["trace"],
            event=found["event"],
        )


@dataclass(frozen=True)
class Snapshot:
    """A saved state."""

    name: str
    #: By the machine's clock.
    taken: datetime
    #: By emu's.
    time: datetime
    bytes: int

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> "Snapshot":
        return cls(found["name"], instant(found["taken"]), instant(found["time"]), found["bytes"])
