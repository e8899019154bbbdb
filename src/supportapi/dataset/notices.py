"""What S3 tells a queue: that something below the prefix was written. A reason to look, never what is believed."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

import structlog

from supportapi.dataset.aws import reaching
from supportapi.errors import SupportApiError

if TYPE_CHECKING:
    from threading import Event

    from mypy_boto3_sqs import SQSClient

    from supportapi.dataset.aws import Aws

_LOG: Final = structlog.get_logger()
_POLL_SECONDS: Final = 20
_MOST_AT_ONCE: Final = 10
_REST_SECONDS: Final = 5.0


class Notices:
    """The messages of the SQS queue at `queue_url`. Of several listeners one gets each: one is enough."""

    def __init__(self, aws: Aws, queue_url: str) -> None:
        self._aws = aws
        self._queue_url = queue_url

    @cached_property
    def _client(self) -> SQSClient:
        return self._aws.sqs(self._queue_url, longer_by_seconds=_POLL_SECONDS)

    def listen(self, news: Event, stop: Event) -> None:
        """Set `news` whenever a message came, until `stop` is set. While the queue cannot be read, others must look."""
        told: str | None = None
        while not stop.is_set():
            try:
                if self.take(_POLL_SECONDS):
                    news.set()
                told = None
            except SupportApiError as cause:
                if cause.code != told:
                    _LOG.warning("notices.lost", code=cause.code, reason=cause.message)
                told = cause.code
                stop.wait(_REST_SECONDS)

    def take(self, seconds: int) -> int:
        """How many messages there were within `seconds`; they are removed, whatever they say.

        Raises `StoreUnavailable`, `StoreDenied`.
        """
        with reaching("S3_EVENTS_QUEUE_URL"):
            answer = self._client.receive_message(
                QueueUrl=self._queue_url, WaitTimeSeconds=seconds, MaxNumberOfMessages=_MOST_AT_ONCE
            )
            for message in answer.get("Messages", []):
                self._client.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message.get("ReceiptHandle", ""))
        return len(answer.get("Messages", []))
