"""Rules, board and documentation of `ops/` beside what a real process answers to a scrape.

`promtool check rules` is no Python package; PromQL is read by the grammar of Prometheus itself.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.api.world import serving, settle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.api.world import World

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
BOARD: dict[str, Any] = json.loads((ROOT / "ops" / "grafana.json").read_text())
GROUPS: list[dict[str, Any]] = yaml.safe_load((ROOT / "ops" / "alerts.yml").read_text())["groups"]
RULES = [rule for group in GROUPS for rule in group["rules"]]
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
QUERIES = [
    *(target["expr"] for panel in PANELS for target in panel["targets"]),
    *(annotation["expr"] for annotation in BOARD["annotations"]["list"]),
]
OF_THE_SCRAPER = {"job", "instance"}


def read(expression: str) -> promql_parser.Expr:
    return promql_parser.parse(expression.replace("$__rate_interval", "5m"))


class Selectors(list[promql_parser.VectorSelector]):
    """Every selector of an expression."""

    def __init__(self, expression: str) -> None:
        super().__init__()
        promql_parser.walk(read(expression), self._see)

    def _see(self, part: object) -> bool:
        if isinstance(part, promql_parser.VectorSelector):
            self.append(part)
        if isinstance(part, promql_parser.MatrixSelector):
            self.append(part.vector_selector)
        return True


@pytest.fixture
async def series(world: World) -> dict[str, set[str]]:
    """The series of a scrape, and the labels of each."""
    manifest = world.source.read()
    world.see(rejected_rows=3, row_count=manifest.row_count)
    async with serving(world) as api:
        await settle(lambda: api.doors.follower.current.snapshot is not None)
        await settle(lambda: api.doors.follower.seen.totals is not None)
        await api.get("/api/metrics")
        text = (await api.client.get("/metrics")).text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {
        name: {label for sample in samples if sample.name == name for label in sample.labels}
        for name in {sample.name for sample in samples}
    }


async def test_every_series_of_the_rules_and_the_board_is_scraped_with_the_labels_that_they_ask_for(
    series: dict[str, set[str]],
) -> None:
    selectors = [found for query in [*QUERIES, *(rule["expr"] for rule in RULES)] for found in Selectors(query)]

    unknown = {found.name for found in selectors} - set(series)
    strange = [
        (found.name, matcher.name)
        for found in selectors
        for matcher in found.matchers.matchers
        if matcher.name not in series.get(str(found.name), set()) | OF_THE_SCRAPER
    ]

    assert len(selectors) > 50
    assert unknown == set()
    assert strange == []


async def test_every_series_that_is_scraped_is_explained_and_no_other(series: dict[str, set[str]]) -> None:
    table = re.findall(r"^\| (`.*?) \| (?:gauge|counter|summary|histogram)", _documented(), re.MULTILINE)
    explained = set(re.findall(r"`((?:supportapi|process)_\w+)`", "\n".join(table)))

    scraped = {re.sub(r"(_seconds)_(bucket|sum|count)$", r"\1", name) for name in series}

    assert scraped == explained


async def test_every_label_that_is_scraped_is_explained(series: dict[str, set[str]]) -> None:
    told = {label for labels in re.findall(r"` \{([a-z_, ]+)\} \|", _documented()) for label in labels.split(", ")}

    assert {label for labels in series.values() for label in labels} - {"le", "process"} == told


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_says_how_bad_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    unknown = set(rule) - {"alert", "expr", "for", "labels", "annotations"}

    assert unknown == set()
    assert re.fullmatch(r"Supportapi[A-Z]\w+", rule["alert"])
    assert re.fullmatch(r"\d+[smh]", rule.get("for", "0s"))
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"]["summary"]
    assert len(rule["annotations"]["description"]) > 40


def test_no_two_rules_have_one_name() -> None:
    names = [rule["alert"] for rule in RULES]

    assert len(set(names)) == len(names) > 10


def test_the_panels_have_places_that_do_not_overlap_and_ids_of_their_own() -> None:
    places = [place for panel in BOARD["panels"] for place in _covered(panel["gridPos"])]
    ids = [panel["id"] for panel in BOARD["panels"]]

    assert len(set(places)) == len(places)
    assert max(x for x, _ in places) < 24
    assert len(set(ids)) == len(ids)


def _covered(place: dict[str, int]) -> Iterator[tuple[int, int]]:
    for x in range(place["x"], place["x"] + place["w"]):
        for y in range(place["y"], place["y"] + place["h"]):
            yield x, y


def _documented() -> str:
    return (ROOT / "docs" / "monitoring.md").read_text()
