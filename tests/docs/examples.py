"""The examples of a page, run as its reader runs them: in one folder, from the top to the bottom.

A `bash` block is given to a shell; the `python` blocks of a page are one program. What a page shows next is what was
printed: a `text` block all of it (`…` stands for anything, and one number is as good as another), a `json` block a part
of its last line. A `toml` block is a mapping, or a part of one.
"""

from __future__ import annotations

import doctest
import io
import json
import re
import tomllib
from contextlib import chdir, redirect_stdout
from typing import TYPE_CHECKING, Any, cast

import httpx
import tomli_w
from sybil import Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser

from supportapi.calls.mapping import read_mapping

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sybil import Document, Example

    from tests.docs.checkout import Checkout

ADDRESS = "localhost:8000"
"""Where every page says that the system is."""
_NUMBER = re.compile(r"(?<![a-z0-9])[0-9a-f]{16}(?![a-z0-9])|\d+(?:[.,:-]\d+)*")
_ANYTHING = "…"


def failures(page: Path, checkout: Checkout) -> Iterator[str]:
    """What is not as `page` says, each with the line of its example."""
    copied = checkout.folder / page.name
    copied.write_text(page.read_text().replace(ADDRESS, f"localhost:{checkout.port}"))
    document = _Reader(checkout).document(copied)
    for example in document.examples():
        try:
            with chdir(checkout.folder):
                example.evaluate()
        except Exception as failure:  # noqa: BLE001 - whatever an example ends with is told
            yield f"{page}:{example.line}: {type(failure).__name__}: {failure}"
    for value in document.namespace.values():
        if isinstance(value, httpx.Client):  # the program has come to its end
            value.close()


class _Reader:
    """Runs blocks, and remembers what the last one printed."""

    def __init__(self, checkout: Checkout) -> None:
        self._checkout = checkout
        self._printed: str | None = None
        self._python = PythonEvaluator()

    def document(self, page: Path) -> Document:
        blocks = {"bash": self._bash, "python": self._run_python, "text": self._text, "json": self._json, "toml": _toml}
        parsers = [CodeBlockParser(language, evaluator) for language, evaluator in blocks.items()]
        return Sybil(parsers).parse(page)

    def _bash(self, example: Example) -> None:
        self._printed = self._checkout.run(example.parsed)

    def _run_python(self, example: Example) -> None:
        with redirect_stdout(io.StringIO()) as printed:
            self._python(example)
        self._printed = printed.getvalue()

    def _text(self, example: Example) -> None:
        shown, printed = (_NUMBER.sub("0", text) for text in (example.parsed, self._last()))
        rules = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        is_like = doctest.OutputChecker().check_output(shown.replace(_ANYTHING, "..."), printed, rules)
        assert is_like, f"it prints\n{self._last()}"

    def _json(self, example: Example) -> None:
        shown, told = (dict(_leaves(json.loads(text))) for text in (example.parsed, self._last().splitlines()[-1]))
        unlike = {
            place: told.get(place, "missing") for place in shown if not _is_like(shown[place], told.get(place, ...))
        }
        assert unlike == {}, f"it answers\n{self._last()}"

    def _last(self) -> str:
        assert self._printed is not None, "nothing has been run whose output this could be"
        return self._printed


def _toml(example: Example) -> None:
    shown = tomllib.loads(example.parsed)
    columns = {"call_id": "id", "started_at": "at", **shown.get("columns", {})}
    read_mapping(tomli_w.dumps({"time_zone": "UTC", **shown, "columns": columns}))


def _leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Each value in a JSON document that holds no others, with its place."""
    if isinstance(value, dict):
        for key, part in cast("dict[str, Any]", value).items():
            yield from _leaves(part, f"{place}.{key}")
    elif isinstance(value, list):
        for index, part in enumerate(cast("list[Any]", value)):
            yield from _leaves(part, f"{place}[{index}]")
    else:
        yield place, value


def _is_like(shown: Any, told: Any) -> bool:
    """Whether they are one word, or both are numbers, or texts with a digit in them; `…` ends a text that goes on."""
    if isinstance(shown, str) and isinstance(told, str):
        begins = shown.endswith(_ANYTHING) and told.startswith(shown.removesuffix(_ANYTHING))
        return shown == told or begins or re.search(r"\d", shown) is not None
    numbers = [isinstance(value, (int, float)) and not isinstance(value, bool) for value in (shown, told)]
    return all(numbers) or shown is told
