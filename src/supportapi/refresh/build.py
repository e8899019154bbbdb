"""From a manifest to a published version, stage by stage. What is served is not touched until the last step.

pin      copy and verify the dataset's files
states   one partial state for each file; those of unchanged files are on the shelf already
merge    add the states
build    lattices and row codes
audit    the rollup against the plain rows
prepare  the answers that everybody asks for
save     the arrays, for the processes of this machine
publish  stage every part, then point at them
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import msgspec
import polars as pl
import structlog

from supportapi.answers.meta import Truth
from supportapi.calls.day_digests import day_digests
from supportapi.calls.record import SCHEMA, canonical
from supportapi.calls.validate import refuse_shared_ids, validate
from supportapi.errors import AuditFailed, ManifestInvalid, SchemaInvalid, SupportApiError
from supportapi.refresh.difference import compared_parts, difference
from supportapi.refresh.reading import reading
from supportapi.rollups.audit import audit
from supportapi.rollups.build import build as build_aggregates
from supportapi.rollups.states import STATE_FORMAT, PartialState, merge, partial_state
from supportapi.snapshots.keys import FORMAT, state_key
from supportapi.snapshots.pointer import CARD, DAYS, PREPARED, STATE_PREFIX, CoveredFile, VersionCard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from supportapi.calls.manifest import Manifest, ManifestFile
    from supportapi.refresh.progress import Progress
    from supportapi.refresh.records import JobRecord
    from supportapi.refresh.workshop import Workshop
    from supportapi.rollups.aggregates import Aggregates

_LOG: Final = structlog.get_logger()
_MEBIBYTE: Final = 1 << 20
_SHOWN_MISMATCHES: Final = 3
SUPERSEDED: Final = "SUPERSEDED"
ROLLED_BACK: Final = "ROLLED_BACK"


class CalledOff(Exception):
    """A build that nobody wants any more: nothing is wrong. `code` and `facts` are those of a record's reason."""

    def __init__(self, code: str, message: str, **facts: object) -> None:
        super().__init__(message)
        self.code = code
        self.facts = facts


def build(workshop: Workshop, record: JobRecord, progress: Progress) -> dict[str, Any]:
    """Build and publish the version of `record`, and say what was done.

    Raises `CalledOff` when the manifest wants another one (whoever noticed has asked for that) or when an admin went
    back from this one, and the errors of the doors and of the data: `Manifest*`, `Data*`, `SchemaInvalid`,
    `AuditFailed`, `SnapshotIncomplete`, `PublishRefused`, `ShelfUnavailable`.
    """
    manifest = workshop.source.read()
    version = workshop.wanted(manifest)
    if version != record.version:
        changed = f"The manifest changed before this build began: version {version} is wanted now."
        raise CalledOff(SUPERSEDED, changed, wanted=version)
    sequence = workshop.shelf.next_sequence()
    # In this order: who goes back after the look has a number above ours, and our publish is refused.
    current = workshop.shelf.current()
    if current is not None and current.rollback is not None and current.holds_off(version):
        by = current.rollback.by
        raise CalledOff(ROLLED_BACK, f"{by} went back from version {version}: it is not published by itself.", by=by)
    if workshop.arrays.has(version) and workshop.shelf.complete(version):
        told = difference(workshop.shelf, compared_parts(workshop.shelf, version))
        outcome = workshop.shelf.activate(version, sequence, manifest.hash, told)
        return {"outcome": outcome, "sequence": sequence, "from_shelf": True}
    return _Build(workshop, manifest, version, sequence, progress).run()


def make_aggregates(
    states: Sequence[bytes], paths: Sequence[Path], zones: Sequence[str], rollup_budget_mb: int
) -> Aggregates:
    """The aggregates of a version that another machine built, from its partial states and our copies of its rows.

    Raises `DataCorrupt` and `SchemaInvalid` when the rows cannot be read.
    """
    merged = merge([PartialState.decode(state) for state in states])
    with reading(*paths):
        return build_aggregates(merged, calls_of(paths), zones, rollup_budget_mb * _MEBIBYTE)


def calls_of(paths: Sequence[Path]) -> pl.LazyFrame:
    """The calls of a dataset's files, columns of `SCHEMA`; lazy. None for no files."""
    return pl.concat([canonical(pl.scan_parquet(path)) for path in paths]) if paths else pl.LazyFrame(schema=SCHEMA)


def _tidy(workshop: Workshop) -> None:
    """Remove this machine's arrays and pinned files that neither a kept version needs nor what the manifest asks for.

    Another worker of this machine may be building the latter.
    """
    # The version is published: what could not be removed now is removed after the next build.
    try:
        manifest = workshop.source.read()
        kept = [entry.card for entry in workshop.shelf.history()]
        workshop.arrays.prune({workshop.wanted(manifest), *(card.version for card in kept)})
        live = {file.hash for file in manifest.files}
        workshop.pinned.prune(live | {file.hash for card in kept for file in card.files}, live)
    except (OSError, SupportApiError) as cause:
        _LOG.warning("build.not_tidied", reason=str(cause))


