"""Mails that emu kept in place of sending them."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, List, Mapping, Optional, Union

from ._errors import EmuError
from ._records import instant


@dataclass(frozen=True)
class Attachment:
    name: Optional[str]
    #: Media type.
    type: str
    bytes: int


@dataclass(frozen=True)
class Mail:
    """A mail."""

    id: str
    at: datetime
    from_: str
    to: List[str]
    cc: List[str]
    bcc: List[str]
    reply_to: List[str]
    subject: str
    text: Optional[str]
    html: Optional[str]
    attachments: List[Attachment]
    #: The template that made it.
    template: Optional[str]
    #: The function that sent it.
    function: Optional[str]
    #: Why it would not have been delivered.
    failure: Optional[str]

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> "Mail":
        return cls(
            id=found["id"],
            at=instant(found["at"]),
            from_=found["from"],
            to=found["to"],
            cc=found["cc"],
            bcc=found["bcc"],
            reply_to=found["replyTo"],
            subject=found["subject"],
            text=found["text"],
            html=found["html"],
            attachments=[Attachment(one["name"], one["type"], one["bytes"]) for one in found["attachments"]],
            template=found["template"],
            function=found["function"],
            failure=found["failure"],
        )

    def links(self) -> List[str]:
        """The addresses of all links, as they stand in the HTML and then in the text, each once."""
        hrefs = re.findall(r"""\shref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))""", self.html or "", re.IGNORECASE)
        found = [html.unescape(next(filter(None, href), "")).strip() for href in hrefs]
        urls = re.findall(r"""https?://[^\s<>"']+""", self.text or "", re.IGNORECASE)
        found += [re.sub(r"[.,;:!?)\]}]+$", "", url) for url in urls]
        return list(dict.fromkeys(link for link in found if link and not link.startswith("#")))

    def link(self, match: Union[str, "re.Pattern[str]"] = "") -> str:
        """The first link, or the first that contains a text or fits an expression."""
        links = self.links()
        for link in links:
            if match in link if isinstance(match, str) else match.search(link):
                return link
        which = f" with {match if isinstance(match, str) else match.pattern}" if match else ""
        there = f"it has {', '.join(links)}" if links else "it has none"
        raise EmuError(f"the mail `{self.subject}` has no link{which}; {there}")

    def told(self) -> str:
        """It in a line, for messages."""
        return f"`{self.subject}` to {', '.join(self.to + self.cc + self.bcc)}"
