"""What the pages tell their reader to do, done: one system, as `make dev` runs it, for all of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.docs.checkout import ROOT, Checkout
from tests.docs.examples import failures

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(300)

DOCS = ROOT / "docs"
GUIDES = [DOCS / "guide" / f"{name}.md" for name in ("sign-in", "numbers", "calls", "versions", "refresh")]
# The first page starts the system. There is something to roll back to once another version has been heard of, and the
# last pages replace the data by a handful of calls.
PAGES = [DOCS / "index.md", *GUIDES, DOCS / "bring-your-own-file.md", DOCS / "mapping.md"]
FENCE = re.compile(r"^\s*```(\S*).*?^\s*```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    checkout = Checkout(tmp_path)
    yield checkout
    checkout.end()


def test_every_example_does_what_its_page_says(checkout: Checkout) -> None:
    found = [failure for page in PAGES for failure in failures(page, checkout)]

    assert found == []


def test_no_page_of_the_guide_is_left_out() -> None:
    assert set(GUIDES) == set((DOCS / "guide").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_of_examples_has_none_in_a_language_that_nobody_runs(page: Path) -> None:
    languages = set(FENCE.findall(page.read_text()))

    # The TypeScript ones are run by `make check-client`, on the pages of the guide.
    assert languages <= {"bash", "python", "text", "json", "toml", *(["ts"] if page in GUIDES else [])}
