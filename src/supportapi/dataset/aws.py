"""How we reach S3, SQS and Glue: clients with explicit limits, and one name for everything that goes wrong on the way.

boto3's own defaults wait a minute for a server that hangs, five times over.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NoReturn
from urllib.parse import urlsplit

import msgspec
from boto3.exceptions import Boto3Error
from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from s3transfer.exceptions import RetriesExceededError

from supportapi.errors import StoreDenied, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Collection, Generator

    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

_REGION: Final = "us-east-1"
_ATTEMPTS: Final = 3
_CONNECTIONS: Final = 10
_NO_CREDENTIALS: Final = (
    NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, ProfileNotFound, SSOError,
    TokenRetrievalError,
)  # fmt: skip
_REFUSALS: Final = (401, 403)
_REFUSED: Final = frozenset({"ExpiredToken", "InvalidToken", "AuthorizationHeaderMalformed", "ExpiredTokenException"})
_DENIED_REMEDY: Final = "Look at the credentials, and at what they may do"


class Aws(msgspec.Struct, frozen=True, kw_only=True):
    """Where AWS, or something that speaks like it, is asked. Credentials are found as boto3 finds them."""

    region: str | None = None
    endpoint_url: str | None = None
    connect_seconds: float = 3.0
    read_seconds: float = 10.0

    def s3(self) -> S3Client:
        """A client of S3. This and the others raise `StoreDenied` when no credentials can be looked for."""
        with reaching("S3"):
            return self._session().client("s3", endpoint_url=self.endpoint_url, config=self._limits())

    def sqs(self, queue_url: str, *, longer_by_seconds: float) -> SQSClient:
        """A client of the server that `queue_url` names, whose calls may wait so much longer for their answer."""
        parts = urlsplit(queue_url)
        endpoint_url = f"{parts.scheme}://{parts.netloc}"
        with reaching("SQS"):
            return self._session().client("sqs", endpoint_url=endpoint_url, config=self._limits(longer_by_seconds))

    def glue(self) -> GlueClient:
        """A client of Glue."""
        with reaching("Glue"):
            return self._session().client("glue", config=self._limits())

    def _session(self) -> Session:
        # Our own: the default one of boto3 is not made for threads, and clients made of ours are.
        session = Session(region_name=self.region)
        return session if session.region_name else Session(region_name=_REGION)

    def _limits(self, longer_by_seconds: float = 0.0) -> Config:
        return Config(
            connect_timeout=self.connect_seconds,
            read_timeout=self.read_seconds + longer_by_seconds,
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},  # which waits with jitter in between
            max_pool_connections=_CONNECTIONS,
            # The manifest's SHA-256 says more. And a transfer then begins with its first bytes, not with a HEAD, whose
            # refusals have no code.
            response_checksum_validation="when_required",
        )


def code_of(cause: ClientError) -> str:
    """The service's own name of a failure, such as `NoSuchKey`; a bare status where it gave none, such as `304`."""
    return str(cause.response.get("Error", {}).get("Code", "unknown"))


@contextmanager
def reaching(what: str, answers: Collection[str] = ()) -> Generator[None]:
    """Turns every failure to reach or to read `what` into `StoreUnavailable` or `StoreDenied`.

    A `ClientError` whose code is among `answers` is one that the caller has asked for, and stays as it is. Of the
    service's words only the code is told: its sentences name accounts and users.
    """
    try:
        yield
    except ClientError as cause:
        if code_of(cause) in answers:
            raise
        _raise_named(what, cause)
    except _NO_CREDENTIALS as cause:
        raise StoreDenied(
            f"There are no usable credentials for {what} ({type(cause).__name__}). {_DENIED_REMEDY}.",
            location=what, reason=type(cause).__name__,
        ) from cause  # fmt: skip
    except (BotoCoreError, Boto3Error, RetriesExceededError) as cause:
        reason = type(cause.__cause__ or cause).__name__
        raise StoreUnavailable(f"{what} does not answer: {reason}.", location=what, reason=reason) from cause


def _raise_named(what: str, cause: ClientError) -> NoReturn:
    status = cause.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    code = code_of(cause)
    if status in _REFUSALS or code in _REFUSED:
        hint = (
            "; S3 also says so of what is not there, to whom may not list the bucket" if status == _REFUSALS[1] else ""
        )
        raise StoreDenied(
            f"{cause.operation_name} of {what} is refused: {code}. {_DENIED_REMEDY}{hint}.",
            location=what, reason=code,
        ) from cause  # fmt: skip
    raise StoreUnavailable(f"{what} does not answer: {code} ({status}).", location=what, reason=code) from cause
