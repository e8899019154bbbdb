"""Where the other pages of a list of calls are, in its body and in the header `Link`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta as Doc

from supportapi.answers.query_string import canonical

if TYPE_CHECKING:
    from collections.abc import Callable

    from supportapi.api.calls import CallsQuery

PATH: Final = "/api/calls"


class PageLinks(msgspec.Struct, frozen=True, kw_only=True):
    """Where the other pages are; null where there is none."""

    self: str
    first: str
    prev: str | None
    next: str | None
    last: str
    cursor: Annotated[
        str | None,
        Doc(
            description="The next page of this very version; see `cursor`. Where a cursor has led, `prev`, `next` and "
            "`last` are of that version as well, and `first` begins again with the current one."
        ),
    ]


def link(query: CallsQuery, *, page: int, cursor: str | None = None) -> str:
    """The page of the same list with this number, or behind `cursor`."""
    return f"{PATH}?{canonical(msgspec.structs.replace(query, page=page, cursor=cursor))}"


def links_of(query: CallsQuery, total: int, offset: int, at: Callable[[int], str]) -> PageLinks:
    """The links of the page of `total` calls that begins with number `offset`; `at` is where a cursor leads."""
    own, begin = f"{PATH}?{canonical(query)}", link(query, page=1)
    pages = max(-(-total // query.per_page), 1)
    further = at(offset + query.per_page) if offset + query.per_page < total else None
    if query.cursor is not None:
        prev = at(max(offset - query.per_page, 0)) if offset else None
        last = at((pages - 1) * query.per_page)
        return PageLinks(self=own, first=begin, prev=prev, next=further, last=last, cursor=further)
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
