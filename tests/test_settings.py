from __future__ import annotations

from pathlib import Path

import pytest

from supportapi.errors import SettingsInvalid
from supportapi.settings import NAMES, Settings, dotenv_example, load_settings, shown

ARGON2 = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo"
SECRET = "x0y1z2-ABCDEFGHIJKLMNOPQRSTUVWXYZ"[:32]
PRODUCTION = {"APP_ENV": "production", "SECRET_KEY": SECRET, "REDIS_URL": "redis://redis:6379/0"}


def read(environ: dict[str, str] | None = None, dotenv: Path = Path("there-is-none")) -> Settings:
    return load_settings(environ or {}, dotenv)


def refused(environ: dict[str, str], dotenv: Path = Path("there-is-none")) -> list[str]:
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(environ, dotenv)
    return caught.value.problems


def test_an_empty_environment_is_a_developers_machine() -> None:
    settings = read()

    assert (settings.app_env, settings.host, settings.port) == ("local", "127.0.0.1", 8000)
    assert (settings.manifest_path, settings.data_folder) == (Path("data/manifest.json"), Path("data"))
    assert (settings.parquet_path, settings.supportapi_home) == (
        Path("data/cleaned_calls.parquet"),
        Path(".supportapi"),
    )
    assert (settings.redis_url, settings.secret_key, settings.supportapi_users) == (None, "", ())
    assert (settings.watch_interval_seconds, settings.snapshots_kept, settings.rollup_budget_mb) == (15, 3, 512)
    assert (settings.enable_refresh_endpoint, settings.auth_enabled) == (True, True)
    assert settings.cors_origins == ("http://localhost:3000",)


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("PORT=9000\nHOST=127.0.0.2\n")

    settings = read({"PORT": "9001"}, dotenv)

    assert (settings.port, settings.host) == (9001, "127.0.0.2")


def test_a_hash_full_of_dollar_signs_survives_the_file(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text(f"SUPPORTAPI_USERS=ann:admin:{ARGON2} bob:viewer:{ARGON2}\n")

    assert read(dotenv=dotenv).supportapi_users == (
        ("ann", "admin", ARGON2, None),
        ("bob", "viewer", ARGON2, None),
    )


def test_a_user_of_the_environment_may_be_limited_to_regions() -> None:
    settings = read({"SUPPORTAPI_USERS": f"ann:viewer:{ARGON2}:UK%20%26%20Ireland,a%2Cb,null"})

    assert settings.supportapi_users == (("ann", "viewer", ARGON2, ("UK & Ireland", "a,b", "null")),)


def test_an_empty_word_of_a_container_file_means_the_default() -> None:
    settings = read({"PORT": "", "REPORTING_TIMEZONES": " ", "SECRET_KEY": ""})

    assert (settings.port, settings.reporting_timezones) == (8000, ("UTC",))


def test_an_empty_refresh_command_and_no_origins_are_values_of_their_own() -> None:
    settings = read({"REFRESH_COMMAND": "", "CORS_ORIGINS": ""})

    assert (settings.refresh_command, settings.cors_origins) == (None, ())


def test_the_default_refresh_runs_our_ingest_by_this_interpreter() -> None:
    assert str(read().refresh_command).endswith(" -m supportapi.cli ingest")


def test_the_manifest_follows_the_parquet_file_and_the_other_way_round() -> None:
    assert read({"PARQUET_PATH": "/srv/calls/all.parquet"}).manifest_path == Path("/srv/calls/manifest.json")
    assert read({"MANIFEST_PATH": "/srv/calls/m.json"}).parquet_path == Path("/srv/calls/cleaned_calls.parquet")


def test_all_problems_are_said_at_once() -> None:
    problems = refused(
        {"PORT": "http", "LOG_LEVEL": "loud", "REPORTING_TIMEZONES": "Europe/Berln", "SNAPSHOT_KEPT": "3"}
    )

    assert problems == [
        "SNAPSHOT_KEPT is not a setting; did you mean SNAPSHOTS_KEPT? Otherwise unset it.",
        "PORT=http is not a whole number; it must be from 1 to 65535.",
        "LOG_LEVEL=loud must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL.",
        (
            "REPORTING_TIMEZONES=Europe/Berln names 'Europe/Berln', which the time-zone database does not know "
            "(use e.g. Europe/Berlin)."
        ),
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("SNAPSHOT_KEPT", "SNAPSHOTS_KEPT"),
        ("LOGLEVEL", "LOG_LEVEL"),
        ("log_level", "LOG_LEVEL"),
        ("REDIS_URI", "REDIS_URL"),
        ("SERCET_KEY", "SECRET_KEY"),
        ("CORS_ORIGIN", "CORS_ORIGINS"),
        ("SUPPORTAPI_USER", "SUPPORTAPI_USERS"),
        ("SUPPORTAPI_DATA_HOME", "SUPPORTAPI_HOME"),
    ],
)
def test_a_misspelt_name_is_refused_with_the_nearest_one(written: str, meant: str) -> None:
    assert refused({written: "x"}) == [f"{written} is not a setting; did you mean {meant}? Otherwise unset it."]


@pytest.mark.parametrize(
    "name",
    [
        "HOSTNAME",
        "HOME",
        "HOSTS",
        "PORTS",
        "REDIS_HOST",
        "REDIS_SSL",
        "LOGNAME",
        "PATH",
        "SHELL",
        "APP_DIR",
        "SECRET",
        "S3_URL",
        "TZ",
        "hostname",
        "http_proxy",
    ],
)
def test_names_that_are_none_of_our_business_do_not_trip_us(name: str) -> None:
    assert read({name: "x"}).port == 8000


