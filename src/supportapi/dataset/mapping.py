"""Mapping files: from disk to `calls.mapping.Mapping`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from supportapi.calls.mapping import Mapping, read_mapping
from supportapi.errors import MappingInvalid

if TYPE_CHECKING:
    from pathlib import Path


def load_mapping(path: Path) -> Mapping:
    """The mapping in the TOML file `path`, its lookups found beside it.

    Raises `MappingInvalid`, its message begins with the file's name.
    """
    try:
        document = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        raise MappingInvalid(
            f"The mapping {path} cannot be read: {cause}.", problems=[str(cause)], path=str(path)
        ) from cause
    try:
        mapping = read_mapping(document)
    except MappingInvalid as cause:
        told = f"{path.name} does not say how rows become calls:\n{cause.message}"
        raise MappingInvalid(told, path=str(path), **cause.facts) from cause
    lookups = {
        name: msgspec.structs.replace(lookup, file=str(path.parent / lookup.file))
        for name, lookup in mapping.lookups.items()
    }
    return msgspec.structs.replace(mapping, lookups=lookups)
