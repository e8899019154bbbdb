"""Where the dataset of this process is, by its settings: the one place that knows that there are several."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click

from supportapi.dataset.pinned import Pinned
from supportapi.dataset.source import LocalSource
from supportapi.errors import DatasetNotWritable

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from supportapi.dataset.aws import Aws
    from supportapi.dataset.notices import Notices
    from supportapi.dataset.s3 import Bucket
    from supportapi.dataset.source import Source
    from supportapi.settings import Settings

_MEBIBYTE: Final = 1 << 20


def source_of(settings: Settings) -> Source:
    """The dataset that is served."""
    if settings.data_source == "local":
        return LocalSource(settings.manifest_path)
    if settings.glue_database is not None and settings.glue_table is not None:
        from supportapi.dataset.glue import GlueSource  # noqa: PLC0415 - boto3 takes its time: who needs it waits for it

        return GlueSource(aws_of(settings), settings.glue_database, settings.glue_table)
    from supportapi.dataset.s3 import S3Source  # noqa: PLC0415 - see above

    return S3Source(bucket_of(settings))


def bucket_of(settings: Settings) -> Bucket:
    """The bucket that holds the dataset. For `DATA_SOURCE=s3` only."""
    from supportapi.dataset.s3 import Bucket  # noqa: PLC0415 - see above

    return Bucket(aws_of(settings), settings.s3_bucket or "", settings.s3_prefix)


def notices_of(settings: Settings) -> Notices | None:
    """What tells of changes in the bucket at once, if anything does."""
    if settings.data_source == "local" or settings.s3_events_queue_url is None:
        return None
    from supportapi.dataset.notices import Notices  # noqa: PLC0415 - see above

    return Notices(aws_of(settings), settings.s3_events_queue_url)


def aws_of(settings: Settings) -> Aws:
    """AWS, or what stands in its place."""
    from supportapi.dataset.aws import Aws  # noqa: PLC0415 - see above

    return Aws(region=settings.aws_region, endpoint_url=settings.s3_endpoint_url)


def pinned_of(settings: Settings, source: Source) -> Pinned:
    """This machine's copies of files of `source`. Copies from a bucket have a bound: they can be fetched again."""
    bound = None if settings.data_source == "local" else settings.s3_cache_mb * _MEBIBYTE
    return Pinned(settings.supportapi_home, source, bound)


def folder_to_watch(settings: Settings) -> Path | None:
    """The manifest whose folder tells of changes; None where there is no such folder, and looking is all there is."""
    return settings.manifest_path.absolute() if settings.data_source == "local" else None


@contextmanager
def dataset_folder(settings: Settings, out: Path | None, *, files: bool = False) -> Generator[Path]:
    """The folder to write the dataset in: `out` if that is given; for a bucket one that is put into it at the end.

    `files` says whether the files of the live dataset are needed in it. Raises as `BucketFolder`.
    """
    if out is not None or settings.data_source == "local":
        yield out or settings.data_folder
        return
    if settings.glue_table is not None:
        raise DatasetNotWritable(
            f"The dataset is the table {settings.glue_table} of Glue, which its own jobs write. Use --out, or unset "
            "GLUE_DATABASE and GLUE_TABLE.",
            reason="glue_table",
        )
    from supportapi.dataset.upload import BucketFolder  # noqa: PLC0415 - see above

    bucket = bucket_of(settings)
    with BucketFolder(bucket, settings.supportapi_home / "bucket", files=files) as place:
        yield place.folder
        if place.publish():
            click.echo(f"published as {bucket.location('manifest.json')}")
