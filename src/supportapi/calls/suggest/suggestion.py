"""A frame in, a suggestion out: what each of our columns comes from, what stays out, and what a person must decide."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec
import polars as pl

from supportapi.calls.suggest.aggregated import refuse_counts
from supportapi.calls.suggest.events import event_log
from supportapi.calls.suggest.finding import DECIDE, Finding, Folding, Left, Value
from supportapi.calls.suggest.headers import SPOKEN, weight
from supportapi.calls.suggest.keys import Key, key_by
from supportapi.calls.suggest.labels import agent_by, customer_by, label_by, suspicious
from supportapi.calls.suggest.lengths import Length, holds_lengths, length_of, lengths_found
from supportapi.calls.suggest.newest import Newest, newest_by
from supportapi.calls.suggest.outcomes import Outcome, answered_by, only_when, resolution_by, resolved_by, talked
from supportapi.calls.suggest.personal import personal
from supportapi.calls.suggest.pickups import answered_from, lengths_between, picked_up
from supportapi.calls.suggest.ratings import rating_by
from supportapi.calls.suggest.seen import Seen, columns_seen
from supportapi.calls.suggest.span import Span, settled, span_of
from supportapi.calls.suggest.times import Times, moments, times_of
from supportapi.calls.suggest.zones import zone_column

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAMED_MONTH: Final = r"\d{1,2}\.?[ /-](?:de )?[^\W\d_]{3,10}\.?[ /-](?:de )?\d{2,4}(?:\D.*)?"
_MOST: Final = 0.9
_LABELS: Final = ("region", "channel", "issue_type")


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """How a file may become calls. `time_zone` is a name or what names it in each row, `DECIDE`, or None.

    None where the times themselves say it.
    """

    rows: int
    time_zone: Value | None
    findings: tuple[Finding, ...]
    left: tuple[Left, ...]
    fold: Folding | None = None
    newest: Newest | None = None
    rows_are_calls: bool = False
    """Whether a person said so: the mapping has to say it too."""
    suspicious: dict[str, dict[str, int]] = {}
    """Columns with words that speak against a call of a customer, and how many rows say each."""

    def to_decide(self) -> tuple[str, ...]:
        """Everything that a person should look at, most important first."""
        zone = ("time_zone: which clock were the times read from?",) if self.time_zone == DECIDE else ()
        fold = (f"fold: {self.fold.decide}",) if self.fold else ()
        return zone + fold + tuple(f"{finding.column}: {told}" for finding in self.findings for told in finding.decide)


def suggest(frame: pl.DataFrame, name: str, *, rows_are_calls: bool = False) -> Suggestion:
    """What the rows of `frame` (source columns of any type, from the file `name`) look like.

    Raises `NotCalls`, unless somebody says that `rows_are_calls`.
    """
    if not rows_are_calls:
        refuse_counts(frame, name)
    columns = columns_seen(frame)
    private = {column.name: told for column in columns if (told := personal(column))}
    open_columns = [column for column in columns if column.name not in private and column.known]
    times = [found for column in open_columns if (found := times_of(column))]
    clocks = settled([one for one in times if not holds_lengths(one)])
    span = span_of(clocks)
    zone = zone_column(open_columns) if span.time_zone == DECIDE else None
    if zone is not None:
        open_columns = [column for column in open_columns if column.name != zone["from"]]
    findings, key, remarks = _all_findings(open_columns, clocks, span, _repeats(frame))
    remarks |= {str(zone["from"]): "it is the clock of each row, see time_zone"} if zone is not None else {}
    used = {source for finding in findings for source in finding.sources}
    left = tuple(
        Left(column.name, f"{private[column.name]}: personal")
        if column.name in private
        else Left(column.name, remarks.get(column.name) or _plainly(column, clocks, findings), column.examples())
        for column in columns
        if column.name not in used
    )
    return Suggestion(
        rows=frame.height,
        time_zone=zone or span.time_zone,
        findings=tuple(findings),
        left=left,
        fold=key.fold,
        newest=key.newest,
        rows_are_calls=rows_are_calls,
        suspicious=suspicious(open_columns),
    )


def _all_findings(
    columns: Sequence[Seen], clocks: Sequence[Times], span: Span, repeated: pl.Series
) -> tuple[list[Finding], Key, dict[str, str]]:
    """One finding at most for each of our columns, how rows are calls, and why columns that come near are left out."""
    instants = [finding for finding in (span.started, span.ended) if finding]
    taken = {source for finding in instants for source in finding.sources} | {one.column.name for one in clocks}
    rest = [column for column in columns if column.name not in taken]
    lengths = _lengths(rest, clocks, span)
    measured, remarks = lengths_found(lengths, span.length)
    rest = _without(rest, measured)
    outcome = answered_by(rest)
    judged, not_ratings = _judgements(rest, outcome)
    made = _made_of_others(clocks, span, measured, lengths, known=outcome is not None)
    labels = _labels(_without(rest, judged))
    if outcome:
        measured, instants = _only_answered(measured, instants, outcome, lengths, clocks)
    if not instants or instants[0].column != "started_at":
        asked = ("when did a call start? No column tells an instant.",)
        instants = [Finding(column="started_at", sources=(), decide=asked), *instants]
    started = instants[0]
    passed = {one.column.name for one in clocks if one.column.name not in started.sources}
    no_names = passed | {length.column.name for length in lengths} | {s for one in judged for s in one.sources}
    newest = partial(newest_by, clocks=clocks, repeated=repeated, zoned=span.time_zone is None)
    key = key_by([column for column in columns if column.name not in no_names], started.sources, repeated, newest)
    by_name = {column.name: column for column in columns}
    findings = [_with_nulls(one, by_name) for one in (key.finding, *instants, *measured, *judged, *made, *labels)]
    explained = {source for one in made for source in one.sources}
    remarks = {name: why for name, why in (remarks | not_ratings).items() if name not in explained}
    remarks |= {key.newest.column: "it says which row of a call is the newest, see [duplicates]"} if key.newest else {}
    return *_folded(key, started, findings), remarks


def _repeats(frame: pl.DataFrame) -> pl.Series:
    """Which rows repeat an earlier one in every column."""
    return frame.select(~pl.struct(pl.all()).is_first_distinct()).to_series()


def _judgements(columns: Sequence[Seen], outcome: Outcome | None) -> tuple[list[Finding], dict[str, str]]:
    """What became of calls and what customers thought of them; and why other columns say neither."""
    found = [outcome.finding] if outcome else []
    for search in (resolved_by, resolution_by):
        if finding := search(_without(columns, found)):
            found.append(finding)
    rating, left = rating_by(_without(columns, found))
    return [*found, *([rating] if rating else [])], left


def _labels(columns: Sequence[Seen]) -> list[Finding]:
    """Who, where, how and why."""
    found = agent_by(columns)
    customer = customer_by(_without(columns, found))
    found += [customer] if customer else []
    for name in _LABELS:
        if finding := label_by(name, _without(columns, found)):
            found.append(finding)
    return found


def _made_of_others(
    clocks: Sequence[Times], span: Span, measured: Sequence[Finding], lengths: Sequence[Length], *, known: bool
) -> list[Finding]:
    """Lengths between instants, where no column measures them; unless it is `known`, whether calls were answered."""
    pick_up = picked_up(clocks, span)
    missing = {"wait_seconds", "duration_seconds"} - {finding.column for finding in measured}
    found = lengths_between(pick_up, span, missing) if pick_up else []
    if not known:
        answered = (answered_from(pick_up) if pick_up else None) or talked(measured, lengths)
        found += [answered] if answered else []
    return found


def _folded(key: Key, started: Finding, findings: list[Finding]) -> tuple[list[Finding], Key]:
    """The findings of a call where its rows say what happened one after the other."""
    if key.events is None or not started.sources:
        return findings, key
    log = event_log(key.events, started)
    told = {finding.column for finding in log.findings}
    return [*log.findings, *(one for one in findings if one.column not in told)], Key(key.finding, fold=log.fold)


def _lengths(columns: Sequence[Seen], clocks: Sequence[Times], span: Span) -> list[Length]:
    """Columns that can be lengths of time: their header says so, or they are written like clocks."""
    spans = _spans(clocks, span)
    found: list[Length] = []
    for column in columns:
        named = max(weight("wait_seconds", column.header), weight("duration_seconds", column.header))
        length = length_of(column, spans) if named or column.matches(r"\d+:\d{2}(:\d{2})?(\.\d+)?") == 1.0 else None
        if length is not None:
            found.append(length)
    return found


def _spans(clocks: Sequence[Times], span: Span) -> list[tuple[str, pl.Series]]:
    """The seconds from each time to each later one of the same row, where they may explain a length."""
    spans = [] if span.length is None else [("the time from start to end", span.length)]
    values = [(one.column.name, moments(one.column.texts, one.formats)) for one in clocks if one.kind == "clock"]
    for place, (first, begun) in enumerate(values):
        for last, ended in values[place + 1 :]:
            between = (ended - begun).dt.total_milliseconds() / 1000
            between = between.to_frame("b").select(pl.when(pl.col("b") < 0).then(pl.col("b") + 86_400).otherwise("b"))[
                "b"
            ]
            spans.append((f'the time from "{first}" to "{last}"', between))
    return spans


def _only_answered(
    measured: list[Finding],
    instants: list[Finding],
    outcome: Outcome,
    lengths: Sequence[Length],
    clocks: Sequence[Times],
) -> tuple[list[Finding], list[Finding]]:
    """The same findings; what says something about conversations says it only of calls that were answered."""
    by_name = {length.column.name: length.values for length in lengths}
    talk = [
        _conditioned(one, outcome, by_name[one.sources[0]], "a talk time") if one.column == "duration_seconds" else one
        for one in measured
    ]
    by_clock = {one.column.name: one for one in clocks}
    ends: list[Finding] = []
    for one in instants:
        clock = by_clock[one.sources[-1]]
        if one.column == "ended_at" and "null_words" in one.fields:
            texts = clock.column.without(tuple(one.fields["null_words"])).texts  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - words
            ends.append(_conditioned(one, outcome, moments(texts, clock.formats), "an end of the conversation"))
        else:
            ends.append(one)
    return talk, ends


def _conditioned(finding: Finding, outcome: Outcome, values: pl.Series, what: str) -> Finding:
    positive = (
        values
        if values.dtype.is_temporal()
        else values.to_frame("v").select(pl.when(pl.col("v") > 0).then("v")).to_series()
    )
    fields, why = only_when(outcome, positive, what)
    return msgspec.structs.replace(finding, fields={**finding.fields, **fields}, why=finding.why + why)


def _with_nulls(finding: Finding, by_name: dict[str, Seen]) -> Finding:
    """The same finding, with the words for "not known" that its columns hold."""
    known = finding.fields.get("null_words", ())
    said = [word for source in finding.sources for word in by_name[source].null_words]
    words = tuple(dict.fromkeys([*said, *(known if isinstance(known, tuple) else ())]))
    return msgspec.structs.replace(finding, fields={**finding.fields, "null_words": words}) if words else finding


def _without(columns: Sequence[Seen], findings: Sequence[Finding]) -> list[Seen]:
    used = {source for finding in findings for source in finding.sources}
    return [column for column in columns if column.name not in used]


def _plainly(column: Seen, clocks: Sequence[Times], findings: Sequence[Finding]) -> str:
    """Why a column stays out of which nothing else is known."""
    if not column.known:
        return "it is empty"
    if column.distinct == 1 and column.rows > 1:
        return "it says the same in every row that says something"
    if any(one.column.name == column.name for one in clocks):
        return "another instant of the call"
    if column.matches(_NAMED_MONTH) > _MOST:
        return "it looks like dates with names of months, of which only English ones can be read: export numbers"
    clearer = [one for one in findings if one.column in SPOKEN and one.sources and weight(one.column, column.header)]
    if clearer:
        return f'may be {clearer[0].column} too, which "{clearer[0].sources[0]}" says more clearly'
    kind = "numbers" if column.matches(r"-?\d+([.,]\d+)?") == 1.0 else "texts"
    return f"{column.distinct:,} different {kind}; nothing says that they are one of ours"
