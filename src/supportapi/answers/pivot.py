"""Pivots: one metric by the members of two dimensions, with the totals of both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

import msgspec
import numpy as np
from msgspec import Meta as Doc
from numpy.typing import NDArray

from supportapi.answers.breakdown import RATING_LABELS, best_rating_first, most_calls_first
from supportapi.answers.choice import Dimension, axis_of
from supportapi.answers.drill_down import CallsUrl, spelled
from supportapi.answers.figures import Figures, figures, known_all
from supportapi.rollups.catalogue import Metric, Unit, availability

if TYPE_CHECKING:
    from supportapi.answers.choice import PivotAxes
    from supportapi.answers.drill_down import DrillDown
    from supportapi.answers.pair import Pair
    from supportapi.answers.query import MetricsQuery


class PivotMember(msgspec.Struct, frozen=True, kw_only=True):
    """One column."""

    key: Annotated[str, Doc(description="`null` stands for the calls whose value is not known.", examples=["North"])]
    label: str


class PivotLinks(msgspec.Struct, frozen=True, kw_only=True):
    """Where the calls of a line are; those of other columns have no key, and so no link."""

    calls: Annotated[list[CallsUrl], Doc(description="One for each column.")]
    total: CallsUrl


class PivotLine(msgspec.Struct, frozen=True, kw_only=True):
    """The metric along the columns."""

    values: Annotated[list[float | None], Doc(description="One for each column; null where it is not known.")]
    other: Annotated[float | None, Doc(description="All other columns as one; null also when there are none.")]
    total: Annotated[float | None, Doc(description="All columns as one: of all their calls, not of their values.")]
    links: Annotated[PivotLinks | None, Doc(description="Null for all other rows as one, which have no key.")]


class PivotRow(PivotLine, frozen=True, kw_only=True):
    """One row."""

    key: Annotated[str, Doc(description="`null` stands for the calls whose value is not known.", examples=["Billing"])]
    label: str


class Pivot(msgspec.Struct, frozen=True, kw_only=True):
    """One metric by two dimensions: those members of each that have most calls, the others as one."""

    row_dimension: Dimension
    column_dimension: Dimension
    key: Annotated[str, Doc(examples=["calls"])]
    label: str
    unit: Unit
    available: bool
    reason: Annotated[str | None, Doc(description="Why it is not available.", examples=["column_absent"])]
    columns: list[PivotMember]
    other_columns: Annotated[int, Doc(description="How many columns are in `other`.")]
    rows: list[PivotRow]
    other_rows: Annotated[int, Doc(description="How many rows are in `other`.")]
    other: Annotated[PivotLine | None, Doc(description="All other rows as one; null when there are none.")]
    totals: Annotated[PivotLine, Doc(description="All rows as one.")]


class _Side(msgspec.Struct, frozen=True):
    """The members along one side: `first` have a line of their own, `rest` share one. Positions along `axis`."""

    dimension: Dimension
    keys: tuple[str, ...]
    first: NDArray[np.intp]
    rest: NDArray[np.intp]

    @property
    def groups(self) -> list[NDArray[np.intp]]:
        """What each line holds, but for the last one, which is all of them."""
        return [*self.first.reshape((-1, 1)), *([self.rest] if self.rest.size else [])]


def pivot(pair: Pair, query: MetricsQuery, metric: Metric) -> Pivot:
    """`metric` of the window by the dimensions of `query.pivot`."""
    rows, columns = (_side(pair, dimension, query.pivot_top) for dimension in dimensions_of(query.pivot))
    by_agent = "agent" in (rows.dimension, columns.dimension)
    reason = availability(metric, pair.aggregates.columns_present, by_agent=by_agent)
    if reason is not None:
        values = np.full((len(rows.groups) + 1, len(columns.groups) + 1), np.nan)
    elif rows.dimension == "rating":
        # Nobody can ask for the calls of one rating alone, so the other side is taken line by line.
        values = _values(pair, columns, rows, metric).T
    else:
        values = _values(pair, rows, columns, metric)
    links = _links(pair.drill_down(query.threshold, query.variant), rows, columns, None if reason else metric)
    lines = [_line(each, columns, metric, link) for each, link in zip(values, links, strict=True)]
    labels, column_labels = _labels(pair, rows.dimension), _labels(pair, columns.dimension)
    return Pivot(
        row_dimension=rows.dimension,
        column_dimension=columns.dimension,
        key=metric.key,
        label=metric.label,
        unit=metric.unit,
        available=reason is None,
        reason=reason,
        columns=[PivotMember(key=key, label=column_labels[key]) for key in _keys(columns)],
        other_columns=len(columns.rest),
        rows=[
            PivotRow(key=key, label=labels[key], **msgspec.structs.asdict(line))
            for key, line in zip(_keys(rows), lines, strict=False)
        ],
        other_rows=len(rows.rest),
        other=lines[-2] if rows.rest.size else None,
        totals=lines[-1],
    )


def dimensions_of(axes: PivotAxes) -> tuple[Dimension, Dimension]:
    """The dimensions of the rows and of the columns."""
    rows, columns = axes.split(",")
    return cast("Dimension", rows), cast("Dimension", columns)


def _side(pair: Pair, dimension: Dimension, top: int) -> _Side:
    """The members that have calls, most calls first, or ratings from 5 down."""
    answer = pair.now.tally((axis_of(dimension),))
    keys: tuple[str, ...] = tuple(str(key) for key in answer.keys[0])
    calls: list[int] = answer.tally["calls"].tolist()
    members = [at for at, count in enumerate(calls) if count]
    rated = dimension == "rating"
    order = best_rating_first(members, keys) if rated else most_calls_first(members, keys, calls)
    return _Side(dimension, keys, np.array(order[:top], np.intp), np.array(order[top:], np.intp))


def _values(pair: Pair, rows: _Side, columns: _Side, metric: Metric) -> NDArray[np.float64]:
    """`metric` of each group of rows and each of columns; the last line of either side is all of them together."""
    axis = axis_of(rows.dimension)
    groups: list[list[int]] = [group.tolist() for group in rows.groups]
    selections = [*(pair.narrowed(axis, (rows.keys[at] for at in group)) for group in groups), pair.now]
    by = (axis_of(columns.dimension),)
    return np.array([_along(figures(selection, by, (metric,)), columns, metric) for selection in selections])


def _along(found: Figures, columns: _Side, metric: Metric) -> list[float]:
    every = np.arange(len(columns.keys))
    return [float(found.together(group).values[metric.key][0]) for group in (*columns.groups, every)]


def _line(values: NDArray[np.float64], columns: _Side, metric: Metric, links: PivotLinks | None) -> PivotLine:
    listed = known_all(values, metric.unit)
    return PivotLine(
        values=listed[: len(columns.first)],
        other=listed[-2] if columns.rest.size else None,
        total=listed[-1],
        links=links,
    )


def _links(drill_down: DrillDown, rows: _Side, columns: _Side, metric: Metric | None) -> list[PivotLinks | None]:
    """Those of each line, as `_values` has them; of no metric they lead nowhere."""
    kept = None if metric is None else drill_down.kept(metric)
    row, column = axis_of(rows.dimension), axis_of(columns.dimension)
    cells = [{column: spelled(key)} for key in _keys(columns)]

    def line(among: dict[str, str]) -> PivotLinks:
        return PivotLinks(
            calls=[drill_down.link(kept, among | cell) for cell in cells], total=drill_down.link(kept, among)
        )

    rest = [None] if rows.rest.size else []
    return [*(line({row: spelled(key)}) for key in _keys(rows)), *rest, line({})]


def _keys(side: _Side) -> list[str]:
    return [side.keys[at] for at in side.first.tolist()]


def _labels(pair: Pair, dimension: Dimension) -> dict[str, str]:
    return RATING_LABELS if dimension == "rating" else pair.labels(axis_of(dimension))
