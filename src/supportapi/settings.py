"""The environment, read once. Imported by the composition roots only: everybody else is given values.

`VARIABLES` is the whole list. Reading, `.env.example`, the README's table and `supportapi settings` are made from it.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
from dotenv import dotenv_values

from supportapi import environment as read
from supportapi.errors import SettingsInvalid

_SECRET_BYTES: Final = 32
_SECRET_LETTERS: Final = 10
_STRONG: Final = f"it needs {_SECRET_BYTES} bytes and {_SECRET_LETTERS} different letters"
_BESIDE_MANIFEST: Final = "cleaned_calls.parquet"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting of a process, complete and checked. A field is its variable's name in lower case."""

    app_env: Literal["local", "test", "staging", "production"]
    host: str
    port: int
    api_workers: int
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
    log_format: Literal["auto", "json", "console"]
    tracing_enabled: bool
    supportapi_home: Path
    data_source: Literal["local", "s3"]
    manifest_path: Path
    parquet_path: Path
    s3_bucket: str | None
    s3_prefix: str | None
    s3_endpoint_url: str | None
    s3_cache_mb: int
    s3_events_queue_url: str | None
    glue_database: str | None
    glue_table: str | None
    aws_region: str | None
    redis_url: str | None
    queue_redis_url: str | None
    auth_enabled: bool
    secret_key: str
    secret_key_previous: str | None
    access_token_expire_minutes: int
    supportapi_users: tuple[read.SeededUser, ...]
    cors_origins: tuple[str, ...]
    proxies_in_front: int
    reporting_timezones: tuple[str, ...]
    watch_interval_seconds: float
    snapshots_kept: int
    rollup_budget_mb: int
    audit_queries: int
    job_timeout_seconds: int
    hot_cache_mb: int
    export_rows_max: int
    enable_refresh_endpoint: bool
    refresh_command: str | None

    @property
    def is_local(self) -> bool:
        """Whether this is a developer's machine: sample users, a generated key and an open door are allowed."""
        return self.app_env == "local"

    def queue_url(self, redis_url: str) -> str:
        """Where jobs wait, when everything else stands in the Redis at `redis_url`."""
        return self.queue_redis_url or redis_url

    @property
    def data_folder(self) -> Path:
        """Where the manifest and its files are."""
        return self.manifest_path.parent

    def __repr__(self) -> str:
        shown = {name: getattr(self, name) for name in self.__struct_fields__ if name.upper() not in SECRETS}
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items())}, ...)"


class Variable(msgspec.Struct, frozen=True):
    """One variable of the environment: how its word is read, the word that stands for it when absent, what it means."""

    name: str
    parse: Callable[[str], Any]
    default: str
    meaning: str
    secret: bool = False
    unset: str = "not set"
    """What an empty default means, for people."""
    empty: bool = False
    """Whether an empty word says something. Else it is an absent one: container files spell "unset" that way."""


