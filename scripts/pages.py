"""The pages of docs/ that are written from something else, the catalogue and the decision records: `make pages`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from supportapi.measures.tally import THRESHOLDS_SECONDS
from supportapi.rollups.catalogue import DEFAULT_THRESHOLD_SECONDS, METRICS, VARIANTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from supportapi.rollups.catalogue import Additivity, Better, Metric

DOCS: Final = Path(__file__).parents[1] / "docs"
RECORDS: Final = DOCS / "decisions"
_RECORDS: Final = """\
# Decision records

One page for each choice that somebody might want to reopen: context, decision, consequences, alternatives. A record is
superseded, never edited.

"""
_BEGINNING: Final = """\
# What each metric means

This page is written from the catalogue by which the service computes (`make pages`); `GET /api/metrics/catalogue`
tells the same, and what the live data can give. Cards, series, breakdowns, the leaderboard and exports all use these
formulas, so that one is the sum of the other.

- A call belongs to the window that holds its `started_at`: half-open days in the reporting time zone.
- What is not known is null: in a group without calls counts are 0, and ratios, means and percentiles are null.
- A metric whose columns the data lacks is not available, with the reason `column_absent`; it is never 0.
- Counts are added first and divided last: the rate of a month is not the mean of its days' rates.
"""
_BETTER: Final[dict[Better, str]] = {"up": "more is better", "down": "less is better", "none": "neither is better"}
_ADDS: Final[dict[Additivity, str]] = {
    "sum": "they are added",
    "ratio": "added above and below the line, then divided",
    "max": "the largest",
    "sketch": "their sketches are merged",
}


def definitions() -> str:
    """What each metric means."""
    return "\n".join([_BEGINNING, *(_section(metric) for metric in METRICS)])


def _section(metric: Metric) -> str:
    facts: list[str] = [
        f"Needs {_listed(metric.columns)}." if metric.columns else "Needs no column that may be absent.",
        f"{metric.null_policy[0].upper()}{metric.null_policy[1:]}. Of several groups: {_ADDS[metric.adds]}.",
        *([f"With it come {_listed(metric.counts)}."] if metric.counts else []),
        *([f"Not told of one agent: `{metric.agent_reason}`."] if metric.agent_reason else []),
        *(_service_level() if metric.key == "service_level" else []),
    ]
    lines = "\n".join(f"- {fact}" for fact in facts)
    return (
        f"## {metric.label}\n\n`{metric.key}`, {metric.unit}, {_BETTER[metric.better]}: {metric.formula}.\n\n{lines}\n"
    )


def _service_level() -> Iterator[str]:
    seconds = ", ".join(map(str, THRESHOLDS_SECONDS))
    yield f"`threshold` is one of {seconds} s, all exact; {DEFAULT_THRESHOLD_SECONDS} s when it is not said."
    for variant, denominator in VARIANTS.items():
        yield f"With `variant={variant}` it is divided by the {denominator}."


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def decisions() -> str:
    """The list of the records, by their own titles."""
    titles = {path.name: path.read_text().partition("\n")[0].removeprefix("# ") for path in RECORDS.glob("[0-9]*.md")}
    return _RECORDS + "".join(f"- [{title}]({name})\n" for name, title in sorted(titles.items()))


PAGES: Final = {DOCS / "definitions.md": definitions, RECORDS / "index.md": decisions}

if __name__ == "__main__":
    for page, written in PAGES.items():
        page.write_text(written())
