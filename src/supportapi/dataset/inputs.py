"""Which files are meant by what somebody asked for: files, folders, patterns."""

from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from supportapi.errors import RawFileUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_NOT_RAW: Final = (".toml", ".md")


def raw_files(asked: Iterable[Path]) -> list[Path]:
    """The files that are meant, each once: a file itself, all of a folder, all that a pattern matches, by name.

    Of folders, hidden files, `.toml` and `.md` are left out. Raises `RawFileUnreadable` when nothing is meant.
    """
    found: list[Path] = []
    for path in asked:
        if path.is_dir():
            found += in_folder(path)
        elif path.exists() or not glob.has_magic(str(path)):
            found.append(path)
        else:
            found += _matches(path)
    return list(dict.fromkeys(found))


def in_folder(folder: Path) -> list[Path]:
    """The raw files of `folder`, by name. Raises `RawFileUnreadable` when there is none."""
    found = sorted(path for path in folder.iterdir() if _is_raw(path)) if folder.is_dir() else []
    if not found:
        raise RawFileUnreadable(f"There is no file in {folder}.", path=str(folder), reason="no_files")
    return found


def names_of(files: Sequence[Path]) -> list[str]:
    """What to call files: their names, or where those repeat their paths below the folder that holds all."""
    names = [file.name for file in files]
    if len(set(names)) == len(names):
        return names
    above = os.path.commonpath([file.absolute().parent for file in files])
    return [file.absolute().relative_to(above).as_posix() for file in files]


def _matches(pattern: Path) -> list[Path]:
    matches = sorted(Path(match) for match in glob.glob(str(pattern), recursive=True))  # noqa: PTH207 - may be absolute
    files = [path for path in matches if path.is_file()]
    if not files:
        raise RawFileUnreadable(
            f"No file matches {pattern}. Look at what is there with: ls {pattern.parent}",
            path=str(pattern), reason="no_match",
        )  # fmt: skip
    return files


def _is_raw(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".") and path.suffix.lower() not in _NOT_RAW