VARIABLES: Final[tuple[Variable, ...]] = (
    Variable("APP_ENV", read.choice("local", "test", "staging", "production"), "local",
             "Where this runs. Sample users, a generated key and `AUTH_ENABLED=false` exist in `local` only."),
    Variable("HOST", str, "127.0.0.1", "Address that the API listens on."),
    Variable("PORT", read.whole(1, 65535), "8000", "Port that the API listens on."),
    Variable("API_WORKERS", read.whole(1, 64), "1", "API processes; each holds its own hot answers."),
    Variable("LOG_LEVEL", read.choice("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", fold=str.upper), "INFO",
             "Least severe event that is logged."),
    Variable("LOG_FORMAT", read.choice("auto", "json", "console"), "auto",
             "`json` lines, `console` colours, or `auto`: colours on a terminal, else JSON."),
    Variable("TRACING_ENABLED", read.flag, "false", "OpenTelemetry traces by OTLP, as the usual `OTEL_…` variables "
             "say; needs the extra `otel` (docs/monitoring.md)."),
    Variable("SUPPORTAPI_HOME", read.path, ".supportapi",
             "Folder for everything that can be made again: Redis, copies of datasets, arrays, the generated key."),
    Variable("DATA_SOURCE", read.choice("local", "s3"), "local",
             "Where the dataset is: the folder of `MANIFEST_PATH`, or `S3_PREFIX` in `S3_BUCKET` (docs/s3.md)."),
    Variable("MANIFEST_PATH", read.optional_path, "", "The manifest that says what is served.",
             unset="`data/manifest.json`"),
    Variable("PARQUET_PATH", read.optional_path, "", "The calls as one Parquet file, in the folder of the manifest.",
             unset="`cleaned_calls.parquet` beside the manifest"),
    Variable("S3_BUCKET", read.text, "", "Bucket of the dataset, for `DATA_SOURCE=s3`. Credentials are the usual ones "
             "of AWS: variables, profile or role."),
    Variable("S3_PREFIX", read.text, "", "Prefix of the dataset in its bucket; `manifest.json` is right below it."),
    Variable("S3_ENDPOINT_URL", read.web_address, "", "Another S3 than that of AWS, such as MinIO: `http(s)://host:port`.",
             unset="that of AWS"),
    Variable("S3_CACHE_MB", read.whole(1, 1_000_000_000), "10240",
             "Copies of files that a machine keeps at most; those of the newest version always stay."),
    Variable("S3_EVENTS_QUEUE_URL", read.text, "", "SQS queue that the bucket's events go to: a new manifest is then "
             "noticed at once. It is polled all the same."),
    Variable("GLUE_DATABASE", read.text, "", "Database of `GLUE_TABLE`."),
    Variable("GLUE_TABLE", read.text, "", "Table of Glue that is the dataset, for `DATA_SOURCE=s3`: it says where "
             "its files are, and needs no manifest."),
    Variable("AWS_REGION", read.text, "", "Region of bucket, queue and catalogue.",
             unset="that of the profile, else `us-east-1`"),
    Variable("REDIS_URL", read.redis_url, "", "Redis 6.2 or later: `redis://`, `rediss://`, `unix://` or "
             "`redis+sentinel://` (docs/deploy.md).", secret=True, unset="a server of our own, on a private socket"),
    Variable("QUEUE_REDIS_URL", read.redis_url, "", "Redis in which jobs wait, such as another database of the same "
             "server.", secret=True, unset="that of `REDIS_URL`"),
    Variable("AUTH_ENABLED", read.flag, "true", "`false` makes everybody an admin; `local` only."),
    Variable("SECRET_KEY", str, "", "Signs tokens and cursors; at least 32 random bytes outside `local`.", secret=True,
             unset="in `local`: made once and kept in `SUPPORTAPI_HOME`"),
    Variable("SECRET_KEY_PREVIOUS", read.text, "", "A key whose tokens are read still, while none is signed with it: "
             "so a new `SECRET_KEY` signs nobody out (docs/security.md).", secret=True),
    Variable("ACCESS_TOKEN_EXPIRE_MINUTES", read.whole(1, 43200), "60", "Life of a token."),
    Variable("SUPPORTAPI_USERS", read.users, "", "Users, as `name:role:argon2-hash` with spaces between, "
             "and `:region,region` behind it for one who may see no others; see `supportapi users hash`.", secret=True,
             unset="none; in `local`: `admin`, `viewer` and `europe`, each with the password `dev`"),
    Variable("CORS_ORIGINS", read.origins, "http://localhost:3000",
             "Origins of front ends, with commas between. Empty: none.", empty=True),
    Variable("PROXIES_IN_FRONT", read.whole(0, 10), "0", "Proxies of yours that each request passes, such as a load "
             "balancer: they say in `X-Forwarded-For` who asks."),
    Variable("REPORTING_TIMEZONES", read.zones, "UTC",
             "Time zones that days can be counted in, with commas between; the first is the default."),
    Variable("WATCH_INTERVAL_SECONDS", read.number(0.1, 3600), "15",
             "The manifest is compared at least this often, file events or not."),
    Variable("SNAPSHOTS_KEPT", read.whole(1, 100), "3", "Versions that stay readable."),
    Variable("ROLLUP_BUDGET_MB", read.whole(1, 65536), "512", "Limit of a version's dense arrays."),
    Variable("AUDIT_QUERIES", read.whole(0, 10000), "12",
             "Random questions that rollup and plain rows must agree on before a version is published."),
    Variable("JOB_TIMEOUT_SECONDS", read.whole(1, 86400), "3600", "Longest build or refresh."),
    Variable("HOT_CACHE_MB", read.whole(1, 65536), "64", "Encoded answers that each API process keeps."),
    Variable("EXPORT_ROWS_MAX", read.whole(1, 1_000_000_000), "5000000",
             "Rows of the largest export; one that would have more is refused."),
    Variable("ENABLE_REFRESH_ENDPOINT", read.optional_flag, "", "Whether admins may `POST /api/settings/refresh`.",
             unset="`true` in `local`, else `false`"),
    Variable("REFRESH_COMMAND", read.text, "supportapi ingest",
             "What a refresh runs before it reads the manifest again, without a shell; the default ingests `data/raw`. "
             "Empty: only reads.", empty=True),
)  # fmt: skip
"""Every setting, in the order in which it is shown."""