def test_in_the_file_every_strange_name_is_refused(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("JAVA_OPTS=eu\nSNAPSHOTS=3\n")

    problems = refused({}, dotenv)

    assert problems[0] == "JAVA_OPTS in .env is not a setting; 'supportapi settings' lists them all"
    assert problems[1] == "SNAPSHOTS in .env is not a setting; did you mean SNAPSHOTS_KEPT?"


def test_the_example_file_with_every_line_in_force_is_the_default(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    lines = [
        line.removeprefix("#") for line in dotenv_example().splitlines() if line.startswith("#") and line[1:2] != " "
    ]
    dotenv.write_text("\n".join(lines))

    assert tuple(line.split("=")[0] for line in lines) == NAMES
    assert read(dotenv=dotenv) == read()


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("APP_ENV", "prod"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("API_WORKERS", "0"),
        ("WATCH_INTERVAL_SECONDS", "nan"),
        ("WATCH_INTERVAL_SECONDS", "0"),
        ("SNAPSHOTS_KEPT", "-1"),
        ("AUTH_ENABLED", "maybe"),
        ("REDIS_URL", "http://redis"),
        ("REDIS_URL", "unix://"),
        ("CORS_ORIGINS", "localhost:3000"),
        ("CORS_ORIGINS", "https://a.example/path"),
        ("REPORTING_TIMEZONES", ","),
        ("REPORTING_TIMEZONES", "Europe"),
        ("REPORTING_TIMEZONES", "../../etc/passwd"),
        ("DATA_SOURCE", "gcs"),
        ("S3_CACHE_MB", "0"),
        ("S3_ENDPOINT_URL", "minio:9000"),
        ("S3_ENDPOINT_URL", "http://user:hunter2@minio:9000"),
        ("SUPPORTAPI_USERS", "ann:owner:" + ARGON2),
        ("SUPPORTAPI_USERS", "ann:admin:secret"),
        ("SUPPORTAPI_USERS", f"ann:admin:{ARGON2} ann:viewer:{ARGON2}"),
        ("SUPPORTAPI_USERS", f"ann:viewer:{ARGON2}:"),
        ("SUPPORTAPI_USERS", f"ann:viewer:{ARGON2}:north,"),
        ("SUPPORTAPI_USERS", f"ann:admin:{ARGON2}:north"),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(name: str, word: str) -> None:
    problems = refused({name: word})

    assert len(problems) == 1
    assert problems[0].startswith(name)


def test_a_dataset_in_a_bucket_needs_the_buckets_name() -> None:
    assert refused({"DATA_SOURCE": "s3"}) == [
        "S3_BUCKET is needed with DATA_SOURCE=s3; name the bucket that holds the dataset."
    ]
    assert read({"DATA_SOURCE": "s3", "S3_BUCKET": "calls"}).s3_bucket == "calls"


def test_a_table_of_glue_needs_its_database_and_no_bucket() -> None:
    told = ["GLUE_DATABASE and GLUE_TABLE belong together; set both, or neither."]

    assert refused({"DATA_SOURCE": "s3", "S3_BUCKET": "calls", "GLUE_TABLE": "calls"}) == told
    assert read({"DATA_SOURCE": "s3", "GLUE_DATABASE": "support", "GLUE_TABLE": "calls"}).glue_table == "calls"


def test_a_refusal_never_repeats_a_secret() -> None:
    problems = refused({"REDIS_URL": "reddis://:hunter2@host", "SUPPORTAPI_USERS": "ann:admin:hunter2"})

    assert "hunter2" not in " ".join(problems)


def test_neither_the_representation_nor_the_list_of_settings_shows_a_secret() -> None:
    previous = SECRET[::-1]
    secret = {"REDIS_URL": "redis://:hunter2@host", "SUPPORTAPI_USERS": f"ann:admin:{ARGON2}"}

    settings = read({**PRODUCTION, **secret, "SECRET_KEY_PREVIOUS": previous})

    told = repr(settings) + repr(shown(settings))
    assert [word for word in (SECRET, previous, "hunter2", ARGON2) if word in told] == []


@pytest.mark.parametrize("app_env", ["test", "staging", "production"])
@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("SECRET_KEY", ""),
        ("SECRET_KEY", SECRET[:31]),
        ("SECRET_KEY", "changeme" * 8),
        ("SECRET_KEY_PREVIOUS", SECRET[:31]),
        ("SECRET_KEY_PREVIOUS", "x" * 64),
        ("AUTH_ENABLED", "false"),
        ("CORS_ORIGINS", "*"),
        ("CORS_ORIGINS", "https://a.example,*"),
    ],
)
def test_what_is_only_for_developers_is_refused_elsewhere(app_env: str, name: str, word: str) -> None:
    problems = refused({**PRODUCTION, "APP_ENV": app_env, name: word})

    assert len(problems) == 1
    assert problems[0].startswith(name)
    assert f"APP_ENV={app_env}" in problems[0]


def test_on_a_developers_machine_the_same_is_allowed() -> None:
    settings = read({"SECRET_KEY": "short", "AUTH_ENABLED": "false", "CORS_ORIGINS": "*"})

    assert (settings.secret_key, settings.auth_enabled, settings.cors_origins) == ("short", False, ("*",))


def test_production_needs_a_redis_and_refreshes_only_when_asked() -> None:
    assert read(PRODUCTION).enable_refresh_endpoint is False
    assert refused({**PRODUCTION, "REDIS_URL": ""}) == [
        "REDIS_URL is needed with APP_ENV=production; set it to a Redis 6.2 or later."
    ]


def test_the_parquet_file_must_lie_beside_its_manifest() -> None:
    problems = refused({"MANIFEST_PATH": "a/manifest.json", "PARQUET_PATH": "b/calls.parquet"})

    assert problems == ["PARQUET_PATH=b/calls.parquet must lie in the folder of MANIFEST_PATH, a."]
