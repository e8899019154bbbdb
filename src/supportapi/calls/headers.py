"""Which columns of a file a mapping means: by their letters and digits, unless two differ in nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from supportapi.calls.decode import nearest
from supportapi.errors import MappingInvalid

if TYPE_CHECKING:
    from collections.abc import Sequence


def headers_of(names: Sequence[str], wanted: Sequence[tuple[str, str]], where: str = "the file") -> dict[str, str]:
    """For each column in `wanted` (the mapping's place, the name there) the one of `names` that it means.

    Raises `MappingInvalid` with all `problems` at once; `where` says whose columns they are.
    """
    headers: dict[str, str] = {}
    problems: list[str] = []
    for place, name in wanted:
        matches = [name] if name in names else [found for found in names if _letters(found) == _letters(name)]
        if len(matches) == 1:
            headers[name] = matches[0]
        elif matches:
            problems.append(f"{place}: '{name}' may be any of {', '.join(matches)}; write it exactly.")
        else:
            problems.append(f"{place}: {where} has no column '{name}'; {nearest(name, list(names))}")
    if problems:
        raise MappingInvalid("\n".join(problems), problems=problems)
    return headers


def _letters(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()
