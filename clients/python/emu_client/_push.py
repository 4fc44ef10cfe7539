"""Pushes that emu kept in place of sending them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Dict, List, Mapping, Optional

from ._records import instant


@dataclass(frozen=True)
class Push:
    """A push."""

    id: str
    at: datetime
    #: Who was to get it: one of token, topic, condition.
    target: Mapping[str, str]
    #: Those who got it, at most a thousand of them.
    tokens: List[str]
    #: How many got it.
    count: int
    title: Optional[str]
    body: Optional[str]
    data: Dict[str, str]
    #: As it was sent.
    message: Mapping[str, Any]
    #: What a device of each kind shows: platform, title, body, image, data, options.
    rendered: List[Mapping[str, Any]]
    #: The function that sent it.
    function: Optional[str]

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> "Push":
        return cls(
            id=found["id"],
            at=instant(found["at"]),
            target=found["target"],
            tokens=found["tokens"],
            count=found["count"],
            title=found["title"],
            body=found["body"],
            data=found["data"],
            message=found["message"],
            rendered=found["rendered"],
            function=found["function"],
        )

    def told(self) -> str:
        """It in a line, for messages."""
        return f"`{self.title or ''}` to {next(iter(self.target.values()))}"
