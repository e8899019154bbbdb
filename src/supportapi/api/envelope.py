"""The shape of success, the shape of failure, and which failure is which status. Nothing below this room knows HTTP."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Final, Generic, TypeVar

import msgspec
import structlog
from litestar.exceptions import HTTPException
from litestar.response import Response
from msgspec import Meta as Doc

from supportapi import errors
from supportapi.api.trace import trace_of

if TYPE_CHECKING:
    from litestar import Request

T = TypeVar("T")

STATUSES: Final[dict[type[errors.SupportApiError], int]] = {
    errors.SupportApiError: 500,
    errors.ManifestMissing: 503,
    errors.ManifestInvalid: 503,
    errors.DataMissing: 503,
    errors.DataMismatch: 503,
    errors.DataCorrupt: 503,
    errors.SchemaInvalid: 503,
    errors.DatasetNotWritable: 503,
    errors.StoreUnavailable: 503,
    errors.StoreDenied: 503,
    errors.MappingInvalid: 500,
    errors.RawFileUnreadable: 500,
    errors.NotCalls: 500,
    errors.IngestRejected: 500,
    errors.AuditFailed: 503,
    errors.SnapshotIncomplete: 503,
    errors.PublishRefused: 503,
    errors.ShelfUnavailable: 503,
    errors.WorkerLost: 503,
    errors.JobTimedOut: 503,
    errors.RefreshFailed: 503,
    errors.ValidationFailed: 422,
    errors.ExportTooLarge: 422,
    errors.ExportFailed: 503,
    errors.ExportTimedOut: 503,
    errors.UnsupportedMediaType: 415,
    errors.UriTooLong: 414,
    errors.HeadersTooLarge: 431,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.RefreshDisabled: 403,
    errors.NotFound: 404,
    errors.VersionGone: 410,
    errors.CursorExpired: 410,
    errors.WarmingUp: 503,
    errors.Overloaded: 503,
    errors.RateLimited: 429,
    errors.SettingsInvalid: 500,
    errors.StartRefused: 500,
}
"""The status of each failure that we can name."""

CODES: Final[dict[int, str]] = {
    400: "BAD_REQUEST",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "PAYLOAD_TOO_LARGE",
}
"""The code of each status that the web framework itself answers with."""

ERROR_CODES: Final = tuple(
    sorted(
        {
            *CODES.values(),
            "INTERNAL",
            *(kind.code for kind, status in STATUSES.items() if status != HTTPStatus.INTERNAL_SERVER_ERROR),
        }
    )
)
"""Every code that an answer may have: what is our own fault is `INTERNAL`, whatever its name in the log."""

_RETRY_STATUSES: Final = (429, 503)
_RETRY_SECONDS: Final = 2
_INTERNAL: Final = "Something went wrong on our side. The log knows more under this request id."
_log = structlog.get_logger(__name__)


class Envelope(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A success that is not an aggregate: `data` and, beside it, nothing that needs a version."""

    data: T


class Detail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One problem. Beside these, facts about it may stand under names of their own."""

    field: Annotated[str | None, Doc(description="Parameter or body field, as the client spells it; null for none.")]
    message: Annotated[str, Doc(examples=["'regio' is not a parameter of this route; did you mean 'region'?"])]
    allowed: Annotated[tuple[str | int, ...] | msgspec.UnsetType, Doc(description="The values that there are.")] = (
        msgspec.UNSET
    )


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong."""

    code: Annotated[
        str,
        Doc(
            description="Stable name of the failure; later releases may know more of them.",
            examples=["VALIDATION_ERROR"],
            extra_json_schema={"enum": list(ERROR_CODES)},
        ),
    ]
    message: Annotated[str, Doc(description="For people; may change.")]
    details: tuple[Detail, ...]
    request_id: Annotated[str, Doc(description="The same as in the header `X-Request-ID`, in every log line as well.")]


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Every answer that is not a success."""

    error: Problem


class Refusal(msgspec.Struct, frozen=True):
    """A failure, ready to send: `headers` are those beside content type and length."""

    status: int
    headers: dict[str, str]
    body: bytes


def refusal(error: Exception, request_id: str) -> Refusal:
    """What a client is told of `error`. A failure without a name is a 500 that gives nothing away."""
    if isinstance(error, errors.SupportApiError):
        return _named(error, request_id)
    if isinstance(error, HTTPException) and error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
        status = error.status_code
        code = CODES.get(status, CODES[400])
        phrase = HTTPStatus(status).phrase
        message = f"{phrase}." if status in CODES and status != HTTPStatus.BAD_REQUEST else error.detail
        return Refusal(status, _allow(error), _encode(code, message, [], request_id))
    return Refusal(500, {}, _encode("INTERNAL", _INTERNAL, [], request_id))


def refused(request: Request[Any, Any, Any], error: Exception) -> Refusal:
    """What the client of `request` is told of `error`. A failure that is our fault is logged with its traceback."""
    request_id = trace_of(request.scope).request_id.decode("latin-1")
    said = refusal(error, request_id)
    if said.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("request.crashed", request_id=request_id, path=request.scope["path"], exc_info=error)
    return said


def respond_to_failure(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Litestar's exception handler for everything."""
    said = refused(request, error)
    return Response(said.body, status_code=said.status, headers=said.headers, media_type="application/json")


def _named(error: errors.SupportApiError, request_id: str) -> Refusal:
    status = STATUSES[next(kind for kind in type(error).__mro__ if kind in STATUSES)]
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return Refusal(500, {}, _encode("INTERNAL", _INTERNAL, [], request_id))
    headers: dict[str, str] = {}
    facts = dict(error.facts)
    if status in _RETRY_STATUSES:
        headers["retry-after"] = str(facts.pop("retry_after_seconds", _RETRY_SECONDS))
    if status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    details: list[Any] = [{"field": facts.pop("field", None), "message": error.message, **facts}] if facts else []
    if isinstance(error, errors.ValidationFailed):
        details = error.details
    return Refusal(status, headers, _encode(error.code, error.message, details, request_id))


def _allow(error: HTTPException) -> dict[str, str]:
    # HEAD is served wherever GET is, by the edge, which Litestar does not know.
    allowed = {name.strip() for name in (error.headers or {}).get("allow", "").split(",")} - {""}
    if "GET" in allowed:
        allowed.add("HEAD")
    return {"allow": ", ".join(sorted(allowed))} if allowed else {}


def _encode(code: str, message: str, details: list[Any], request_id: str) -> bytes:
    return msgspec.json.encode(
        {"error": {"code": code, "message": message, "details": details, "request_id": request_id}}
    )
