"""`supportapi`: every command there is. What a command needs is imported when it runs, so that `--help` is quick."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from supportapi.errors import SettingsInvalid, StartRefused, SupportApiError
from supportapi.processes.progress import progress_line
from supportapi.processes.users_command import users
from supportapi.release import RELEASE

if TYPE_CHECKING:
    from supportapi.settings import Settings

_FAILED: Final = 1
_REFUSED: Final = 78
"""`EX_CONFIG`: starting again helps only after somebody has changed something."""

_FILE: Final = click.Path(path_type=Path, dir_okay=False)
_FOLDER: Final = click.Path(path_type=Path, file_okay=False)
_PATH: Final = click.Path(path_type=Path)
_JSON: Final = click.option("--json", "as_json", is_flag=True, help="For programs.")
_TIED: Final = click.option("--tied", is_flag=True, help="End with the program that started this one (Linux).")


class _Group(click.Group):
    """Failures that have a name end a command with their message and code, not with a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SupportApiError as failure:
            click.echo(f"{click.style(failure.code, fg='red')}: {failure.message}", err=True)
            refused = isinstance(failure, (StartRefused, SettingsInvalid))
            raise SystemExit(_REFUSED if refused else _FAILED) from failure


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(RELEASE, prog_name="supportapi")
def main() -> None:
    """Support-call analytics: aggregates precomputed into Redis, served in the time that it takes to send them."""
    # Read when numpy is loaded: a product of ours is small, and threads would only take cores from other requests.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


# -- processes ---------------------------------------------------------------------------------------------------


@main.command()
def dev() -> None:
    """Run everything on this machine: Redis, sample data, api, watcher, worker."""
    from supportapi.processes.dev import run_dev  # noqa: PLC0415  see the module's docstring; so below

    run_dev()


@main.command()
@_TIED
def api(*, tied: bool) -> None:
    """Serve the HTTP API."""
    from supportapi.processes.start import begin  # noqa: PLC0415
    from supportapi.processes.web import run_api  # noqa: PLC0415

    run_api(begin("api", listens=True, tied=tied))


@main.command()
@_TIED
def watcher(*, tied: bool) -> None:
    """Notice a new dataset and ask for its build."""
    from supportapi.processes.start import begin  # noqa: PLC0415
    from supportapi.processes.watcher import run_watcher  # noqa: PLC0415

    run_watcher(begin("watcher", tied=tied))


@main.command()
@_TIED
def worker(*, tied: bool) -> None:
    """Build and publish versions."""
    from supportapi.processes.start import begin  # noqa: PLC0415
    from supportapi.processes.worker import run_worker  # noqa: PLC0415

    run_worker(begin("worker", tied=tied))


# -- data --------------------------------------------------------------------------------------------------------


@main.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--mapping", type=_FILE, help="How columns become calls; without one the files are a ready dataset.")
@click.option("--append", is_flag=True, help="Add to the live dataset; a call with a known id replaces the stored one.")
@click.option("--partition", type=click.Choice(["month", "none"]),
              help="A file a month, or one file.  [default: the mapping's, else one; appending: as it is]")  # fmt: skip
@click.option("--suggest", type=_FILE, help="Only look at this file, and write a commented mapping for it.")
@click.option("--rows-are-calls", is_flag=True, help="With --suggest: look at a table that is refused as NOT_CALLS.")
@click.option(
    "--out",
    type=_PATH,
    help="Folder of the dataset, or the mapping's file.  [default: that of MANIFEST_PATH, or the bucket]",
)
@click.option("--max-rejects", metavar="LIMIT", help="Fail when more rows than this become no call: 100, or 1%.")
@click.option("--rejects-csv", is_flag=True, help="Write the rejected rows as CSV too, for spreadsheets.")
@click.option(
    "--dry-run",
    is_flag=True,
    help="Show the report, the first rows, and the figures; nothing but scratch files in TMPDIR is written.",
)
@click.option("--limit", type=click.IntRange(min=1), help="A dry run of the first rows of each file.")
def ingest(files: tuple[Path, ...], mapping: Path | None, out: Path | None, **options: Any) -> None:
    """Turn raw FILES into the live dataset; without FILES, everything in `raw/` of the dataset's folder.

    A folder means all files in it; a pattern in quotation marks ('exports/2024-*.csv') all files that it matches.
    """
    from supportapi.dataset.placement import Placement  # noqa: PLC0415
    from supportapi.processes.ingest_command import Asked, dry_run, run_ingest, run_suggest  # noqa: PLC0415
    from supportapi.processes.store import dataset_folder  # noqa: PLC0415

    limit = options.pop("limit")
    suggest: Path | None = options.pop("suggest")
    rows_are_calls: bool = options.pop("rows_are_calls")
    if suggest is not None:
        if files or mapping is not None or limit is not None or any(options.values()):
            raise click.UsageError("--suggest only looks at one file: beside it there are --out and --rows-are-calls.")
        run_suggest(suggest, out, rows_are_calls=rows_are_calls)
        return
    if rows_are_calls:
        raise click.UsageError("--rows-are-calls is for --suggest; a mapping says rows_are_calls = true at its top.")
    dry = options.pop("dry_run") or limit is not None
    if dry and options.pop("rejects_csv"):
        raise click.UsageError("--rejects-csv writes a file, and a dry run writes none: leave one of the two out.")
    placement = Placement(options.pop("partition"), options.pop("append"))
    found = _settings()
    asked = Asked(files, mapping, (out or found.data_folder) / "raw")
    with dataset_folder(found, out, files=placement.append) as folder, progress_line(sys.stderr) as tell:
        if dry:
            dry_run(asked, folder, found, tell, limit=limit, placement=placement, **options)
        else:
            run_ingest(asked, folder, tell, placement=placement, **options)


