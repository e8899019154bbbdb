"""`supportapi ingest`: the door's work, told to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import click

from supportapi.answers.metrics import cards
from supportapi.answers.pair import Pair
from supportapi.answers.query import MetricsQuery
from supportapi.dataset.altered import LISTED_A_REASON
from supportapi.dataset.ingest import ALTERED_NAME, REJECTS_NAME, ingest, raw_folder
from supportapi.dataset.inputs import raw_files
from supportapi.dataset.look import look
from supportapi.dataset.preview import preview
from supportapi.errors import RawFileUnreadable
from supportapi.rollups.build import build
from supportapi.rollups.states import partial_state

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    import polars as pl

    from supportapi.answers.overview import KpiCard
    from supportapi.calls.manifest import Manifest
    from supportapi.dataset.placement import Placement
    from supportapi.dataset.report import IngestReport
    from supportapi.settings import Settings

    Progress = Callable[[str, int, int], None]

_CELL: Final = 28
_LABEL: Final = 36
_UNITS: Final = {"percent": " %", "seconds": " s"}
_MEBIBYTE: Final = 1 << 20


class Asked(NamedTuple):
    """What an ingest is to read: `files` by `mapping`; without any, what lies in the folder `raw`, by its mapping."""

    files: Sequence[Path]
    mapping: Path | None
    raw: Path

    def found(self) -> tuple[Sequence[Path], Path | None]:
        """The files that are meant, and their mapping. Raises `RawFileUnreadable` when there is none."""
        if self.files:
            return raw_files(self.files), self.mapping
        found, rules = raw_folder(self.raw)
        return found, self.mapping or rules


def run_ingest(
    asked: Asked,
    folder: Path,
    tell: Progress,
    *,
    placement: Placement | None = None,
    max_rejects: str | None = None,
    rejects_csv: bool = False,
) -> None:
    """Ingest what is `asked` for into the dataset in `folder`, and say what became of every row."""
    try:
        found, rules = asked.found()
    except RawFileUnreadable as nothing:
        if asked.files or nothing.facts.get("reason") != "no_files":
            raise
        # This is also what a refresh runs by default, and somebody else may write the dataset: no failure.
        click.echo(f"Nothing to ingest. {nothing.message}")
        return
    report = ingest(
        found, rules, folder, placement=placement, max_rejects=max_rejects, rejects_csv=rejects_csv,
        progress=tell,
    )  # fmt: skip
    _show(report, folder)
    _show_dataset(report, folder)


def dry_run(
    asked: Asked,
    folder: Path,
    settings: Settings,
    tell: Progress,
    *,
    limit: int | None = None,
    placement: Placement | None = None,
    max_rejects: str | None = None,
) -> None:
    """Show what an ingest would do to the dataset in `folder`, by the code that would do it, and its figures then.

    Raises as the ingest would.
    """
    found, rules = asked.found()
    with preview(
        found, rules, folder, placement=placement, max_rejects=max_rejects, limit=limit, progress=tell
    ) as seen:  # fmt: skip
        _show_rows(f"The first rows of {seen.name}", seen.before)
        _show_rows("As calls", seen.after)
        report = seen.report()
        _show(report, None)
        _show_would_be(report, folder, seen.kept_files())
        _show_figures(seen.calls(report.manifest), report.manifest.max_started_at, settings)
    of = f" of the first {limit:,} rows of each file" if limit is not None else ""
    click.echo(f"That was a dry run{of}: nothing was written.")


def run_suggest(file: Path, out: Path | None, *, rows_are_calls: bool = False) -> None:
    """Look at `file`: its suggested mapping into the file `out` or to standard output, the summary to a person."""
    found = look(file, out, rows_are_calls=rows_are_calls)
    if out is None:
        click.echo(found.document, nl=False)
    else:
        try:
            out.write_text(found.document, encoding="utf-8")
        except OSError as cause:
            raise click.ClickException(f"{out} cannot be written: {cause.strerror}.") from cause
    click.echo(found.summary, err=True)


def _show(report: IngestReport, folder: Path | None) -> None:
    click.echo(
        f"read {report.read:,} = written {report.written:,} + rejected {report.rejected:,} "
        f"+ duplicates {report.duplicates:,} + filtered {report.filtered:,} + folded {report.folded:,}"
        f"{'' if folder is None else f'   ({report.seconds:.1f} s)'}"
    )
    for reason, rows in report.rejected_by_reason.items():
        click.echo(f"  rejected: {reason}: {rows:,}{_see(folder, REJECTS_NAME)}")
    for name, rows in report.filtered_by_filter.items():
        click.echo(f"  filtered: not {name}: {rows:,}")
    for reason, values in report.altered_by_reason.items():
        more = values - report.altered_listed[reason]
        told = f"; {more:,} more than the {LISTED_A_REASON:,} listed there" if more and folder is not None else ""
        click.echo(f"  made null: {reason}: {values:,}{_see(folder, ALTERED_NAME, told)}")
    for assumed in report.assumed:
        click.echo(f"  assumed: {assumed}")


def _show_dataset(report: IngestReport, folder: Path) -> None:
    if report.appended is not None:
        done = report.appended
        click.echo(f"  added {done.added:,}, replaced {done.replaced:,}, unchanged {done.unchanged:,}")
    click.echo(f"dataset {report.dataset_hash[:16]} in {folder}: {_size(report.manifest)}")
    if _loses_months(report):
        click.echo(
            "It was a file for each month until now; --partition month, or write.partition in the mapping, keeps it so."
        )


def _show_would_be(report: IngestReport, folder: Path, live: set[str]) -> None:
    """The same of a dry run, and which months would be written: `live` are the names of the files that are there."""
    if report.appended is not None:
        todo = report.appended
        click.echo(f"  to add {todo.added:,}, to replace {todo.replaced:,}, unchanged {todo.unchanged:,}")
    click.echo(f"dataset {report.dataset_hash[:16]} would be in {folder}: {_size(report.manifest)}")
    for file in report.manifest.files if report.partition == "month" else ():
        click.echo(f"  {'stays' if file.path in live else 'to write'}: {file.path}: {_calls(file.row_count or 0)}")
    if _loses_months(report):
        click.echo(
            "It is a file for each month now; --partition month, or write.partition in the mapping, keeps it so."
        )
    click.echo()


def _size(manifest: Manifest) -> str:
    files = len(manifest.files)
    return f"{_calls(manifest.row_count or 0)} in {files} file{'' if files == 1 else 's'}"


def _calls(count: int) -> str:
    return f"{count:,} call{'' if count == 1 else 's'}"


def _loses_months(report: IngestReport) -> bool:
    return report.partition_before == "month" and report.partition == "none"


def _see(folder: Path | None, name: str, more: str = "") -> str:
    return "" if folder is None else f" (see {folder / name}{more})"


def _show_rows(title: str, rows: pl.DataFrame) -> None:
    """A line for each column, so that wide rows fit."""
    click.echo(f"{title}:")
    width = max((len(name) for name in rows.columns), default=0)
    for name, values in rows.to_dict(as_series=False).items():
        cells = "  ".join(_cell(value).ljust(_CELL) for value in values)
        click.echo(f"  {name.ljust(width)}  {cells}".rstrip())
    click.echo()


def _cell(value: object) -> str:
    text = "" if value is None else str(value).replace("\n", " ")
    return text if len(text) <= _CELL else f"{text[: _CELL - 1]}…"


def _show_figures(calls: pl.LazyFrame, as_of: datetime | None, settings: Settings) -> None:
    """The cards of the dashboard over all of `calls`; figures whose columns the calls lack are left out."""
    if as_of is None:
        return
    zones = settings.reporting_timezones
    ordered = calls.sort("started_at", "call_id")
    aggregates = build(partial_state(ordered, zones), ordered, zones, settings.rollup_budget_mb * _MEBIBYTE)
    query = MetricsQuery(range="all", compare="none")
    click.echo("The figures of all its calls would be:")
    for card in cards(Pair.of(aggregates, query, query.compare), query):
        if card.available:
            click.echo(f"  {card.label.ljust(_LABEL)}  {_figure(card)}")


def _figure(card: KpiCard) -> str:
    if card.value is None:
        return "not known"
    return f"{card.value:,}" if card.unit == "count" else f"{card.value:,.2f}{_UNITS.get(card.unit, '')}"
