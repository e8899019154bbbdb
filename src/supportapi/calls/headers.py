"""Which columns of a file a mapping means: by their letters and digits, unless two differ in nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from supportapi.calls.decode import nearest
from supportapi.errors import MappingInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping as Dictionary
    from collections.abc import Sequence

    from supportapi.calls.mapping import Mapping

LOOKUP_MISSED: Final = "lookup_missed:"
"""Before the name of a lookup: what is told of rows that name something that it lacks."""


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


def sources_behind(mapping: Mapping, headers: Dictionary[str, str]) -> dict[str, tuple[str, ...]]:
    """The file's columns behind each column of a call, and behind each lookup; `headers` are those of `headers_of`."""
    places = {name: f"columns.{name}." for name in mapping.columns.given()}
    places |= {f"{LOOKUP_MISSED}{name}": f"lookups.{name}." for name in mapping.lookups}
    return {
        name: tuple(headers[source] for at, source in mapping.sources() if f"{at}.".startswith(place))
        for name, place in places.items()
    }


def _letters(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()
