"""Where the dataset of this process is, by its settings: the one place that knows that there are several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from supportapi.dataset.pinned import Pinned
from supportapi.dataset.source import LocalSource

if TYPE_CHECKING:
    from pathlib import Path

    from supportapi.dataset.s3 import Bucket
    from supportapi.dataset.source import Source
    from supportapi.settings import Settings

_MEBIBYTE: Final = 1 << 20


def source_of(settings: Settings) -> Source:
    """The dataset that is served."""
    if settings.data_source == "local":
        return LocalSource(settings.manifest_path)
    from supportapi.dataset.s3 import S3Source  # noqa: PLC0415 - boto3 takes its time: only who needs it waits for it

    return S3Source(bucket_of(settings))


def bucket_of(settings: Settings) -> Bucket:
    """The bucket that holds the dataset. For `DATA_SOURCE=s3` only."""
    from supportapi.dataset.aws import Aws  # noqa: PLC0415 - see above
    from supportapi.dataset.s3 import Bucket  # noqa: PLC0415

    aws = Aws(region=settings.aws_region, endpoint_url=settings.s3_endpoint_url)
    return Bucket(aws, settings.s3_bucket or "", settings.s3_prefix)


def pinned_of(settings: Settings, source: Source) -> Pinned:
    """This machine's copies of files of `source`. Copies from a bucket have a bound: they can be fetched again."""
    bound = None if settings.data_source == "local" else settings.s3_cache_mb * _MEBIBYTE
    return Pinned(settings.supportapi_home, source, bound)


def folder_to_watch(settings: Settings) -> Path | None:
    """The manifest whose folder tells of changes; None where there is no such folder, and looking is all there is."""
    return settings.manifest_path.absolute() if settings.data_source == "local" else None
