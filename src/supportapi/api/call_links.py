"""Where the other pages of a list of calls are, in its body and in the header `Link`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta as Doc

from supportapi.answers.query_string import canonical

if TYPE_CHECKING:
    from supportapi.api.calls import CallsQuery

PATH: Final = "/api/calls"


class PageLinks(msgspec.Struct, frozen=True, kw_only=True):
    """Where the other pages are; null where there is none."""

    self: str
    first: str
    prev: str | None
    next: str | None
    last: Annotated[str | None, Doc(description="Null where a cursor leads, which goes forwards alone.")]
    cursor: Annotated[
        str | None,
        Doc(description="The next page of this very version, for who wants to read all; see `cursor`."),
    ]


def link(query: CallsQuery, *, page: int, cursor: str | None = None) -> str:
    """The page of the same list with this number, or behind `cursor`."""
    return f"{PATH}?{canonical(msgspec.structs.replace(query, page=page, cursor=cursor))}"


def links_of(query: CallsQuery, total: int, further: str | None) -> PageLinks:
    """The links of a page of `total` calls; `further` leads on from it by cursor."""
    own, begin = f"{PATH}?{canonical(query)}", link(query, page=1)
    if query.cursor is not None:
        return PageLinks(self=own, first=begin, prev=None, next=further, last=None, cursor=further)
    pages = max(-(-total // query.per_page), 1)
    return PageLinks(
        self=own,
        first=begin,
        prev=link(query, page=min(query.page - 1, pages)) if query.page > 1 else None,
        next=link(query, page=query.page + 1) if query.page < pages else None,
        last=link(query, page=pages),
        cursor=further,
    )


def header(links: PageLinks) -> bytes:
    """The header `Link`."""
    found = {"first": links.first, "prev": links.prev, "next": links.next, "last": links.last}
    return ", ".join(f'<{url}>; rel="{name}"' for name, url in found.items() if url is not None).encode()
