"""Cursors: where a reader stands in a list of one version, signed, so that it cannot be pointed at anything else."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from typing import Final

import msgspec

from supportapi.errors import ValidationFailed

_PLACE: Final = struct.Struct(">8sQ")
_SIGNATURE_BYTES: Final = 16
_FOREIGN: Final = (
    "This is no cursor of this list: it was altered, or it belongs to other filters or another order. Follow "
    "'links.cursor' as it is, or begin again without one."
)


class Cursor(msgspec.Struct, frozen=True):
    """The version that is read, and how many rows of it have been."""

    version: str
    offset: int


class Cursors:
    """Spells and reads cursors. `question` is whatever a cursor is bound to beside its version."""

    def __init__(self, secret_key: str) -> None:
        # Derived, as the key of the tokens is, so that neither can stand for the other.
        self._key = hashlib.sha256(b"supportapi/cursor:" + secret_key.encode()).digest()

    def spell(self, cursor: Cursor, question: str) -> str:
        """The cursor as a word for a query string."""
        place = _PLACE.pack(bytes.fromhex(cursor.version), cursor.offset)
        return _spelled(place + self._sign(place, question))

    def read(self, word: str, question: str) -> Cursor:
        """The cursor that `word` spells. Raises `ValidationFailed` when we did not spell it for this `question`."""
        try:
            spelled = base64.b64decode(word + "=" * (-len(word) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            spelled = b""
        place, signature = spelled[: _PLACE.size], spelled[_PLACE.size :]
        ours = len(place) == _PLACE.size and hmac.compare_digest(signature, self._sign(place, question))
        # A cursor has one spelling: neither padding nor the bits of its last letter that say nothing are free.
        if not ours or word != _spelled(spelled):
            raise ValidationFailed([{"field": "cursor", "message": _FOREIGN}])
        version, offset = _PLACE.unpack(place)
        return Cursor(version.hex(), offset)

    def _sign(self, place: bytes, question: str) -> bytes:
        return hmac.digest(self._key, place + question.encode(), "sha256")[:_SIGNATURE_BYTES]


def _spelled(cursor: bytes) -> str:
    return base64.urlsafe_b64encode(cursor).rstrip(b"=").decode()
