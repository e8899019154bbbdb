from __future__ import annotations

import io
import json
import logging
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from supportapi.processes.logs import access_sink, configure_logs, library_logging, write_logs
from supportapi.processes.redaction import REDACTED, Redaction
from supportapi.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supportapi.api.access_log import RawEvent


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:  # pyright: ignore[reportUnusedFunction] - autouse
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_a_json_line_with_time_level_and_process() -> None:
    out = io.StringIO()
    write_logs("worker", "INFO", "auto", [], out)

    structlog.get_logger().info("snapshot.published", rows=3)

    [line] = lines(out)
    assert list(line)[:3] == ["timestamp", "level", "event"]
    assert (line["level"], line["event"], line["rows"], line["process"]) == ("info", "snapshot.published", 3, "worker")
    assert datetime.fromisoformat(line["timestamp"]).utcoffset() is not None


def test_the_standard_library_says_the_same_in_the_same_form() -> None:
    out = io.StringIO()
    write_logs("api", "INFO", "json", [], out)

    logging.getLogger("somebody").info("hello %s", "there", extra={"rows": 3})

    [line] = lines(out)
    assert (line["event"], line["rows"], line["process"]) == ("hello there", 3, "api")


def test_on_a_terminal_lines_are_for_people() -> None:
    out = Terminal()
    write_logs("api", "INFO", "auto", [], out)

    structlog.get_logger().info("snapshot.published", rows=3)

    assert "\x1b[" in out.getvalue()
    assert "snapshot.published" in out.getvalue()


def test_what_is_less_severe_is_not_written_and_libraries_are_quiet() -> None:
    out = io.StringIO()
    write_logs("api", "INFO", "json", [], out)

    structlog.get_logger().debug("detail.seen")
    logging.getLogger("rq.worker").info("*** Listening on default...")
    logging.getLogger("rq.worker").warning("trouble")

    assert [line["event"] for line in lines(out)] == ["trouble"]


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "PASSWORD",
        "access_token",
        "token",
        "secret_key",
        "Authorization",
        "cookie",
        "Set-Cookie",
        "api_key",
        "aws_secret_access_key",
        "AWS_ACCESS_KEY_ID",
        "SecretAccessKey",
        "X-Amz-Security-Token",
        "aws_session_token",
    ],
)
def test_no_value_under_a_secrets_name_is_written(name: str) -> None:
    out = io.StringIO()
    write_logs("api", "INFO", "json", [], out)

    structlog.get_logger().info("request.seen", headers={name: "hunter2"}, **{name: "hunter2"})

    [line] = lines(out)
    assert (line[name], line["headers"][name]) == (REDACTED, REDACTED)


@pytest.mark.parametrize(
    "text",
    [
        "redis://:hunter2@redis:6379/0",
        "rediss://user:hunter2@redis",
        "Bearer hunter2",
        "authorization: bearer hunter2",
        "$argon2id$v=19$m=65536,t=3,p=4$hunter2$hunter2",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJodW50ZXIyIn0.hunter2",
        "GET /api/calls?password=hunter2&page=1",
        "the key is hunter2-hunter2-hunter2",
        "https://calls.s3.amazonaws.com/a?X-Amz-Credential=hunter2%2F20261125&X-Amz-Signature=hunter2&X-Amz-Date=x",
        "https://calls.s3.amazonaws.com/a?AWSAccessKeyId=hunter2&Signature=hunter2%3D&Expires=1",
        "authorization: AWS4-HMAC-SHA256 Credential=hunter2/20261125/eu/s3/aws4_request, Signature=hunter2",
        "AKIAHUNTER2HUNTER234 may not do this",
        "aws_secret_access_key=hunter2",
        '{"aws_session_token": "hunter2"}',
    ],
)
def test_no_text_of_a_secrets_shape_is_written_wherever_it_stands(text: str) -> None:
    out = io.StringIO()
    write_logs("api", "INFO", "json", ["hunter2-hunter2-hunter2"], out)

    try:
        int(text)  # its ValueError quotes the text
    except ValueError:
        structlog.get_logger().exception("thing.broke", said=text, several=[text], inner={"deep": (text,)})
    logging.getLogger("redis").error("could not reach %s", text)

    assert "hunter2" not in out.getvalue().lower()
    assert "ValueError" in out.getvalue()


def test_the_credentials_of_boto3_are_known_and_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG")
    configure_logs("api", load_settings({}, Path("no-such-file")), out)

    structlog.get_logger().info("thing.broke", said="the key wJalrXUtnFEMI/K7MDENG is wrong")

    assert [line["said"] for line in lines(out)] == [f"the key {REDACTED} is wrong"]


def test_what_boto3_sends_is_not_told_at_any_level() -> None:
    out = io.StringIO()
    write_logs("api", "DEBUG", "json", [], out)

    logging.getLogger("botocore.auth").debug("Signature: abc")
    logging.getLogger("urllib3.connectionpool").debug("GET /calls/manifest.json")

    assert lines(out) == []


def test_harmless_fields_are_left_alone() -> None:
    fields: dict[str, object] = {
        "tokens": 3,
        "passwordless": "yes",
        "key": "calls",
        "url": "http://host/path",
        "n": None,
    }

    assert Redaction()(None, "info", dict(fields)) == fields


def served(**given: Any) -> RawEvent:
    """A request that took 1.5 ms and ended at 2026-01-02T03:04:05.25Z, by a clock that began a second before that."""
    what: dict[str, Any] = {"path": "/api/calls", "query": b"", "user": "ann", "request_id": b"r-1", **given}
    named = ("GET", "/api/calls", what["path"], what["query"], 200, "", "", what["user"])
    return named, 0.9985, 0.0015, what["request_id"]


EPOCH = datetime.fromisoformat("2026-01-02T03:04:04.250+00:00").timestamp()


def test_access_events_are_written_in_one_call_and_their_queries_cleaned() -> None:
    out = io.StringIO()

    access_sink("api", "INFO", "json", out)([served(query=b"token=hunter2"), served(query=b"token=hunter2")], EPOCH)

    first, second = lines(out)
    assert first == second
    assert (first["event"], first["process"], first["request_id"]) == ("request.served", "api", "r-1")
    assert "hunter2" not in out.getvalue()


def test_what_is_told_apart_in_a_line_is_what_the_request_was() -> None:
    out = io.StringIO()
    odd = {"path": '/a"milliseconds":0.0%s%', "query": b"q=%25%b", "user": None, "request_id": b"r-2"}

    access_sink("api", "INFO", "json", out)([served(), served(**odd), served()], EPOCH)

    first, second, third = lines(out)
    assert first == third
    assert (second["path"], second["query"], second["user"], second["request_id"]) == (
        odd["path"],
        "q=%25%b",
        None,
        "r-2",
    )
    assert (second["milliseconds"], second["timestamp"]) == (1.5, "2026-01-02T03:04:05.250000Z")


def test_on_a_terminal_access_events_are_for_people() -> None:
    out = Terminal()

    access_sink("api", "INFO", "auto", out)([served(query=b"token=hunter2")], EPOCH)

    assert "request.served" in out.getvalue()
    assert "\x1b[" in out.getvalue()
    assert "hunter2" not in out.getvalue()


def test_access_events_are_not_written_when_only_warnings_are_wanted() -> None:
    out = io.StringIO()

    access_sink("api", "WARNING", "json", out)([served()], EPOCH)

    assert out.getvalue() == ""


def test_the_server_adds_no_handler_of_its_own() -> None:
    assert all(not logger["handlers"] and logger["propagate"] for logger in library_logging()["loggers"].values())
