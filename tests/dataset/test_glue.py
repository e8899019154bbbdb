from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from supportapi.calls.record import canonical
from supportapi.dataset.aws import Aws
from supportapi.dataset.glue import GlueSource
from supportapi.dataset.glue_job import run_glue_job
from supportapi.dataset.s3 import Bucket
from supportapi.errors import DataCorrupt, DataMismatch, ManifestInvalid, ManifestMissing, StoreUnavailable
from tests.api.world import some_calls

if TYPE_CHECKING:
    from pathlib import Path

    from tests.aws_server import Way

NAMES = (f"glue-{number}" for number in itertools.count())
COLUMNS = ("call_id", "started_at", "agent_id", "wait_seconds", "rating")
FOLDERS = (
    "region=north/month=2026-01",
    "region=__HIVE_DEFAULT_PARTITION__/month=2026-01",
    "region=s%C3%BCd/month=2026-02",
)


class Lake:
    """A table in Hive layout, with a file in each of `FOLDERS`; `named` in bucket and catalogue."""

    def __init__(self, aws: Aws, named: str, folder: Path) -> None:
        self.aws, self.named, self.folder = aws, named, folder
        self.bucket = Bucket(aws, named, "table")
        self.bucket.client.create_bucket(Bucket=named)
        self.glue = aws.glue()
        self.glue.create_database(DatabaseInput={"Name": named})
        self.glue.create_table(
            DatabaseName=named,
            TableInput={
                "Name": "calls",
                "PartitionKeys": [{"Name": "region", "Type": "string"}, {"Name": "month", "Type": "string"}],
                "StorageDescriptor": self.stored("", COLUMNS),
            },
        )
        [self.add(path) for path in FOLDERS]

    def stored(self, path: str, columns: tuple[str, ...] = ()) -> Any:
        return {
            "Location": f"s3://{self.named}/table/{path}",
            "Columns": [{"Name": name, "Type": "string"} for name in columns],
        }

    def add(self, path: str, *, registered: bool = True) -> None:
        """A folder with one file of six calls, as a partition."""
        written = self.folder / "part.parquet"
        calls = some_calls(2).with_columns(pl.col("call_id") + path).drop("region", "rating")
        calls.sink_parquet(written)
        self.bucket.upload(written, f"{path}/part-0.parquet")
        if registered:
            self.register(path, path)

    def register(self, values: str, path: str) -> None:
        found = [part.partition("=")[2] for part in values.split("/")]
        self.glue.create_partition(
            DatabaseName=self.named, TableName="calls",
            PartitionInput={"Values": found, "StorageDescriptor": self.stored(path)},
        )  # fmt: skip

    def source(self, settled_seconds: float = 0.0) -> GlueSource:
        return GlueSource(self.aws, self.named, "calls", settled_seconds)


@pytest.fixture
def lake(way: Way, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Lake:
    monkeypatch.setenv("AWS_ENDPOINT_URL_GLUE", way.url)
    return Lake(Aws(endpoint_url=way.url), next(NAMES), tmp_path)


def rows(source: GlueSource, folder: Path) -> pl.DataFrame:
    files = source.read().files
    [source.copy(file, folder / file.hash) for file in files]
    return pl.concat([canonical(pl.scan_parquet(folder / file.hash)) for file in files]).collect()


def test_the_columns_of_calls_come_from_the_files_and_from_the_folders_they_lie_in(lake: Lake, tmp_path: Path) -> None:
    calls = rows(lake.source(), tmp_path)

    assert calls.height == 3 * 6
    assert dict(calls["region"].value_counts().iter_rows()) == {"north": 6, None: 6, "süd": 6}
    assert calls["wait_seconds"].sum() == 3 * 190
    assert calls["rating"].null_count() == 18


def test_what_the_table_does_not_know_is_not_read(lake: Lake, tmp_path: Path) -> None:
    calls = rows(lake.source(), tmp_path)

    assert calls["customer_id"].null_count() == 18
    assert lake.source().read().columns == ("call_id", "agent_id", "region", "started_at", "wait_seconds", "rating")


def test_files_that_belong_to_no_partition_and_those_in_the_making_are_not_read(lake: Lake) -> None:
    lake.add("region=west/month=2026-03", registered=False)
    lake.bucket.client.put_object(**lake.bucket.at(f"{FOLDERS[0]}/_SUCCESS"), Body=b"x")
    lake.bucket.client.put_object(**lake.bucket.at(f"{FOLDERS[0]}/_temporary/part.parquet"), Body=b"x")

    assert [file.path for file in lake.source().read().files] == [f"{path}/part-0.parquet" for path in sorted(FOLDERS)]


def test_a_table_that_did_not_change_is_the_same_dataset_and_another_file_makes_another(lake: Lake) -> None:
    first, again = lake.source().read(), lake.source().read()
    lake.add("region=west/month=2026-03")

    added = lake.source().read()

    assert again.hash == first.hash
    assert added.hash != first.hash
    assert set(first.files) < set(added.files)


def test_while_files_are_written_the_dataset_stays_what_it_was(lake: Lake) -> None:
    source = lake.source()
    before = source.read()
    source.settled_seconds = 3600
    lake.add("region=west/month=2026-03")

    assert source.read() is before


def test_a_table_whose_files_are_written_right_now_is_waited_for(lake: Lake) -> None:
    with pytest.raises(ManifestMissing, match="is being written"):
        lake.source(settled_seconds=3600).read()


def test_a_file_that_was_replaced_is_not_the_one_that_was_promised(lake: Lake, tmp_path: Path) -> None:
    source = lake.source()
    [first, *_] = source.read().files
    lake.bucket.client.put_object(**lake.bucket.at(first.path), Body=b"other bytes")

    with pytest.raises(DataMismatch):
        source.copy(first, tmp_path / "copy")


def test_a_file_that_is_no_parquet_is_corrupt(lake: Lake, tmp_path: Path) -> None:
    lake.bucket.client.put_object(**lake.bucket.at(f"{FOLDERS[0]}/part-0.parquet"), Body=b"no Parquet")

    with pytest.raises(DataCorrupt):
        rows(lake.source(), tmp_path)


def test_a_partition_elsewhere_is_refused(lake: Lake) -> None:
    lake.register("region=east/month=2026-04", "somewhere/else")

    with pytest.raises(ManifestInvalid, match="as Hive has it"):
        lake.source().read()


def test_a_table_that_is_not_there_is_missing(lake: Lake) -> None:
    with pytest.raises(ManifestMissing, match="EntityNotFoundException"):
        GlueSource(lake.aws, lake.named, "no-such-table").read()


def test_a_job_is_run_to_its_end(lake: Lake) -> None:
    lake.glue.create_job(Name=lake.named, Role="role", Command={"Name": "glueetl"})
    told: list[str] = []

    run = run_glue_job(lake.aws, lake.named, told.append, pause_seconds=0.01)

    assert told[-1] == f"Glue's job {lake.named}, run {run}: SUCCEEDED"


def test_a_job_that_is_not_there_cannot_be_run(lake: Lake) -> None:
    with pytest.raises(StoreUnavailable, match="EntityNotFoundException"):
        run_glue_job(lake.aws, "no-such-job", print)