class _Build:
    """One build of one version: what its stages hand on to each other."""

    def __init__(self, workshop: Workshop, manifest: Manifest, version: str, sequence: int, progress: Progress) -> None:
        self._workshop = workshop
        self._manifest = manifest
        self._version = version
        self._sequence = sequence
        self._progress = progress
        self._began = time.monotonic()
        self._state_keys = {file.hash: state_key(STATE_FORMAT, workshop.zones, file.hash) for file in manifest.files}

    def run(self) -> dict[str, Any]:
        workshop, progress = self._workshop, self._progress
        with progress.stage("pin"):
            paths = self._pin()
        with progress.stage("states"):
            states, fresh = self._states(paths)
        with progress.stage("merge"):
            merged = merge(states)
        with progress.stage("build"), reading(*paths.values()):
            calls = calls_of(list(paths.values()))
            aggregates = build_aggregates(merged, calls, workshop.zones, workshop.rollup_budget_mb * _MEBIBYTE)
        with progress.stage("audit"), reading(*paths.values()):
            report = self._audit(aggregates, calls)
        card = self._card(aggregates, paths)
        with progress.stage("prepare"), reading(*paths.values()):
            days = msgspec.json.encode(day_digests(calls, workshop.zones[0]))
            prepared = msgspec.msgpack.encode(list(workshop.prepare(aggregates, _truth(card))))
        with progress.stage("save"):
            workshop.arrays.save(self._version, *aggregates.to_arrays())
        with progress.stage("publish"):
            parts = {CARD: msgspec.json.encode(card), "audit": report, DAYS: days, PREPARED: prepared}
            shared = {f"{STATE_PREFIX}{file_hash}": key for file_hash, key in self._state_keys.items()}
            workshop.shelf.stage(self._version, self._sequence, parts, shared)
            told = difference(workshop.shelf, parts)
            outcome = workshop.shelf.publish(self._version, self._sequence, self._manifest.hash, told)
        _tidy(workshop)
        done = {"outcome": outcome, "sequence": self._sequence, "rows": card.rows, "states_built": fresh}
        return done | {"seconds": round(time.monotonic() - self._began, 3)}

    def _pin(self) -> dict[str, Path]:
        """Where the verified copy of each file is; each holds what the manifest promises of it."""
        files = self._manifest.files
        paths: dict[str, Path] = {}
        for number, file in enumerate(files):
            self._progress.done("pin", number, len(files))
            paths[file.hash] = self._workshop.pinned.path(file)
            _check_promises(self._manifest, file, paths[file.hash])
        return paths

    def _states(self, paths: Mapping[str, Path]) -> tuple[list[PartialState], int]:
        """The partial state of each file, and how many had to be computed."""
        states: list[PartialState] = []
        fresh = 0
        for number, (file_hash, path) in enumerate(paths.items()):
            self._progress.done("states", number, len(paths))
            kept = self._workshop.shelf.state(self._state_keys[file_hash])
            if kept is not None:
                states.append(PartialState.decode(kept))
                continue
            with reading(path):
                calls = calls_of([path])
                validate(calls)
                state = partial_state(calls, self._workshop.zones)
            self._workshop.shelf.keep_state(self._state_keys[file_hash], state.encode())
            states.append(state)
            fresh += 1
        if len(paths) > 1:
            # Whichever of the files are new: their being together is.
            with reading(*paths.values()):
                refuse_shared_ids(calls_of(list(paths.values())))
        return states, fresh

    def _audit(self, aggregates: Aggregates, calls: pl.LazyFrame) -> bytes:
        # Another seed each time: over many builds, many questions are asked.
        began = time.monotonic()
        report = audit(aggregates, calls, self._workshop.audit_queries, self._sequence)
        failing = sum(bool(asked.mismatches) for asked in report.questions)
        if failing:
            raise AuditFailed(
                f"The rollup and the rows disagree in {failing} of {report.queries} questions.",
                queries=report.queries,
                mismatches=report.failing(_SHOWN_MISMATCHES),
                seed=self._sequence,
            )
        return msgspec.json.encode(msgspec.structs.replace(report, seconds=round(time.monotonic() - began, 3)))

    def _card(self, aggregates: Aggregates, paths: Mapping[str, Path]) -> VersionCard:
        workshop, manifest = self._workshop, self._manifest
        return VersionCard(
            version=self._version,
            dataset_hash=manifest.hash,
            format=FORMAT,
            built_at=workshop.records.clock(),
            build_seconds=round(time.monotonic() - self._began, 3),
            rows=aggregates.row_count,
            columns=tuple(sorted(aggregates.columns_present)),
            min_started_at=aggregates.min_started_at,
            max_started_at=aggregates.max_started_at,
            as_of=aggregates.max_started_at,
            files=tuple(
                CoveredFile(path=file.path, hash=file.hash, rows=_row_count(paths[file.hash]))
                for file in manifest.files
            ),
            zones=workshop.zones,
            audit_queries=workshop.audit_queries,
            host=workshop.host,
            dataset=manifest.dataset,
            source=manifest.source,
            stage_seconds=dict(self._progress.seconds),
        )


def _check_promises(manifest: Manifest, file: ManifestFile, path: Path) -> None:
    """Raises `SchemaInvalid` or `ManifestInvalid` when columns or rows are not those that the manifest promises."""
    with reading(path):
        names = pl.scan_parquet(path).collect_schema().names()
        rows = _row_count(path)
    absent = [column for column in manifest.columns or () if column not in names]
    if absent:
        raise SchemaInvalid(
            f"The manifest promises columns that {file.path} does not have: {', '.join(absent)}.",
            problems=[{"reason": "column_missing", "column": column} for column in absent],
            path=file.path,
        )
    if file.row_count is not None and file.row_count != rows:
        raise ManifestInvalid(
            f"{file.path} has {rows} rows, the manifest says {file.row_count}.",
            reason="row_count", path=file.path, expected=file.row_count, found=rows,
        )  # fmt: skip


def _row_count(path: Path) -> int:
    # From the footer: no row is read.
    return pl.scan_parquet(path).select(pl.len()).collect().item()


def _truth(card: VersionCard) -> Truth:
    return Truth(version=card.version, dataset_hash=card.dataset_hash, as_of=card.as_of, built_at=card.built_at)