NAMES: Final = tuple(variable.name for variable in VARIABLES)
SECRETS: Final = frozenset(variable.name for variable in VARIABLES if variable.secret)


def load_settings(environ: Mapping[str, str], dotenv: Path) -> Settings:
    """The settings of `environ` and the file `dotenv` (which need not exist; `environ` wins).

    In `local`, an absent `SECRET_KEY` is "" here: whoever starts a process puts the kept one in. Raises
    `SettingsInvalid` with every problem at once.
    """
    written = _read_dotenv(dotenv)
    problems = _strangers(environ, written, dotenv)
    values: dict[str, Any] = {}
    for variable in VARIABLES:
        word = environ.get(variable.name, written.get(variable.name, variable.default)).strip()
        if not word and not variable.empty:
            word = variable.default
        try:
            values[variable.name.lower()] = variable.parse(word)
        except ValueError as cause:
            shown = "" if variable.secret else f"={word}"
            problems.append(f"{variable.name}{shown} {cause}.")
    if problems:
        raise SettingsInvalid([*problems, *_contradictions(values)])
    return _complete(values)


def _complete(values: dict[str, Any]) -> Settings:
    manifest, parquet = values["manifest_path"], values["parquet_path"]
    if manifest is None:
        manifest = (parquet.parent if parquet else Path("data")) / "manifest.json"
    values["manifest_path"] = manifest
    values["parquet_path"] = parquet or manifest.parent / _BESIDE_MANIFEST
    if values["enable_refresh_endpoint"] is None:
        values["enable_refresh_endpoint"] = values["app_env"] == "local"
    values["refresh_command"] = _runnable(values["refresh_command"])
    if problems := _contradictions(values):
        raise SettingsInvalid(problems)
    return Settings(**values)


def _runnable(command: str | None) -> str | None:
    # Our own name may not be on PATH (no activated environment, a container): then it is this very interpreter's.
    if command is not None and (command == "supportapi" or command.startswith("supportapi ")):
        return f"{shlex.quote(sys.executable)} -m supportapi.cli{command.removeprefix('supportapi')}"
    return command


def _read_dotenv(dotenv: Path) -> dict[str, str]:
    # Without interpolation: an argon2 hash is full of dollar signs.
    return {name: value or "" for name, value in dotenv_values(dotenv, interpolate=False).items()}


