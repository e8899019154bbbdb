from __future__ import annotations

import itertools
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

from supportapi.dataset.aws import Aws
from supportapi.dataset.notices import Notices
from supportapi.dataset.s3 import Bucket
from supportapi.errors import StoreUnavailable

if TYPE_CHECKING:
    from tests.aws_server import Way

NAMES = (f"told-{number}" for number in itertools.count())


@pytest.fixture
def bucket(way: Way) -> Bucket:
    """A bucket that tells a queue of its own name what is written."""
    aws = Aws(endpoint_url=way.behind)
    found = Bucket(aws, next(NAMES))
    found.client.create_bucket(Bucket=found.name)
    sqs = aws.sqs(way.behind, longer_by_seconds=0)
    url = sqs.create_queue(QueueName=found.name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    configured = {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    found.client.put_bucket_notification_configuration(
        Bucket=found.name,
        NotificationConfiguration=configured,  # pyright: ignore[reportArgumentType] - its type is a TypedDict of the stubs
    )
    return found


@pytest.fixture
def notices(bucket: Bucket, way: Way) -> Notices:
    """The notices of that queue, without the one by which S3 tries whether it may write to it."""
    found = Notices(bucket.aws, f"{way.behind}/123456789012/{bucket.name}")
    found.take(1)
    return found


def test_what_is_written_into_the_bucket_is_told_once(bucket: Bucket, notices: Notices) -> None:
    bucket.client.put_object(**bucket.at("manifest.json"), Body=b"{}")

    assert (notices.take(1), notices.take(0)) == (1, 0)


def test_a_queue_that_is_not_there_cannot_be_read(way: Way) -> None:
    with pytest.raises(StoreUnavailable, match="S3_EVENTS_QUEUE_URL"):
        Notices(Aws(), f"{way.behind}/123456789012/nowhere").take(0)


def test_a_listener_passes_the_news_on(bucket: Bucket, notices: Notices) -> None:
    news, stop = Event(), Event()
    listening = Thread(target=notices.listen, args=(news, stop), daemon=True)
    listening.start()

    bucket.client.put_object(**bucket.at("manifest.json"), Body=b"{}")

    assert news.wait(30)
    stop.set()
