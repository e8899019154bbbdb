"""Logs: events with fields, as JSON lines or in colours, with no secret in them. Configured once for each process."""

from __future__ import annotations

import functools
import logging
import os
import sys
from typing import TYPE_CHECKING, Any, Final, TextIO

import msgspec
import structlog

from supportapi.api.access_log import Lines, event_of
from supportapi.processes.redaction import Redaction

if TYPE_CHECKING:
    from collections.abc import Collection, MutableMapping, Sequence

    from structlog.typing import EventDict, Processor

    from supportapi.api.access_log import RawEvent, Sink
    from supportapi.settings import Settings

# What our libraries say that is worth a line at each of their levels.
_LIBRARY_LEVELS: Final = {
    "rq": "WARNING",
    "rq.worker": "WARNING",
    "watchfiles": "WARNING",
    "asyncio": "WARNING",
    "_granian": "WARNING",
}
# It reads them itself: no settings of ours hold them.
_SECRETS_OF_BOTO3: Final = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
# Whose details nobody needs at any level: they are many, and hold signatures.
_HUSHED: Final = ("botocore", "boto3", "s3transfer", "urllib3")
_QUERIES_KEPT: Final = 2_048


def configure_logs(process: str, settings: Settings, stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's events to `stream` (standard error), each with `process`."""
    secrets = [
        settings.secret_key,
        settings.secret_key_previous or "",
        *(digest for _, _, digest, _ in settings.supportapi_users),
        *(os.environ.get(name, "") for name in _SECRETS_OF_BOTO3),
    ]
    write_logs(process, settings.log_level, settings.log_format, secrets, stream or sys.stderr)


def write_logs(process: str, level: str, log_format: str, secrets: Collection[str], stream: TextIO) -> None:
    """As `configure_logs`, for a process that has no settings yet. `log_format` is auto, json or console."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="timestamp"),
        _named(process),
    ]
    on_terminal = log_format == "console" or (log_format == "auto" and stream.isatty())
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.StackInfoRenderer(),
            # Text before redaction: a traceback quotes lines and values.
            structlog.processors.format_exc_info,
            Redaction(secrets),
            structlog.dev.ConsoleRenderer(colors=stream.isatty()) if on_terminal else _json,
        ],
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    _tame_libraries(level)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *(step for step in shared if not isinstance(step, structlog.stdlib.ExtraAdder)),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    logging.captureWarnings(capture=True)


def access_sink(process: str, level: str, log_format: str, stream: TextIO) -> Sink:
    """Writes batches of access events in the same form, in one call each.

    They hold no secret by construction: path, query and user, no header and no body. A query is cleaned all the same.
    """
    if logging.getLevelNamesMapping()[level] > logging.INFO:
        return lambda _events, _epoch: None
    # Front ends ask the same questions again and again: what a query looks like without secrets is kept.
    clean = functools.lru_cache(_QUERIES_KEPT)(Redaction().clean_text)
    if log_format == "console" or (log_format == "auto" and stream.isatty()):
        render = structlog.dev.ConsoleRenderer(colors=stream.isatty())

        def shown(raw: RawEvent, epoch: float) -> str:
            event = event_of(raw, epoch)
            return render(None, "info", {**msgspec.to_builtins(event), "query": clean(event.query), "process": process})

        def write_shown(events: Sequence[RawEvent], epoch: float) -> None:
            stream.write("\n".join(shown(event, epoch) for event in events) + "\n")
            stream.flush()

        return write_shown
    line = Lines(process, clean).line

    def write(events: Sequence[RawEvent], epoch: float) -> None:
        stream.write(b"\n".join([line(event, epoch) for event in events]).decode() + "\n")
        stream.flush()

    return write


def library_logging() -> dict[str, Any]:
    """For servers that insist on a `dictConfig` of their own: leave everything to the handler of `configure_logs`."""
    passing: dict[str, Any] = {"handlers": [], "propagate": True}
    return {"loggers": {"_granian": dict(passing), "granian.access": dict(passing)}}


def _named(process: str) -> Processor:
    def add(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["process"] = process
        return event

    return add


def _json(_logger: object, _method: str, event: EventDict) -> str:
    # The event and its time first: lines are read by people as well.
    ordered = {
        "timestamp": event.pop("timestamp", None),
        "level": event.pop("level", None),
        "event": event.pop("event", None),
    }
    return msgspec.json.encode({**ordered, **event}, enc_hook=str).decode()


def _tame_libraries(level: str) -> None:
    for name, quietest in _LIBRARY_LEVELS.items():
        logger = logging.getLogger(name)
        logger.handlers[:] = []
        logger.propagate = True
        logger.setLevel(level if level == "DEBUG" else quietest)
    for name in _HUSHED:
        logging.getLogger(name).setLevel("WARNING")
