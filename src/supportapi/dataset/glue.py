"""A table of Glue as a dataset: Parquet in Hive layout (`region=north/month=2024-05/…`), and no manifest.

It is read as Athena reads it: the table says which columns there are, its partitions which folders belong to it. What
names a file here is not the SHA-256 of its bytes, which nobody knows before they are fetched, but that of what S3 says
of them: where they are, and their ETag.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

import msgspec
import polars as pl
from botocore.exceptions import ClientError
from s3transfer.exceptions import S3DownloadFailedError

from supportapi.calls.manifest import Manifest, ManifestFile, dataset_hash
from supportapi.calls.record import COLUMNS
from supportapi.dataset.aws import code_of, reaching
from supportapi.dataset.files import TEMPORARY_SUFFIX
from supportapi.dataset.legible import legible
from supportapi.dataset.s3 import Bucket, Object
from supportapi.dataset.sink import sink
from supportapi.errors import DataMismatch, DataMissing, ManifestInvalid, ManifestMissing

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_glue import GlueClient

    from supportapi.dataset.aws import Aws

SETTLED_SECONDS: Final = 30.0
"""Files appear one after the other: only what was left alone for so long is taken for whole."""
_ABSENT: Final = frozenset({"EntityNotFoundException"})
_GONE: Final = frozenset({"NoSuchKey", "NoSuchBucket"})
_NULL: Final = "__HIVE_DEFAULT_PARTITION__"


class Table(msgspec.Struct, frozen=True):
    """What Glue says of a table. `folders` are those of its partitions, below its location."""

    bucket: str
    prefix: str
    columns: tuple[str, ...]
    keys: tuple[str, ...]
    folders: frozenset[str]

    def holds(self, path: str) -> bool:
        """Whether the object at `path`, below the location, belongs to the table."""
        folder, _, name = path.rpartition("/")
        hidden = any(part.startswith(("_", ".")) for part in path.split("/"))
        return bool(name) and not hidden and (folder in self.folders if self.keys else True)

    def values(self, path: str) -> dict[str, str | None]:
        """The values of the partition keys, as the folders on the way to `path` say them."""
        pairs = (part.partition("=") for part in path.split("/")[:-1])
        return {key: None if value == _NULL else unquote(value) for key, _, value in pairs if key in self.keys}

    def named(self, found: Object) -> ManifestFile:
        """The file of an object: another place, other bytes or other columns, another hash."""
        told = msgspec.json.encode([found.path, found.etag, found.size_bytes, self.columns, self.keys])
        return ManifestFile(path=found.path, hash=hashlib.sha256(told).hexdigest())


class GlueSource:
    """The dataset that a table of Glue's catalogue is."""

    def __init__(self, aws: Aws, database: str, table: str, settled_seconds: float = SETTLED_SECONDS) -> None:
        self._aws = aws
        self._database = database
        self._name = table
        self.settled_seconds = settled_seconds
        self._held: Manifest | None = None
        self._last = Bucket(aws, "")

    @cached_property
    def _glue(self) -> GlueClient:
        return self._aws.glue()

    @property
    def location(self) -> str:
        """The table, for people."""
        return f"glue:{self._database}.{self._name}"

    def read(self) -> Manifest:
        """What the table holds now; while its files are being written, what it held before.

        Raises `ManifestMissing` when there is no such table, or no file in it that was left alone for a while,
        `ManifestInvalid` when its partitions are not in Hive layout, `StoreUnavailable`, `StoreDenied`.
        """
        table = self._table()
        found = self._objects(table)
        if not found:
            raise ManifestMissing(f"{self.location} has no files.", location=self.location, reason="no_files")
        if min(each.age_seconds for each in found) < self.settled_seconds:
            if self._held is None:
                told = f"{self.location} is being written; it is read {self.settled_seconds:g} s after its last file."
                raise ManifestMissing(told, location=self.location, reason="being_written")
            return self._held
        files = tuple(table.named(each) for each in sorted(found, key=lambda each: each.path))
        self._held = Manifest(
            path=files[0].path,
            hash=dataset_hash(files),
            dataset=self._name,
            source=self.location,
            columns=tuple(column for column in COLUMNS if column in (*table.columns, *table.keys)),
            files=files,
        )
        return self._held

    def copy(self, file: ManifestFile, to: Path) -> None:
        """Write the rows of `file` to the new file `to`, with the columns of the table and the values of its partition.

        Raises `DataMissing`, `DataMismatch` when there is another object now, `DataCorrupt` when it is no Parquet,
        `StoreUnavailable`, `StoreDenied`, and `OSError` when `to` cannot be written.
        """
        table = self._table()
        bucket = self._bucket(table)
        found = next((each for each in self._objects(table) if each.path == file.path), None)
        if found is None:
            raise DataMissing(f"{bucket.location(file.path)} is not there any longer.", path=file.path)
        if table.named(found).hash != file.hash:
            raise _replaced(bucket, file)
        fetched = to.with_name(f"{to.name}.raw{TEMPORARY_SUFFIX}")
        try:
            with reaching(bucket.location(file.path), _GONE), fetched.open("xb") as written:
                bucket.download(file.path, written, found.etag)
            with legible([file.path]):
                _as_the_table_says(table, file.path, fetched, to)
        except (S3DownloadFailedError, ClientError) as cause:
            raise _replaced(bucket, file) from cause
        finally:
            fetched.unlink(missing_ok=True)

    def _table(self) -> Table:
        database, name = self._database, self._name
        try:
            with reaching(self.location, _ABSENT):
                told: Any = self._glue.get_table(DatabaseName=database, Name=name)["Table"]
                pages = self._glue.get_paginator("get_partitions").paginate(DatabaseName=database, TableName=name)
                partitions: list[Any] = [each for page in pages for each in page["Partitions"]]
        except ClientError as cause:
            raise ManifestMissing(
                f"There is no table {self.location}: {code_of(cause)}.", location=self.location, reason=code_of(cause)
            ) from cause
        address = urlsplit(str(told["StorageDescriptor"]["Location"]))
        prefix = address.path.strip("/")
        keys = tuple(str(key["Name"]) for key in told.get("PartitionKeys", []))
        places = [str(each["StorageDescriptor"]["Location"]) for each in partitions]
        return Table(
            bucket=address.netloc,
            prefix=prefix,
            columns=tuple(str(column["Name"]) for column in told["StorageDescriptor"]["Columns"]),
            keys=keys,
            folders=frozenset(_folder(place, f"s3://{address.netloc}/{prefix}/", keys) for place in places),
        )

    def _bucket(self, table: Table) -> Bucket:
        # The last one again, with its connections, unless the table has moved.
        if (self._last.name, self._last.prefix) != (table.bucket, f"{table.prefix}/"):
            self._last = Bucket(self._aws, table.bucket, table.prefix)
        return self._last

    def _objects(self, table: Table) -> list[Object]:
        return [each for each in self._bucket(table).objects() if each.size_bytes and table.holds(each.path)]


