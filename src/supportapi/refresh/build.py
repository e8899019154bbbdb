"""From a manifest to a published version, stage by stage. What is served is not touched until the last step.

pin      copy and verify the dataset's files
states   one partial state for each file; those of unchanged files are kept on the shelf, and beside the files
merge    add the states, once no call is in two files
build    lattices and row codes
audit    the rollup against the plain rows; of a small change, against those of the days that changed and of some others
prepare  the answers that everybody asks for
save     the arrays, for the processes of this machine
publish  stage every part, then point at them

A version that is whole on this machine, and that Redis has lost, needs no stage between `states` and `publish`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import msgspec
import polars as pl
import structlog

from supportapi.answers.meta import Truth
from supportapi.calls.day_digests import added_up
from supportapi.calls.validate import refuse_shared_ids
from supportapi.errors import AuditFailed, ManifestInvalid, SchemaInvalid, SupportApiError
from supportapi.refresh.difference import compared_parts, difference
from supportapi.refresh.file_digests import before, changed_since, file_digests
from supportapi.refresh.file_states import FileStates
from supportapi.refresh.reading import calls_of, reading
from supportapi.rollups.audit import audit
from supportapi.rollups.build import build as build_aggregates
from supportapi.rollups.states import PartialState, merge
from supportapi.snapshots.keys import FORMAT
from supportapi.snapshots.pointer import CARD, DAYS, FILE_DAYS, PREPARED, STATE_PREFIX, CoveredFile, VersionCard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from supportapi.calls.manifest import Manifest, ManifestFile
    from supportapi.calls.window import Window
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


def _tidy(workshop: Workshop) -> None:
    """Remove what neither a kept version needs nor the live manifest: arrays and files here, partial states.

    Another worker of this machine may be building the latter.
    """
    # The version is published: what could not be removed now is removed after the next build.
    try:
        manifest = workshop.source.read()
        kept = [entry.card for entry in workshop.shelf.history()]
        workshop.arrays.prune({workshop.wanted(manifest), *(card.version for card in kept)})
        live = {file.hash for file in manifest.files}
        needed = live | {file.hash for card in kept for file in card.files}
        workshop.pinned.prune(needed, live)
        FileStates(workshop).forget(needed)
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
        self._states = FileStates(workshop)

    def run(self) -> dict[str, Any]:
        workshop, progress = self._workshop, self._progress
        with progress.stage("pin"):
            paths = self._pin()
        with progress.stage("states"):
            states = self._states.of(paths, progress)
        # Whole on this machine: it was audited and published before, and Redis has lost it.
        kept = workshop.arrays.parts(self._version)
        parts = self._made(states, paths) if kept is None else kept
        with progress.stage("publish"):
            shared = {f"{STATE_PREFIX}{file_hash}": self._states.key(file_hash) for file_hash in paths}
            workshop.shelf.stage(self._version, self._sequence, parts, shared)
            told = difference(workshop.shelf, parts)
            outcome = workshop.shelf.publish(self._version, self._sequence, self._manifest.hash, told)
        _tidy(workshop)
        done = {"outcome": outcome, "sequence": self._sequence, "from_disk": kept is not None}
        done |= {"rows": sum(_row_count(path) for path in paths.values()), "states_built": self._states.computed}
        return done | {"seconds": round(time.monotonic() - self._began, 3)}

    def _made(self, states: Sequence[bytes], paths: Mapping[str, Path]) -> dict[str, bytes]:
        """The parts of the version, whose arrays are on this machine then."""
        workshop, progress = self._workshop, self._progress
        calls = calls_of(list(paths.values()))
        with progress.stage("merge"), reading(*paths.values()):
            if len(paths) > 1:
                # Whichever of the files are new: their being together is.
                refuse_shared_ids(calls)
            merged = merge([PartialState.decode(state) for state in states])
        with progress.stage("build"), reading(*paths.values()):
            aggregates = build_aggregates(merged, calls, workshop.zones, workshop.rollup_budget_mb * _MEBIBYTE)
        with progress.stage("audit"), reading(*paths.values()):
            known = before(workshop.shelf, workshop.zones[0])
            by_file = file_digests(paths, workshop.zones[0], known)
            days = added_up(by_file.files.values())
            report = self._audit(aggregates, calls, changed_since(known, days))
        card = self._card(aggregates, paths)
        with progress.stage("prepare"), reading(*paths.values()):
            prepared = msgspec.msgpack.encode(list(workshop.prepare(aggregates, _truth(card))))
        parts = {
            CARD: msgspec.json.encode(card),
            "audit": report,
            DAYS: msgspec.json.encode(days),
            FILE_DAYS: msgspec.json.encode(by_file),
            PREPARED: prepared,
        }
        with progress.stage("save"):
            workshop.arrays.save(self._version, *aggregates.to_arrays(), parts)
        return parts

    def _pin(self) -> dict[str, Path]:
        """Where the verified copy of each file is; each holds what the manifest promises of it."""
        files = self._manifest.files
        paths: dict[str, Path] = {}
        for number, file in enumerate(files):
            self._progress.done("pin", number, len(files))
            paths[file.hash] = self._workshop.pinned.path(file)
            _check_promises(self._manifest, file, paths[file.hash])
        return paths

    def _audit(self, aggregates: Aggregates, calls: pl.LazyFrame, changed: Window | None) -> bytes:
        # Another seed each time: over many builds, many questions are asked.
        began = time.monotonic()
        report = audit(aggregates, calls, self._workshop.audit_queries, self._sequence, changed)
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
