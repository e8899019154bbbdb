"""What every response tells a browser not to do with it. The edge adds it; what a handler says itself goes before."""

from __future__ import annotations

from typing import Final

Headers = list[tuple[bytes, bytes]]

_DATA_POLICY: Final = b"default-src 'none'; frame-ancestors 'none'"
_PAGE_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    b"connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""For data, which loads nothing; and for a page that names no policy of its own: files of ours only, in no frame."""

_POLICY: Final = b"content-security-policy"
_ALWAYS: Final[Headers] = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_HTTPS_ONLY: Final = (b"strict-transport-security", b"max-age=31536000")


class SecurityHeaders:
    """`secure` says that browsers come by HTTPS, and shall not come otherwise for a year."""

    def __init__(self, *, secure: bool) -> None:
        self._always = [*_ALWAYS, *([_HTTPS_ONLY] if secure else [])]
        self.of_data: Headers = [*self._always, (_POLICY, _DATA_POLICY)]
        """Those of an answer that is ready, which names none itself. Never changed by the caller."""

    def beside(self, given: Headers) -> Headers:
        """Those that a response with the headers `given` lacks."""
        named = dict(given)
        is_page = named.get(b"content-type", b"").startswith(b"text/html")
        wanted = [*self._always, (_POLICY, _PAGE_POLICY if is_page else _DATA_POLICY)]
        return [header for header in wanted if header[0] not in named]
