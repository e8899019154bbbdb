from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from supportapi.calls.manifest import read_manifest
from supportapi.cli import main
from supportapi.release import RELEASE

if TYPE_CHECKING:
    from pathlib import Path


class Shell:
    """Runs commands in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.data = folder / "data"
        self.environ = {
            "SUPPORTAPI_HOME": str(self.home),
            "MANIFEST_PATH": str(self.data / "manifest.json"),
            "REDIS_URL": "redis://:hunter2@127.0.0.1:1/0",
            "PORT": "1",
        }

    def __call__(self, *words: str, **environ: str) -> Result:
        return CliRunner().invoke(main, words, env=self.environ | environ)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)  # where no .env is
    return Shell(tmp_path)


def test_arithmetic_starts_no_threads_of_its_own(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)

    shell("users", "--help")

    assert os.environ["OPENBLAS_NUM_THREADS"] == "1"


def test_an_operator_may_give_arithmetic_threads(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")

    shell("users", "--help")

    assert os.environ["OPENBLAS_NUM_THREADS"] == "2"


def test_every_command_has_a_help(shell: Shell) -> None:
    helps = [shell(name, "--help") for name in main.commands]

    assert {"dev", "api", "watcher", "worker", "ingest", "sample", "verify", "users", "openapi"} <= set(main.commands)
    assert {result.exit_code for result in helps} == {0}


def test_the_release_is_told(shell: Shell) -> None:
    assert shell("--version").output == f"supportapi, version {RELEASE}\n"


def test_a_sample_becomes_a_dataset_and_can_be_ingested_again(shell: Shell) -> None:
    made = shell("sample", "--calls", "300", "--seed", "7")
    first = read_manifest((shell.data / "manifest.json").read_bytes())

    again = shell("ingest", str(shell.data / "cleaned_calls.parquet"), "--out", str(shell.data / "copy"))
    second = read_manifest((shell.data / "copy" / "manifest.json").read_bytes())

    assert (made.exit_code, again.exit_code) == (0, 0)
    assert "300 calls" in made.output
    assert "read 300 = written 300 + rejected 0 + duplicates 0" in again.output
    assert second.hash == first.hash


def test_an_empty_raw_folder_is_no_failure_because_a_refresh_runs_this(shell: Shell) -> None:
    result = shell("ingest")

    assert result.exit_code == 0
    assert "Nothing to ingest" in result.output


def test_a_file_is_looked_at_and_its_mapping_written(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "calls.csv").write_text("call id,start\nc1,2024-05-06T10:00:00Z\nc2,2024-05-06T11:00:00Z\n")

    printed = shell("ingest", "--suggest", "calls.csv")
    written = shell("ingest", "--suggest", "calls.csv", "--out", "mine.toml")
    ingested = shell("ingest", "calls.csv", "--mapping", "mine.toml")

    assert printed.stdout.replace("MAPPING.toml", "mine.toml").strip() == (tmp_path / "mine.toml").read_text().strip()
    assert (written.stdout, "Next: supportapi ingest calls.csv --mapping mine.toml" in written.stderr) == ("", True)
    assert "written 2" in ingested.output


def test_a_table_that_only_looks_like_counts_is_looked_at_when_somebody_says_so(shell: Shell, tmp_path: Path) -> None:
    rows = [f"2024-05-{day:02d},Ann,{day + 3},{day % 5}" for day in range(1, 21)]
    (tmp_path / "calls.csv").write_text("\n".join(["date,agent,calls,requests", *rows]))

    refused = shell("ingest", "--suggest", "calls.csv")
    shell("ingest", "--suggest", "calls.csv", "--rows-are-calls", "--out", "mine.toml")

    assert refused.stderr.startswith("NOT_CALLS: ")
    assert "rows_are_calls = true" in (tmp_path / "mine.toml").read_text().splitlines()
    assert shell("ingest", "calls.csv", "--rows-are-calls").exit_code == 2


def test_looking_at_a_file_and_ingesting_others_is_a_contradiction(shell: Shell) -> None:
    assert shell("ingest", "--suggest", "calls.csv", "others.csv").exit_code == 2


def test_a_failure_is_its_code_and_a_message_and_no_traceback(shell: Shell) -> None:
    result = shell("ingest", str(shell.data / "nothing.csv"))

    assert result.exit_code == 1
    assert result.stderr.startswith("RAW_FILE_UNREADABLE: ")
    assert "Traceback" not in result.output


def test_bad_settings_are_all_told_and_end_with_78(shell: Shell) -> None:
    result = shell("verify", SNAPSHOT_KEPT="3", LOG_LEVEL="loud")

    assert result.exit_code == 78
    assert "did you mean SNAPSHOTS_KEPT?" in result.stderr
    assert "LOG_LEVEL=loud must be one of" in result.stderr


def test_verify_lists_what_is_missing_and_never_a_password(shell: Shell) -> None:
    shell("sample", "--calls", "10")
    without_redis = shell("verify", PORT="58231")

    assert without_redis.exit_code == 1
    assert "REDIS_URL" in without_redis.output
    assert "hunter2" not in without_redis.output


def test_users_come_and_go(shell: Shell) -> None:
    samples = shell("users", "list").output
    added = shell("users", "add", "ann", "--role", "admin", "--password", "correct horse")
    listed = shell("users", "list").output
    removed = shell("users", "remove", "ann")
    missing = shell("users", "remove", "ann")

    assert [line.split("\t") for line in samples.splitlines()] == [
        ["admin", "admin", "all calls"],
        ["viewer", "viewer", "all calls"],
        ["europe", "viewer", "the calls of Central Europe, Southern Europe, UK & Ireland"],
    ]
    assert listed == "ann\tadmin\tall calls\n"
    assert (added.exit_code, removed.exit_code, missing.exit_code) == (0, 0, 1)
    assert "NOT_FOUND" in missing.stderr


def test_an_admin_who_is_limited_to_a_region_is_refused(shell: Shell) -> None:
    rule = ("--role", "admin", "--region", "north", "--password", "correct horse")

    refused = [shell("users", command, "ann", *rule) for command in ("add", "hash")]

    assert [each.exit_code for each in refused] == [1, 1]
    assert all("VALIDATION_ERROR" in each.stderr for each in refused)


def test_an_entry_for_the_environment_can_be_used_as_it_is_printed(shell: Shell) -> None:
    entry = shell("users", "hash", "ann", "--role", "admin", "--password", "correct horse").output.strip()
    rule = ("--region", "UK & Ireland", "--region", "null", "--region", "a,b")
    limited = shell("users", "hash", "bob", *rule, "--password", "correct horse").output.strip()

    listed = shell("users", "list", SUPPORTAPI_USERS=f"{entry} {limited}").output

    assert listed == "ann\tadmin\tall calls\nbob\tviewer\tthe calls of UK & Ireland, null, a,b\n"
    assert shell("users", "hash", "a b", "--password", "correct horse").exit_code == 1


def test_the_list_of_settings_shows_no_secret(shell: Shell) -> None:
    result = shell("settings", SECRET_KEY="hunter2-hunter2-hunter2-hunter2-hunter2")

    assert "PORT=1\n" in result.output
    assert "SECRET_KEY=(set)\n" in result.output
    assert "hunter2" not in result.output


def test_the_committed_contract_is_compared_and_a_changed_one_is_noticed(shell: Shell, tmp_path: Path) -> None:
    document = tmp_path / "openapi.json"

    assert shell("openapi", "--out", str(document)).exit_code == 0
    assert shell("openapi", "--check", str(document)).exit_code == 0
    document.write_bytes(document.read_bytes().replace(b"3.1", b"3.0", 1))
    assert shell("openapi", "--check", str(document)).exit_code == 1


MAPPING = """
time_zone = "UTC"
[columns]
call_id = "id"
started_at = "start"
duration_seconds = "talk"
"""


def export(folder: Path) -> tuple[str, ...]:
    """The words that ingest a file of two calls and a row that is none."""
    (folder / "mapping.toml").write_text(MAPPING)
    (folder / "calls.csv").write_text("id,start,talk\na,2024-05-06 12:00,60\nb,2024-05-06 13:00,0\nc,never,1\n")
    return ("ingest", str(folder / "calls.csv"), "--mapping", str(folder / "mapping.toml"))


def test_a_dry_run_shows_rows_report_and_figures_and_writes_nothing(shell: Shell, tmp_path: Path) -> None:
    result = shell(*export(tmp_path), "--dry-run")

    assert result.exit_code == 0
    assert "read 3 = written 2 + rejected 1 + duplicates 0 + filtered 0 + folded 0" in result.output
    assert "duration_seconds  60.0" in result.output
    assert "Average duration                      60.00 s" in result.output
    assert not shell.data.exists()


def test_a_limit_is_a_dry_run_of_the_first_rows(shell: Shell, tmp_path: Path) -> None:
    result = shell(*export(tmp_path), "--limit", "1")

    assert "read 1 = written 1 +" in result.output
    assert "dry run of the first 1 rows" in result.output
    assert not shell.data.exists()


def test_an_ingest_that_loses_too_much_fails_and_says_where_the_rows_are(shell: Shell, tmp_path: Path) -> None:
    result = shell(*export(tmp_path), "--max-rejects", "1%")

    assert result.exit_code == 1
    assert result.stderr.startswith("INGEST_REJECTED: 1 of 3 rows of calls.csv cannot become calls, and 1% may")
    assert (shell.data / "rejects.failed.parquet").exists()
    assert not (shell.data / "manifest.json").exists()


def test_a_dry_run_fails_by_the_limit_that_would_fail_the_ingest(shell: Shell, tmp_path: Path) -> None:
    result = shell(*export(tmp_path), "--dry-run", "--max-rejects", "1%")

    assert result.exit_code == 1
    assert result.stderr.startswith("INGEST_REJECTED: 1 of 3 rows of calls.csv cannot become calls, and 1% may")
    assert not shell.data.exists()


def test_a_dry_run_of_more_calls_says_what_they_would_do_to_the_live_ones(shell: Shell, tmp_path: Path) -> None:
    shell(*export(tmp_path), "--partition", "month")
    live = {path: path.read_bytes() for path in shell.data.iterdir()}
    (tmp_path / "calls.csv").write_text("id,start,talk\na,2024-05-06 12:00,60\nb,2024-05-06 13:00,9\nc,2024-06-01,1\n")
    words = ("ingest", str(tmp_path / "calls.csv"), "--mapping", str(tmp_path / "mapping.toml"), "--append")

    tried = shell(*words, "--dry-run")

    assert "  to add 1, to replace 1, unchanged 1\n" in tried.output
    assert {path: path.read_bytes() for path in shell.data.iterdir()} == live
    assert "  added 1, replaced 1, unchanged 1\n" in shell(*words).output


def test_a_dry_run_names_the_months_that_would_be_written(shell: Shell, tmp_path: Path) -> None:
    shell(*export(tmp_path), "--partition", "month")
    (may,) = shell.data.glob("calls-*.parquet")
    (tmp_path / "more.csv").write_text("id,start,talk\nc,2024-06-01 10:00,1\n")

    tried = shell(
        "ingest", str(tmp_path / "more.csv"), "--mapping", str(tmp_path / "mapping.toml"), "--append", "--dry-run"
    )

    assert f"  stays: {may.name}: 2 calls\n  to write: calls-2024-06-" in tried.output
    assert "Calls                                 3\n" in tried.output


def test_a_dry_run_promises_the_bytes_that_the_ingest_writes(shell: Shell, tmp_path: Path) -> None:
    words = (*export(tmp_path), "--partition", "month")

    tried = shell(*words, "--dry-run")
    shell(*words)

    manifest = read_manifest((shell.data / "manifest.json").read_bytes())
    assert f"dataset {manifest.hash[:16]} would be in {shell.data}: 2 calls in 1 file\n" in tried.output


def test_a_dry_run_writes_no_rejects_as_csv_and_says_so(shell: Shell, tmp_path: Path) -> None:
    result = shell(*export(tmp_path), "--dry-run", "--rejects-csv")

    assert result.exit_code == 2
    assert "--rejects-csv writes a file, and a dry run writes none" in result.stderr
