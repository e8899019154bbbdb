from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scripts.pages import PAGES, definitions
from supportapi.rollups.catalogue import METRICS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_that_is_written_from_something_else_is_what_that_says_now(page: Path) -> None:
    assert page.read_text() == PAGES[page](), "run `make pages`"


def test_every_metric_has_a_section_with_its_formula() -> None:
    page = definitions()

    assert [metric.key for metric in METRICS if f"## {metric.label}\n\n`{metric.key}`" not in page] == []
    assert [metric.key for metric in METRICS if metric.formula not in page] == []
