"""What the generator of the site does not look at: `make docs` fails on links, and says nothing of these."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any, cast

from supportapi.api.envelope import ERROR_CODES
from tests.docs.checkout import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = ROOT / "docs"


def named(nav: Any) -> Iterator[str]:
    """The pages of a navigation."""
    if isinstance(nav, str):
        yield nav
        return
    parts = cast("dict[str, Any]", nav).values() if isinstance(nav, dict) else cast("list[Any]", nav)
    for part in parts:
        yield from named(part)


def test_the_navigation_leads_to_every_page_but_the_single_records() -> None:
    project = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]
    pages = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")}

    assert set(named(project["nav"])) == {page for page in pages if not re.match(r"decisions/\d", page)}


def test_the_guide_to_errors_knows_only_codes_that_there_are() -> None:
    page = (DOCS / "guide" / "sign-in.md").read_text()

    assert set(re.findall(r"`([A-Z]+_[A-Z_]+)`", page)) - {"SUPPORTAPI_USERS", "CORS_ORIGINS", "APP_ENV"} <= set(
        ERROR_CODES
    )
