"""Files that are shipped with the package: read and compressed once, and not sent to a client that has them."""

from __future__ import annotations

import gzip
import hashlib
from functools import lru_cache
from importlib.resources import files
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from supportapi.api.answer import accepts_gzip
from supportapi.api.plain import empty_response, text_response

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.resources.abc import Traversable

    from supportapi.api.plain import Plain
    from supportapi.api.trace import Trace

_MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_PACKED_ALREADY: Final = (".woff2",)


def shipped_file(trace: Trace, folder: str, name: str, headers: Mapping[str, str]) -> Plain:
    """The file `name` of `folder` for the request of `trace`: 304 when the client has it."""
    kind = PurePosixPath(name).suffix
    packing = kind not in _PACKED_ALREADY and accepts_gzip(trace.headers.get(b"accept-encoding", b""))
    tag = _tag(folder, name) + ("-gz" if packing else "")
    head = {**headers, "etag": f'"{tag}"', "vary": "Accept-Encoding, Origin"}
    if trace.headers.get(b"if-none-match", b"").decode("latin-1") == head["etag"]:
        return empty_response(304, head)
    if packing:
        return text_response(_packed(folder, name), _MEDIA_TYPES[kind], {**head, "content-encoding": "gzip"})
    return text_response(_contents(folder)[name], _MEDIA_TYPES[kind], head)


@lru_cache
def names_in(folder: str) -> frozenset[str]:
    """The names of the files of `folder`, those of its folders with a slash."""
    return frozenset(_contents(folder))


@lru_cache
def _contents(folder: str) -> dict[str, bytes]:
    # All at once: pages and what they load stay of one build when another one is put in its place on disk.
    root = files("supportapi.api").joinpath("static", folder)
    return dict(_files(root, ""))


def _files(directory: Traversable, above: str) -> Iterator[tuple[str, bytes]]:
    for entry in directory.iterdir():
        if entry.is_dir():
            yield from _files(entry, f"{above}{entry.name}/")
        else:
            yield f"{above}{entry.name}", entry.read_bytes()


@lru_cache(maxsize=256)
def _packed(folder: str, name: str) -> bytes:
    return gzip.compress(_contents(folder)[name], 9, mtime=0)


@lru_cache(maxsize=256)
def _tag(folder: str, name: str) -> str:
    return hashlib.blake2b(_contents(folder)[name], digest_size=8).hexdigest()