def _strangers(environ: Mapping[str, str], written: Mapping[str, str], dotenv: Path) -> list[str]:
    """Names that mean nothing to us: any in the file, and in the environment those that look like one of ours."""
    problems: list[str] = []
    for name in written:
        if name not in NAMES:
            close = read.near_miss(name, NAMES) or read.nearest(name, NAMES)
            remedy = f"did you mean {close}?" if close else "'supportapi settings' lists them all"
            problems.append(f"{name} in {dotenv.name} is not a setting; {remedy}")
    for name in sorted(environ):
        close = read.near_miss(name, NAMES)
        if close is not None:
            problems.append(f"{name} is not a setting; did you mean {close}? Otherwise unset it.")
    return problems


def _contradictions(values: Mapping[str, Any]) -> list[str]:
    """What is wrong with values that are right one by one. A value that could not be read is absent."""
    found: list[str] = []
    local = values.get("app_env", "local") == "local"
    database, table = values.get("glue_database"), values.get("glue_table")
    if (database is None) != (table is None):
        found.append("GLUE_DATABASE and GLUE_TABLE belong together; set both, or neither.")
    if values.get("data_source") == "s3" and table is None and values.get("s3_bucket", "unread") is None:
        found.append("S3_BUCKET is needed with DATA_SOURCE=s3; name the bucket that holds the dataset.")
    if values.get("queue_redis_url") and values.get("redis_url", "unread") is None:
        found.append("QUEUE_REDIS_URL is of no use without REDIS_URL; set both, or neither.")
    manifest, parquet = values.get("manifest_path"), values.get("parquet_path")
    if manifest and parquet and manifest.parent.absolute() != parquet.parent.absolute():
        found.append(f"PARQUET_PATH={parquet} must lie in the folder of MANIFEST_PATH, {manifest.parent}.")
    return found if local else [*found, *_for_developers_only(values, f"APP_ENV={values.get('app_env')}")]


def _for_developers_only(values: Mapping[str, Any], outside: str) -> list[str]:
    found: list[str] = []
    if _is_weak(values.get("secret_key", "")):
        remedy = "make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
        found.append(f"SECRET_KEY is missing or easily guessed, with {outside}: {_STRONG}; {remedy}")
    if (previous := values.get("secret_key_previous")) and _is_weak(previous):
        found.append(f"SECRET_KEY_PREVIOUS is easily guessed, with {outside}: {_STRONG}; leave it out.")
    if not values.get("auth_enabled", True):
        found.append(f"AUTH_ENABLED=false is for APP_ENV=local only, not for {outside}; remove it.")
    if "*" in values.get("cors_origins", ()):
        found.append(f"CORS_ORIGINS=* is for APP_ENV=local only, not for {outside}; name the front end's origin.")
    if values.get("redis_url", "redis") is None and values["app_env"] != "test":
        found.append(f"REDIS_URL is needed with {outside}; set it to a Redis 6.2 or later.")
    return found


def _is_weak(key: str) -> bool:
    return len(key.encode()) < _SECRET_BYTES or len(set(key)) < _SECRET_LETTERS


def shown(settings: Settings) -> dict[str, str]:
    """Each variable as this process uses it; secrets are only said to be there."""
    values = {name: getattr(settings, name.lower()) for name in NAMES}
    return {name: "(set)" if name in SECRETS and value else str(value) for name, value in values.items()}


def markdown_table() -> str:
    """The README's table of settings."""
    lines = ["| Variable | Default | Meaning |", "|---|---|---|"]
    for variable in VARIABLES:
        default = f"`{variable.default}`" if variable.default else variable.unset
        lines.append(f"| `{variable.name}` | {default} | {variable.meaning} |")
    return "\n".join(lines) + "\n"


def dotenv_example() -> str:
    """The text of `.env.example`: every variable with its default, commented out."""
    entries = [f"# {variable.meaning}\n#{variable.name}={variable.default}\n" for variable in VARIABLES]
    return "# Copy to .env and set what differs.\n\n" + "\n".join(entries)
