"""Mapping files: from disk to `calls.mapping.Mapping`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportapi.calls.mapping import Mapping, read_mapping
from supportapi.errors import MappingInvalid

if TYPE_CHECKING:
    from pathlib import Path


def load_mapping(path: Path) -> Mapping:
    """The mapping in the TOML file `path`. Raises `MappingInvalid`, its message begins with the file's name."""
    try:
        document = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        raise MappingInvalid(
            f"The mapping {path} cannot be read: {cause}.", problems=[str(cause)], path=str(path)
        ) from cause
    try:
        return read_mapping(document)
    except MappingInvalid as cause:
        told = f"{path.name} does not say how rows become calls:\n{cause.message}"
        raise MappingInvalid(told, path=str(path), **cause.facts) from cause