def _folder(place: str, location: str, keys: tuple[str, ...]) -> str:
    """Where a partition lies below the table's location. Raises `ManifestInvalid` when that is not in Hive layout."""
    place = f"{place.replace('s3a://', 's3://').rstrip('/')}/"
    folder = place.removeprefix(location).rstrip("/")
    if folder == place.rstrip("/") or [part.partition("=")[0] for part in folder.split("/")] != list(keys):
        wanted = location + "/".join(f"{key}=…" for key in keys)
        raise ManifestInvalid(f"The partition at {place} does not lie at {wanted}, as Hive has it.", reason="not_hive")
    return folder


def _as_the_table_says(table: Table, path: str, fetched: Path, to: Path) -> None:
    values = table.values(path)
    rows = pl.scan_parquet(fetched, glob=False)
    there = rows.collect_schema().names()
    columns = [pl.col(name) if name in there else pl.lit(None).alias(name) for name in table.columns]
    keys = [pl.lit(values.get(key), dtype=pl.String).alias(key) for key in table.keys]
    with sink(to) as file:
        rows.select(*columns, *keys).sink_parquet(file, compression="zstd", maintain_order=True, engine="streaming")


def _replaced(bucket: Bucket, file: ManifestFile) -> DataMismatch:
    return DataMismatch(f"{bucket.location(file.path)} was replaced.", path=file.path, reason="changed")
