"""No secret gets out: what is taken out of an event before it is written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from structlog.typing import EventDict

REDACTED: Final = "[redacted]"
_SECRET_NAME: Final = re.compile(
    r"(^|[_\-.])(pass(word|wd|phrase)?|secret(s|_?key)?|(access_?|refresh_?)?token|authorization|(set_?)?cookie|"
    r"credentials?|api_?key|password_?hash|(secret_?)?access_?key(_?id)?|signature)$",
    re.IGNORECASE,
)
_SECRET_SHAPES: Final = (
    (re.compile(r"(?P<kept>\b[a-z][a-z0-9+.\-]*://[^\s:/@]*):[^\s@/]+@", re.IGNORECASE), r"\g<kept>:" + REDACTED + "@"),
    (re.compile(r"\beyJ[\w\-]+\.[\w\-]+\.[\w\-]*"), REDACTED),
    (re.compile(r"\$argon2[a-z]*\$[^\s\"']+"), REDACTED),
    (re.compile(r"(?P<kept>\bbearer)\s+[^\s\"',]+", re.IGNORECASE), r"\g<kept> " + REDACTED),
    (re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{12,}"), REDACTED),
    # What a presigned address and a signed header hold, in the spellings of a query and of XML.
    (
        re.compile(
            r"(?P<kept>(X-Amz-(Signature|Credential|Security-Token)|AWSAccessKeyId|Signature|Credential|"
            r"aws_?secret_?access_?key|aws_?session_?token)(=|%3D|\\?[\"']?: ?\\?[\"']?))[^\s&,;<\"'\\]+",
            re.IGNORECASE,
        ),
        r"\g<kept>" + REDACTED,
    ),
    (re.compile(r"(?P<kept>(password|secret|token|api_?key)=)[^\s&\"']+", re.IGNORECASE), r"\g<kept>" + REDACTED),
)
_SHORTEST_SECRET: Final = 8


class Redaction:
    """A structlog processor: no value under a secret's name, and no text of a secret's shape, gets past it.

    `secrets` are values known to this process, which are taken out wherever they stand.
    """

    def __init__(self, secrets: Collection[str] = ()) -> None:
        self._secrets = tuple(secret for secret in secrets if len(secret) >= _SHORTEST_SECRET)

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        return {name: self._clean(name, value) for name, value in event.items()}

    def _clean(self, name: object, value: object) -> Any:
        if isinstance(name, str) and _SECRET_NAME.search(name) and value is not None:
            return REDACTED
        if isinstance(value, str):
            return self.clean_text(value)
        if isinstance(value, dict):
            pairs = cast("Mapping[object, object]", value)
            return {key: self._clean(key, inner) for key, inner in pairs.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self._clean(None, item) for item in cast("Iterable[object]", value)]
        return value if value is None or isinstance(value, (bool, int, float)) else self.clean_text(str(value))

    def clean_text(self, text: str) -> str:
        """`text` without secrets."""
        for secret in self._secrets:
            text = text.replace(secret, REDACTED)
        for shape, kept in _SECRET_SHAPES:
            text = shape.sub(kept, text)
        return text
