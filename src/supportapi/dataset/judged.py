"""All rows of the raw files, each with its fate: a call, part of one, rejected, a duplicate, or filtered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import polars as pl

from supportapi.calls.clean import FILTERED, ORDER, ROW, SAME, clean, clean_ready
from supportapi.calls.fold import PARTS, fold
from supportapi.calls.judge import REASON, TELLING
from supportapi.calls.mapping import Duplicates, Reading
from supportapi.calls.mapping_problems import ROW_KEY
from supportapi.calls.suggest.aggregated import may_count_calls, refuse_counts
from supportapi.dataset.altered import Alterations, alterations, write_altered
from supportapi.dataset.duplicates import INDEX, repeats
from supportapi.dataset.files import writing
from supportapi.dataset.inputs import names_of
from supportapi.dataset.located import FILE, Part, rows_of
from supportapi.dataset.lookups import load_lookups, with_lookups
from supportapi.dataset.passing import Passing
from supportapi.dataset.readers import read_raw, readable
from supportapi.dataset.rejects import Refused, refused_rows, write_rejects
from supportapi.dataset.report import FileRows
from supportapi.dataset.sink import sink
from supportapi.errors import SchemaInvalid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from supportapi.calls.mapping import Fold, Mapping
    from supportapi.dataset.raw import Raw
    from supportapi.dataset.write import Writer

    Progress = Callable[[str, int, int], None]

_LOOKED_AT: Final = 2_000
"""Rows that show whether a file's rows are calls."""
_FOLDED_AT_ONCE: Final = 4_000_000
"""Rows whose calls are held in memory together while they are folded."""


class Judged(msgspec.Struct, frozen=True):
    """`kept` are the calls to write (columns of `SCHEMA` and others); `lost` the `INDEX` of rows that repeat one."""

    parts: tuple[Part, ...]
    kept: pl.LazyFrame
    refused: Refused
    lost: pl.Series
    filtered_by_filter: dict[str, int]
    alterations: Alterations
    rejects: Path
    altered: Path
    read: int
    folded: int

    def by_file(self) -> tuple[FileRows, ...]:
        """What became of the rows of each file."""
        rows = rows_of(self.parts)
        numbers = {
            "read": _by_file(rows),
            "written": _by_file(self.kept),
            "rejected": _by_file(self.refused.rows.lazy()),
            "duplicates": _by_file(rows.filter(pl.col(INDEX).is_in(self.lost.implode()))),
            "filtered": _by_file(rows.filter(pl.col(FILTERED).is_not_null())),
        }
        counted = [{fate: counts.get(n, 0) for fate, counts in numbers.items()} for n in range(len(self.parts))]
        return tuple(
            FileRows(name=part.raw.name, folded=2 * counts["read"] - sum(counts.values()), **counts)
            for part, counts in zip(self.parts, counted, strict=True)
        )


def judged(
    files: Sequence[Path], mapping: Mapping | None, writer: Writer, tell: Progress, *, limit: int | None = None
) -> Judged:
    """Every row of `files` (of each its first `limit`) by `mapping`, kept in scratch files of `writer`.

    Raises `RawFileUnreadable`, `NotCalls`, `MappingInvalid`, `SchemaInvalid`, `DatasetNotWritable`.
    """
    parts = _clean_files(files, mapping, writer, tell, limit)
    rows = rows_of(parts)
    rule = mapping.fold if mapping is not None else None
    lost = _duplicates(rows, mapping.duplicates if mapping else Duplicates(), folding=rule is not None)
    looked_at = rows.filter(pl.col(FILTERED).is_null() & ~pl.col(INDEX).is_in(lost.implode()))
    calls = looked_at if mapping is None or rule is None else _folded(looked_at, rule, mapping, writer)
    repeated = repeats(
        calls.filter(pl.col(REASON).is_null()), ("call_id",), mapping.duplicates.keep if mapping else "first"
    )
    refused = refused_rows(rows, calls, (INDEX,) if rule is None else rule.key, lost, repeated)
    kept = calls.filter(pl.col(REASON).is_null() & ~pl.col(INDEX).is_in(repeated.implode()))
    of_rows = {reason: told for part in parts for reason, told in part.cleaned.altered.items()}
    made = _alterations(looked_at, kept, refused, list(of_rows), folding=rule is not None)
    with writing(writer.out):
        rejects = write_rejects(refused, parts, writer)
        altered = write_altered(made, of_rows | TELLING, parts, writer)
    names = [condition.told() for condition in mapping.filters] if mapping else []
    return Judged(
        parts=parts,
        kept=kept,
        refused=refused,
        lost=lost,
        filtered_by_filter=_filtered(rows, names),
        alterations=made,
        rejects=rejects,
        altered=altered,
        read=_height(rows),
        folded=0 if rule is None else int(kept.select(pl.col(PARTS).cast(pl.Int64).sum() - pl.len()).collect().item()),
    )


