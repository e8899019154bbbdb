"""Whenever an ingest is ended, and whatever it lacks: the live dataset is the old one, whole, or the new one, whole."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from supportapi.calls.manifest import Manifest, read_manifest
from supportapi.dataset.files import LOCK_NAME
from supportapi.dataset.ingest import IngestReport, ingest
from supportapi.dataset.parquet import holds, month_in
from supportapi.dataset.placement import Placement

if TYPE_CHECKING:
    from pathlib import Path

MAPPING = """
time_zone = "UTC"
[columns]
call_id = "id"
started_at = { from = "start", formats = "epoch_seconds" }
region = "region"
wait_seconds = "wait"
"""
HEADER = "id,start,region,wait\n"
OLD = HEADER + "a,1715000000,North,1\nb,1718000000,South,\n"
CALLS = 200_000
MONTHS_SECONDS = 20_000_000
"""Over which the many calls are spread: eight months."""
PLACEMENTS = {
    "one file": Placement("none"),
    "months": Placement("month"),
    "appended to one file": Placement("none", append=True),
    "appended to months": Placement("month", append=True),
}
CHILD = """
import sys
from pathlib import Path
from supportapi.dataset.ingest import ingest
from supportapi.dataset.placement import Placement
from supportapi.errors import DatasetNotWritable
{before}
print("ready", flush=True)
raw, mapping, out, partition, append = sys.argv[1:]
try:
    ingest([Path(raw)], Path(mapping), Path(out), placement=Placement(partition, append == "True"))
except DatasetNotWritable as refused:
    print(refused.message)
"""
DIES_BEFORE_CHANGE = """
import os, signal
left = {changes}
def hook(event, _arguments):
    global left
    if event in {{"os.rename", "os.remove"}}:
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
"""
SMALL_DISK = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
"""


class Scene:
    """A live dataset of two calls, and a raw file of many that would become the next one."""

    def __init__(self, folder: Path, placement: Placement, calls: int) -> None:
        self.out = folder / "out"
        self.mapping = folder / "mapping.toml"
        self.mapping.write_text(MAPPING)
        self.placement = placement
        self.raw = folder / "calls.csv"
        self.raw.write_text(OLD)
        self.before = self.ingest(Placement(placement.partition)).manifest
        step = MONTHS_SECONDS // calls
        rows = (
            f"c{k * 7919 % 1_000_003}-{k},{1700000000 + k * step},R{k * 31 % 1009},{k % 97}\n" for k in range(calls)
        )
        self.raw.write_text(HEADER + "".join(rows))
        self.calls = calls + (2 if placement.append else 0)

    def ingest(self, placement: Placement | None = None) -> IngestReport:
        return ingest([self.raw], self.mapping, self.out, placement=placement or self.placement)

    def child(self, before: str = "") -> subprocess.Popen[str]:
        words = [self.raw, self.mapping, self.out, self.placement.partition, self.placement.append]
        code = CHILD.format(before=before)
        return subprocess.Popen([sys.executable, "-c", code, *map(str, words)], stdout=subprocess.PIPE, text=True)

    def live(self) -> Manifest:
        return read_manifest((self.out / "manifest.json").read_bytes())

    def is_whole(self) -> bool:
        """Whether the live manifest is of the one dataset or the other, and every file is there as it says."""
        files = all(holds(self.out / file.path, file) for file in self.live().files)
        return files and self.live().row_count in {2, self.calls}

    def strangers(self) -> set[str]:
        """What lies in the folder and belongs neither to the live dataset nor to the one before it."""
        known = {file.path for manifest in (self.before, self.live()) for file in manifest.files}
        known |= {"manifest.json", "rejects.parquet", "altered.parquet", "ingest-report.json", LOCK_NAME}
        return {path.name for path in self.out.iterdir()} - known


@pytest.fixture(scope="module")
def usual_seconds(tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long the ingest takes that is killed here."""
    scene = Scene(tmp_path_factory.mktemp("usual"), PLACEMENTS["months"], CALLS)
    return scene.ingest().seconds


@pytest.mark.parametrize("kill", range(20))
def test_an_ingest_killed_at_any_moment_leaves_a_whole_dataset_and_the_next_one_cleans_up(
    tmp_path: Path, kill: int, usual_seconds: float
) -> None:
    scene = Scene(tmp_path, list(PLACEMENTS.values())[kill % len(PLACEMENTS)], CALLS)

    with scene.child() as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(random.Random(kill).uniform(0, usual_seconds * 1.1))  # noqa: S311 - no secret
        process.kill()

    assert scene.is_whole()
    assert scene.ingest().manifest.row_count == scene.calls
    assert scene.is_whole()
    assert not scene.strangers()


@pytest.mark.parametrize("placement", [PLACEMENTS["one file"], PLACEMENTS["appended to months"]], ids=["one", "months"])
@pytest.mark.parametrize("changes", range(12))
def test_an_ingest_killed_before_any_change_to_the_folder_leaves_a_dataset_that_the_next_one_makes_whole(
    tmp_path: Path, placement: Placement, changes: int
) -> None:
    scene = Scene(tmp_path, placement, 2000)

    with scene.child(DIES_BEFORE_CHANGE.format(changes=changes)) as process:
        process.communicate()

    if placement.partition == "month":
        assert scene.is_whole()
    assert scene.ingest().manifest.row_count == scene.calls
    assert scene.is_whole()
    assert not scene.strangers()


@pytest.mark.parametrize("placement", PLACEMENTS.values(), ids=PLACEMENTS)
@pytest.mark.parametrize("limit", [3_000, 60_000])
def test_a_full_disk_leaves_the_live_dataset_whole(tmp_path: Path, placement: Placement, limit: int) -> None:
    scene = Scene(tmp_path, placement, CALLS)

    with scene.child(SMALL_DISK.format(limit=limit)) as process:
        told, _ = process.communicate()

    assert "cannot be written" in told
    assert scene.live() == scene.before
    assert scene.is_whole()
    assert not scene.strangers()


def test_files_of_months_that_a_killed_ingest_left_behind_are_removed_by_the_next(tmp_path: Path) -> None:
    scene = Scene(tmp_path, PLACEMENTS["months"], 2000)
    with scene.child(DIES_BEFORE_CHANGE.format(changes=7)) as process:
        process.communicate()
    left = {path.name for path in scene.out.iterdir() if month_in(path.name)}
    scene.raw.write_text(OLD)

    scene.ingest()

    assert len(left) > len(scene.before.files)
    assert {path.name for path in scene.out.iterdir() if month_in(path.name)} == {
        file.path for file in scene.before.files
    }
