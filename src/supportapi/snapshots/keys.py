"""Every key that we write to Redis, and the name of a version. No other file spells one.

All keys carry the hash tag `{sapi}`, so that on a cluster they fall in one slot and one script may touch them all.

    {sapi}:current                      HASH    the pointer, see `pointer.Pointer`
    {sapi}:sequence                     INT     number of the last build that began
    {sapi}:history                      ZSET    version -> sequence at which it was published last; the kept ones only
    {sapi}:events                       STREAM  one entry for each publish, bounded
    {sapi}:snap:<version>:_idx          HASH    part -> "<encoding> <key>", the parts of a published version
    {sapi}:snap:<version>:<n>:<part>    BYTES   one part, written by build number n
    {sapi}:snap:<version>:<n>:_idx      HASH    the same index while build n is being staged
    {sapi}:state:<format>:<zones>:<file>  BYTES partial state of one file, shared between versions
    {sapi}:manifest                     JSON    what the watcher saw last
    {sapi}:freshness                    STREAM  one entry each time when what is served became stale or fresh, bounded
    {sapi}:job:<id>                     JSON    one job record
    {sapi}:jobs                         ZSET    job id -> created at (seconds); bounded
    {sapi}:job-changes                  STREAM  the record of a job after each change, bounded
    {sapi}:outcomes                     HASH    "<kind> <outcome>" -> how many attempts of jobs have ended so
    {sapi}:stage-runs                   HASH    stage -> how many builds have run it
    {sapi}:stage-seconds                HASH    stage -> for how many seconds in all
    {sapi}:latest:<subject>             TEXT    id of the latest record of a version's build, or of the refresh
    {sapi}:worker:<name>                JSON    heartbeat of one worker, expires
    {sapi}:probe                        TEXT    written to see whether Redis takes writes; expires
    {sapi}:sign-outs                    STREAM  one entry for each token that was signed out, while it would have lived
    {sapi}:attempts:<digest>            INT     attempts to sign in by one measure, or that an address is known; expires
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import msgspec

from supportapi.measures.sketch import SKETCH_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Raised when code changes what a snapshot holds: a new release never serves what an old one computed.
FORMAT: Final = 8

_TAG: Final = "{sapi}"
CURRENT: Final = f"{_TAG}:current"
SEQUENCE: Final = f"{_TAG}:sequence"
HISTORY: Final = f"{_TAG}:history"
EVENTS: Final = f"{_TAG}:events"
MANIFEST: Final = f"{_TAG}:manifest"
FRESHNESS: Final = f"{_TAG}:freshness"
JOBS: Final = f"{_TAG}:jobs"
JOB_CHANGES: Final = f"{_TAG}:job-changes"
OUTCOMES: Final = f"{_TAG}:outcomes"
STAGE_RUNS: Final = f"{_TAG}:stage-runs"
STAGE_SECONDS: Final = f"{_TAG}:stage-seconds"
SIGN_OUTS: Final = f"{_TAG}:sign-outs"
PROBE: Final = f"{_TAG}:probe"
WORKERS_PATTERN: Final = f"{_TAG}:worker:*"
SNAPSHOT_PREFIX: Final = f"{_TAG}:snap:"
INDEX: Final = "_idx"

_canonical = msgspec.json.Encoder(order="sorted")


def version_of(dataset_hash: str, shape: Mapping[str, object]) -> str:
    """The name of the snapshot of a dataset: 16 hexadecimal digits over its hash, FORMAT and what shapes it."""
    document = {"dataset": dataset_hash, "format": FORMAT, "sketch": SKETCH_VERSION, "shape": dict(shape)}
    return hashlib.sha256(_canonical.encode(document)).hexdigest()[:16]


def shape_of(zones: Sequence[str], rollup_budget_mb: int) -> dict[str, object]:
    """The settings that shape results, for `version_of`. The order of the zones counts: the first is the default."""
    return {"zones": list(zones), "rollup_budget_mb": rollup_budget_mb}


def index_key(version: str) -> str:
    return f"{SNAPSHOT_PREFIX}{version}:{INDEX}"


def staged_index_key(version: str, sequence: int) -> str:
    return f"{SNAPSHOT_PREFIX}{version}:{sequence}:{INDEX}"


def part_key(version: str, sequence: int, part: str) -> str:
    return f"{SNAPSHOT_PREFIX}{version}:{sequence}:{part}"


def state_key(state_format: int, zones: Sequence[str], file_hash: str) -> str:
    """Where the partial state of one file stands: it depends on the file's bytes, the zones and the state's format."""
    shape = hashlib.sha256(_canonical.encode([SKETCH_VERSION, *zones])).hexdigest()[:8]
    return f"{_TAG}:state:{state_format}:{shape}:{file_hash}"


def job_key(job_id: str) -> str:
    return f"{_TAG}:job:{job_id}"


def latest_key(subject: str) -> str:
    return f"{_TAG}:latest:{subject}"


def worker_key(name: str) -> str:
    return f"{_TAG}:worker:{name}"


def attempts_key(digest: str) -> str:
    return f"{_TAG}:attempts:{digest}"