def _clean_files(
    files: Sequence[Path], mapping: Mapping | None, writer: Writer, tell: Progress, limit: int | None
) -> tuple[Part, ...]:
    lookups = load_lookups(mapping, writer.scratch("lookup")) if mapping else ()
    parts: list[Part] = []
    passing = Passing(lambda done, total: tell("read", done, total))
    for number, (file, name) in enumerate(zip(files, names_of(files), strict=True)):
        with writing(writer.out), readable(file):
            found = read_raw(file, mapping.read if mapping else Reading(), writer.scratch(f"raw-{number}"), name=name)
        for raw in found:
            with readable(file), writing(writer.out):
                if mapping is None or not mapping.rows_are_calls:
                    _refuse_counts(raw)
                rows = raw.rows if limit is None else raw.rows.head(limit)
                told = msgspec.structs.replace(raw, rows=with_lookups(rows, lookups))
                cleaned = clean(told.rows, mapping) if mapping else clean_ready(told.rows)
                path = writer.scratch(f"part-{len(parts)}.parquet")
                calls = passing.counted(cleaned.calls, raw.about if limit is None else limit)
                _sink(calls.with_columns(pl.lit(len(parts), dtype=pl.UInt32).alias(FILE)), path, file)
            parts.append(Part(told, cleaned, path))
    passing.done()
    return tuple(parts)


def _refuse_counts(raw: Raw) -> None:
    """Raise `NotCalls` for a table that counts calls: its rows would pass, and every number be wrong."""
    if may_count_calls(raw.rows.collect_schema().names()):
        refuse_counts(raw.rows.head(_LOOKED_AT).collect(), raw.name)


def _sink(calls: pl.LazyFrame, path: Path, file: Path) -> None:
    try:
        with sink(path) as scratch:
            calls.sink_parquet(scratch, compression="lz4", maintain_order=True, engine="streaming")
    except pl.exceptions.InvalidOperationError as cause:
        reason = str(cause).splitlines()[0]
        raise SchemaInvalid(f"A value in {file} is not of its column's kind: {reason}.", path=str(file)) from cause


def _duplicates(rows: pl.LazyFrame, rule: Duplicates, *, folding: bool) -> pl.Series:
    """The `INDEX` of rows that repeat another one."""
    key = SAME if rule.key == (ROW_KEY,) else rule.key or (() if folding else ("call_id",))
    if not key:
        return pl.Series(INDEX, [], dtype=pl.get_index_type())
    candidates = rows.filter(pl.col(REASON).is_null() & pl.col(FILTERED).is_null())
    return repeats(candidates, key, rule.keep, (ORDER,) if rule.order is not None else ())


def _folded(rows: pl.LazyFrame, rule: Fold, mapping: Mapping, writer: Writer) -> pl.LazyFrame:
    """The calls of `rows`, in scratch files: as many calls at once as memory may hold, told apart by their keys."""
    known = rows.filter(pl.all_horizontal(pl.col(rule.key).is_not_null()))
    rounds = _height(known) // _FOLDED_AT_ONCE + 1
    paths: list[Path] = []
    for number in range(rounds):
        mine = known if rounds == 1 else known.filter(pl.struct(rule.key).hash() % rounds == number)
        paths.append(writer.scratch(f"calls-{number}.parquet"))
        with writing(writer.out), sink(paths[-1]) as scratch:
            fold(mine, rule, mapping, (INDEX, FILE, ROW)).sink_parquet(scratch, compression="lz4", engine="streaming")
    return pl.scan_parquet(paths, glob=False)


def _alterations(
    rows: pl.LazyFrame, kept: pl.LazyFrame, refused: Refused, reasons: Sequence[str], *, folding: bool
) -> Alterations:
    if not folding:
        return alterations((kept, reasons))
    # What could not be read is known of rows, what is impossible of the calls that they became.
    good = rows.filter(~pl.col(INDEX).is_in(refused.rows[INDEX].implode()))
    return alterations((good, reasons), (kept, list(TELLING)))


def _filtered(rows: pl.LazyFrame, names: Sequence[str]) -> dict[str, int]:
    if not names:
        return {}
    counts = rows.filter(pl.col(FILTERED).is_not_null()).group_by(FILTERED).len().sort(FILTERED)
    found: list[tuple[int, int]] = counts.collect(engine="streaming").rows()
    return {names[number]: count for number, count in found}


def _by_file(rows: pl.LazyFrame) -> dict[int, int]:
    return {file: int(count) for file, count in rows.group_by(FILE).len().collect(engine="streaming").iter_rows()}


def _height(rows: pl.LazyFrame) -> int:
    return int(rows.select(pl.len()).collect(engine="streaming").item())
