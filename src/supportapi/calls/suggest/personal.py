"""Which columns tell who a customer is, or what was said: they stay out, and no example of theirs is shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from supportapi.calls.suggest.seen import Seen

_PERSON: Final = (
    "customers?|caller|callers|client|contact|requester|patient|member|subscriber|account|from|to|consumer|anrufer|"
    "appelant|full|first|last|sur|given|family"
)
_HEADERS: Final = (
    (
        "a person's name",
        (
            rf"({_PERSON}) ?(names?|requester)|names? ({_PERSON})|surname|clid|caller ?name|customer|caller|requester|"
            "cnam"
        ),
    ),
    (
        "a telephone number",
        (
            r"(tele)?phone( number| no)?|mobile|tel|ani|caller ?id|calling (pty|party|number|no)|"
            "(customer|caller|from|contact|remote|source) (number|phone.*|no)|msisdn|src|from|to|dnis|remote|"
            "number appelant|(customer )?endpoint address"
        ),
    ),
    ("an e-mail address", r"e ?mail\w*|mail"),
    (
        "an address",
        r"\w*address|street|zip|zip ?code|incident zip|postcode|postal code|plz|latitude|longitude",
    ),
    ("a birth date or an official number", r"dob|birth\w*|date of birth|geburtsdatum|ssn|passport|tax id|mrn"),
    (
        "what was said or written",
        (
            r"transcript\w*|comments?|notes?|remarks?|description|message|body|summary|recording\w*|voicemail url|"
            r"subject|betreff|feedback|resolution description"
        ),
    ),
)
_SPOKEN: Final = tuple((told, re.compile(rf"(?<!\w)(?:{words})(?!\w)")) for told, words in _HEADERS)
_STAFF: Final = re.compile(r"(?<!\w)(agent|operator|user|server|assigned|team|answered by|handled by)(?!\w)")
_EMAIL: Final = r"[^@\s]+@[^@\s]+\.[^@\s]+"
_PHONE: Final = r"\+\d[\d\s()./-]{6,18}|00\d{8,14}|\(\d{3}\) ?\d{3}-?\d{4}|\d{3}[-. ]\d{3}[-. ]\d{4}|whatsapp:\+\d+"
_CODE: Final = r"(?i)[a-z]{0,5}[-_ ]?\d+|[0-9a-f-]{12,}"
_MOST: Final = 0.6
_SENTENCE_WORDS: Final = 6
_FEW: Final = 10


def personal(column: Seen) -> str | None:
    """What the column tells about a person, or None."""
    if column.known == 0 or _STAFF.search(column.header):
        return None
    if column.matches(_EMAIL) > _MOST:
        return "an e-mail address"
    if column.matches(_PHONE) > _MOST:
        return "a telephone number"
    for told, words in _SPOKEN:
        if words.search(column.header) and _can_be(told, column):
            return told
    return "free text" if _sentences(column) else None


def _can_be(told: str, column: Seen) -> bool:
    """Whether the values can be what the header says: ids are no names, and small numbers no telephone numbers."""
    if told == "a person's name" and "name" not in column.header:
        return column.matches(_CODE) < _MOST
    if told == "a telephone number":
        return column.matches(r"[+\d][\d\s()./-]{2,}|[A-Za-z]+") > _MOST and column.matches(r"\d{1,2}") < _MOST
    if told == "what was said or written":
        return column.matches(r"[\d.,]+") < _MOST
    return True


def _sentences(column: Seen) -> bool:
    return column.distinct > _FEW and column.matches(rf"(?:.*?[^\W\d_]{{2,}}){{{_SENTENCE_WORDS},}}.*") > _MOST
