"""Every failure that we can name. A leaf carries a stable code and its facts; `api/envelope.py` alone knows HTTP."""

from __future__ import annotations

from typing import ClassVar


class SupportApiError(Exception):
    """A failure with a name.

    `code` is stable and documented: clients, logs and metrics count by it. `facts` are the details a reader needs
    to act (JSON values, never secrets). `transient` says whether the same work may succeed when it is tried again
    without anybody changing anything.
    """

    code: ClassVar[str] = "INTERNAL"
    transient: ClassVar[bool] = False

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


# -- the dataset -------------------------------------------------------------------------------------------------


class ManifestMissing(SupportApiError):
    """There is no manifest where the settings say that it is."""

    code = "MANIFEST_MISSING"
    transient = True


class ManifestInvalid(SupportApiError):
    """The manifest cannot be read as one, or names a file outside its folder."""

    code = "MANIFEST_INVALID"


class DataMissing(SupportApiError):
    """The manifest names a file that is not there."""

    code = "DATA_MISSING"
    transient = True


class DataMismatch(SupportApiError):
    """A file's bytes are not the ones that the manifest promises: half-written, or replaced in the meantime."""

    code = "DATA_MISMATCH"
    transient = True


class DataCorrupt(SupportApiError):
    """A file has the promised bytes, and they are not readable Parquet."""

    code = "DATA_CORRUPT"


class SchemaInvalid(SupportApiError):
    """A file's columns, or the values in them, are not those of a call."""

    code = "SCHEMA_INVALID"


class DatasetNotWritable(SupportApiError):
    """The dataset's folder or disk refused a write; the live dataset is the old one."""

    code = "DATASET_NOT_WRITABLE"
    transient = True


class StoreUnavailable(SupportApiError):
    """The store that holds the dataset (S3, Glue) does not answer, or breaks off."""

    code = "STORE_UNAVAILABLE"
    transient = True


class StoreDenied(SupportApiError):
    """The store refuses us: no credentials, expired ones, or ones that may not do this."""

    code = "STORE_DENIED"
    transient = True


# -- ingest ------------------------------------------------------------------------------------------------------


class MappingInvalid(SupportApiError):
    """A mapping file does not say how the columns of its source become calls."""

    code = "MAPPING_INVALID"


class RawFileUnreadable(SupportApiError):
    """A raw file is missing, empty, or not of the format that it claims."""

    code = "RAW_FILE_UNREADABLE"


class NotCalls(SupportApiError):
    """The rows of a raw file count calls (by day, by operator ...) instead of being calls."""

    code = "NOT_CALLS"


class IngestRejected(SupportApiError):
    """Rows of a raw file could not become calls, and more of them than allowed."""

    code = "INGEST_REJECTED"


# -- build and publish -------------------------------------------------------------------------------------------


class AuditFailed(SupportApiError):
    """The rollup and the plain rows disagree: nothing is published."""

    code = "AUDIT_FAILED"


class SnapshotIncomplete(SupportApiError):
    """A part of a version is not on the shelf: evicted, expired or never written."""

    code = "SNAPSHOT_INCOMPLETE"
    transient = True


class PublishRefused(SupportApiError):
    """A build that was started later has been published already."""

    code = "PUBLISH_REFUSED"


class ShelfUnavailable(SupportApiError):
    """Redis does not answer, or refuses the write."""

    code = "REDIS_UNAVAILABLE"
    transient = True


class WorkerLost(SupportApiError):
    """The process that ran a job is gone."""

    code = "WORKER_LOST"
    transient = True


class JobTimedOut(SupportApiError):
    """A job ran longer than `JOB_TIMEOUT_SECONDS`."""

    code = "JOB_TIMED_OUT"


class RefreshFailed(SupportApiError):
    """The refresh command ended with an error."""

    code = "REFRESH_FAILED"


# -- requests ----------------------------------------------------------------------------------------------------


class ValidationFailed(SupportApiError):
    """A request says something that we do not understand.

    `details` is a list of `{"field", "message"}`, in the client's own names.
    """

    code = "VALIDATION_ERROR"

    def __init__(self, details: list[dict[str, object]]) -> None:
        super().__init__("; ".join(str(detail["message"]) for detail in details))
        self.details = details


class UnsupportedMediaType(SupportApiError):
    """A body is of a type other than `application/json`."""

    code = "UNSUPPORTED_MEDIA_TYPE"


class ExportTooLarge(SupportApiError):
    """An export would have more rows than `EXPORT_ROWS_MAX`, or than one file of its format can hold."""

    code = "EXPORT_TOO_LARGE"


class ExportFailed(SupportApiError):
    """A file could not be made to its end."""

    code = "EXPORT_FAILED"


class ExportTimedOut(SupportApiError):
    """An export took longer than it may: its client reads too slowly."""

    code = "EXPORT_TIMED_OUT"


class UriTooLong(SupportApiError):
    """Path and query are longer than any question needs to be."""

    code = "URI_TOO_LONG"


class HeadersTooLarge(SupportApiError):
    """There are more headers, or longer ones, than any client needs to send."""

    code = "HEADERS_TOO_LARGE"


class Unauthenticated(SupportApiError):
    """Nobody is signed in, or the token is not (any longer) good."""

    code = "UNAUTHENTICATED"


class Forbidden(SupportApiError):
    """The principal's role does not allow this, or another site makes a browser ask for it."""

    code = "FORBIDDEN"


class RefreshDisabled(SupportApiError):
    """`ENABLE_REFRESH_ENDPOINT` is off."""

    code = "REFRESH_DISABLED"


class NotFound(SupportApiError):
    """No such path, call, agent, job or version."""

    code = "NOT_FOUND"


class VersionGone(SupportApiError):
    """A version that is not kept any longer: `SNAPSHOTS_KEPT` newer ones have been published since."""

    code = "VERSION_GONE"


class CursorExpired(SupportApiError):
    """The version that a cursor walks through is not kept any longer."""

    code = "CURSOR_EXPIRED"


class WarmingUp(SupportApiError):
    """No version has been loaded yet."""

    code = "WARMING_UP"
    transient = True


class Overloaded(SupportApiError):
    """More work is waiting than can be done in time."""

    code = "OVERLOADED"
    transient = True


class RateLimited(SupportApiError):
    """Too many attempts."""

    code = "RATE_LIMITED"
    transient = True


# -- operations --------------------------------------------------------------------------------------------------


class SettingsInvalid(SupportApiError):
    """The environment asks for something impossible. `problems` lists all of it, each with its remedy."""

    code = "SETTINGS_INVALID"

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems), problems=problems)
        self.problems = problems


class StartRefused(SupportApiError):
    """A process cannot start: its port is taken, a second instance runs, or no Redis server binary is found."""

    code = "START_REFUSED"