@main.command()
@click.option("--calls", type=click.IntRange(min=1), default=200_000, show_default=True, help="How many.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Equal seeds give equal bytes.")
@click.option("--out", type=_FOLDER, help="Folder of the dataset.  [default: that of MANIFEST_PATH, or the bucket]")
def sample(calls: int, seed: int, out: Path | None) -> None:
    """Make up calls that look like a support centre's."""
    from supportapi.dataset.sample import make_sample  # noqa: PLC0415
    from supportapi.processes.store import dataset_folder  # noqa: PLC0415

    with dataset_folder(_settings(), out) as folder:
        with progress_line(sys.stderr) as tell:
            manifest = make_sample(calls, seed, folder, progress=tell)
        click.echo(f"{manifest.row_count:,} calls in {folder / manifest.path}, dataset {manifest.hash[:16]}")


@main.command("glue-job")
@click.argument("name")
def glue_job(name: str) -> None:
    """Run the job NAME of Glue and wait for its end, as a REFRESH_COMMAND does."""
    from supportapi.dataset.glue_job import run_glue_job  # noqa: PLC0415
    from supportapi.processes.store import aws_of  # noqa: PLC0415

    run_glue_job(aws_of(_settings()), name, click.echo)


# -- operations --------------------------------------------------------------------------------------------------


@main.command()
def verify() -> None:
    """List every problem of settings, data and Redis at once, each with its remedy.

    Exit status: 0 when there is none, 1 when processes start and wait for something, 78 when they refuse to start.
    """
    from supportapi.processes.verify import find_problems, is_serving  # noqa: PLC0415

    found = _settings()
    problems = find_problems(found, listens=not is_serving(found))  # our own API may hold the port
    for problem in problems:
        click.echo(f"{problem.about}: {problem.what} {problem.remedy}".rstrip())
    if problems:
        raise SystemExit(_REFUSED if any(problem.blocks for problem in problems) else _FAILED)
    click.echo("All is well.")


@main.command()
@_JSON
def status(*, as_json: bool) -> None:
    """Show the whole system: version, age, stale or not, watcher, queue, workers, last failures.

    Exit status: 0 when the newest data is served and watcher and workers live, else 1.
    """
    from supportapi.processes.system import look, shown  # noqa: PLC0415

    standing = look(_settings())
    click.echo(shown(standing, as_json=as_json))
    if not standing.well:
        raise SystemExit(_FAILED)


@main.command()
@_JSON
def doctor(*, as_json: bool) -> None:
    """Check this machine and the running system, each check with its remedy.

    Exit status: 0 when all is well, 1 when something is not, 78 when processes refuse to start.
    """
    from supportapi.processes.doctor import examine, shown  # noqa: PLC0415

    found = examine(_settings())
    click.echo(shown(found, as_json=as_json))
    if any(not each.ok for each in found):
        raise SystemExit(_REFUSED if any(each.blocks for each in found) else _FAILED)


@main.command()
@click.option("--markdown", is_flag=True, help="The table of the README.")
@click.option("--dotenv", is_flag=True, help="The text of `.env.example`.")
def settings(*, markdown: bool, dotenv: bool) -> None:
    """Show every setting: as a table, as an example file, or as this process would use it."""
    from supportapi import settings as listing  # noqa: PLC0415

    if markdown:
        click.echo(listing.markdown_table(), nl=False)
    elif dotenv:
        click.echo(listing.dotenv_example(), nl=False)
    else:
        for name, value in listing.shown(_settings()).items():
            click.echo(f"{name}={value}")


@main.command()
@click.option("--out", type=_FILE, help="Write it there instead of to standard output.")
@click.option("--check", type=_FILE, help="Fail when this file differs.")
def openapi(out: Path | None, check: Path | None) -> None:
    """Print the OpenAPI document, from which clients are generated."""
    from supportapi.api.app import openapi_document  # noqa: PLC0415

    document = openapi_document()
    if check is not None:
        if not check.exists() or check.read_bytes() != document:
            raise click.ClickException(f"{check} is not what the code says; run 'make openapi' and commit it.")
    elif out is not None:
        out.write_bytes(document)
    else:
        click.echo(document, nl=False)


def _settings() -> Settings:
    from supportapi.processes.start import read_settings  # noqa: PLC0415

    return read_settings()


main.add_command(users)

if __name__ == "__main__":
    main(prog_name="supportapi")
