from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import polars as pl
import pytest

from supportapi.calls.record import canonical
from supportapi.dataset.aws import Aws
from supportapi.dataset.ingest import ingest
from supportapi.dataset.placement import Placement
from supportapi.dataset.s3 import Bucket, S3Source
from supportapi.dataset.upload import BucketFolder
from supportapi.dataset.write import write_dataset
from supportapi.errors import DatasetNotWritable, StoreDenied
from tests.api.world import some_calls
from tests.aws_server import Fault, Way

if TYPE_CHECKING:
    from pathlib import Path

NAMES = (f"uploads-{number}" for number in itertools.count())


@pytest.fixture
def bucket(way: Way) -> Bucket:
    """An empty bucket."""
    found = Bucket(Aws(endpoint_url=way.url), next(NAMES), "calls")
    found.client.create_bucket(Bucket=found.name)
    return found


def publish(bucket: Bucket, work: Path, days: int, *, months: bool = False) -> bool:
    """Write a dataset of so many days and put it into the bucket."""
    with BucketFolder(bucket, work, files=False) as place:
        write_dataset(some_calls(days), place.folder, partition="month" if months else "none")
        return place.publish()


def rows(bucket: Bucket, folder: Path) -> pl.DataFrame:
    """The calls of the dataset in the bucket, read as a build does."""
    source = S3Source(bucket)
    files = source.read().files
    [source.copy(file, folder / file.hash) for file in files]
    return pl.concat([canonical(pl.scan_parquet(folder / file.hash)) for file in files]).collect()


def test_what_was_written_is_what_is_read(bucket: Bucket, tmp_path: Path) -> None:
    published = publish(bucket, tmp_path / "work", 5)

    assert published
    assert rows(bucket, tmp_path).equals(some_calls(5).collect().sort("started_at", "call_id"))


def test_the_manifest_comes_after_its_files(bucket: Bucket, way: Way, tmp_path: Path) -> None:
    way.seen.clear()

    publish(bucket, tmp_path / "work", 60, months=True)

    put = [request.path.rpartition("/")[2] for request in way.seen if request.method == "PUT"]
    assert len(put) == 4
    assert put[-1] == "manifest.json"


def test_of_months_only_those_that_changed_are_sent(bucket: Bucket, way: Way, tmp_path: Path) -> None:
    publish(bucket, tmp_path / "work", 40, months=True)
    way.seen.clear()

    publish(bucket, tmp_path / "elsewhere", 41, months=True)

    put = [request.path.rpartition("/")[2][:13] for request in way.seen if request.method == "PUT"]
    assert put == ["calls-2026-02", "manifest.json"]


def test_the_files_of_the_manifest_before_stay_and_older_ones_go(bucket: Bucket, tmp_path: Path) -> None:
    first, second, third = [published_file(bucket, tmp_path / "work", days) for days in (3, 4, 5)]

    assert {second, third} < {found.path for found in bucket.objects()}
    assert first not in {found.path for found in bucket.objects()}


def test_files_that_are_not_ours_stay(bucket: Bucket, tmp_path: Path) -> None:
    bucket.client.put_object(**bucket.at("notes.parquet"), Body=b"theirs")

    publish(bucket, tmp_path / "work", 3)

    assert "notes.parquet" in {found.path for found in bucket.objects()}


@pytest.mark.parametrize("months", [True, False])
def test_calls_join_a_dataset_that_another_machine_wrote(bucket: Bucket, tmp_path: Path, months: bool) -> None:  # noqa: FBT001 - a case
    publish(bucket, tmp_path / "one", 40, months=months)
    some_calls(43).sink_parquet(tmp_path / "more.parquet")

    with BucketFolder(bucket, tmp_path / "two", files=True) as place:
        report = ingest([tmp_path / "more.parquet"], None, place.folder, placement=Placement(append=True))
        place.publish()

    assert report.appended is not None
    assert (report.appended.added, report.appended.unchanged) == (9, 120)
    assert rows(bucket, tmp_path)["call_id"].n_unique() == 43 * 3
    assert {"ingest-report.json", "rejects.parquet"} <= {found.path for found in bucket.objects()}


def test_of_two_ingests_at_once_the_second_is_refused(bucket: Bucket, tmp_path: Path) -> None:
    publish(bucket, tmp_path / "one", 3)

    with BucketFolder(bucket, tmp_path / "two", files=False) as place:
        write_dataset(some_calls(4), place.folder)
        publish(bucket, tmp_path / "one", 5)
        with pytest.raises(DatasetNotWritable) as refused:
            place.publish()

    assert refused.value.facts["reason"] == "overtaken"
    assert rows(bucket, tmp_path).height == 5 * 3


def test_where_nothing_was_written_nothing_is_published(bucket: Bucket, way: Way, tmp_path: Path) -> None:
    publish(bucket, tmp_path / "work", 3)
    way.seen.clear()

    with BucketFolder(bucket, tmp_path / "work", files=True) as place:
        published = place.publish()

    assert not published
    assert [request.method for request in way.seen] == ["GET"]


def test_a_manifest_that_nobody_can_read_is_replaced(bucket: Bucket, tmp_path: Path) -> None:
    bucket.client.put_object(**bucket.at("manifest.json"), Body=b"{")

    publish(bucket, tmp_path / "work", 3)

    assert rows(bucket, tmp_path).height == 3 * 3


def test_an_upload_that_is_refused_leaves_the_dataset_as_it_was(bucket: Bucket, way: Way, tmp_path: Path) -> None:
    publish(bucket, tmp_path / "work", 3)
    way.faults[".parquet"] = Fault(status=403, code="AccessDenied")

    with pytest.raises(StoreDenied):
        publish(bucket, tmp_path / "work", 4)

    way.faults.clear()
    assert rows(bucket, tmp_path).height == 3 * 3


def published_file(bucket: Bucket, work: Path, days: int) -> str:
    publish(bucket, work, days)
    return S3Source(bucket).read().path
