"""`supportapi users`. As in `cli.py`, what a command needs is imported when it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from supportapi.access.principal import Role

_REGIONS: Final = click.option("--region", "regions", multiple=True, metavar="REGION",
                               help="A viewer who may see the calls of this region (and of others that are named so) "
                               "alone; `null` names those of no known region.")  # fmt: skip


@click.group()
def users() -> None:
    """Who may sign in: users kept in SUPPORTAPI_HOME, beside those of SUPPORTAPI_USERS."""


@users.command("add")
@click.argument("username")
@click.option("--role", type=click.Choice(["viewer", "admin"]), default="viewer", show_default=True)
@_REGIONS
@click.password_option(help="Asked for when it is not given.")
def add_user(username: str, role: Role, regions: tuple[str, ...], password: str) -> None:
    """Add a user, or give one a new role, password and regions."""
    from supportapi.access.users import UserFile  # noqa: PLC0415
    from supportapi.processes.start import read_settings  # noqa: PLC0415

    UserFile(read_settings().supportapi_home).add(username, role, password, regions or None)
    click.echo(f"{username} may sign in as {role}, and see {_told(regions or None)}.")


@users.command("list")
def list_users() -> None:
    """List everybody who may sign in."""
    from supportapi.processes.application import users as everybody  # noqa: PLC0415
    from supportapi.processes.start import read_settings  # noqa: PLC0415

    for user in everybody(read_settings()).everybody().values():
        click.echo(f"{user.username}\t{user.role}\t{_told(user.regions)}")


@users.command("remove")
@click.argument("username")
def remove_user(username: str) -> None:
    """Remove a user of SUPPORTAPI_HOME."""
    from supportapi.access.users import UserFile  # noqa: PLC0415
    from supportapi.processes.start import read_settings  # noqa: PLC0415

    UserFile(read_settings().supportapi_home).remove(username)
    click.echo(f"{username} may not sign in any more; their tokens are refused within half a minute.")


@users.command("hash")
@click.argument("username")
@click.option("--role", type=click.Choice(["viewer", "admin"]), default="viewer", show_default=True)
@_REGIONS
@click.password_option()
def hash_user(username: str, role: Role, regions: tuple[str, ...], password: str) -> None:
    """Print an entry for SUPPORTAPI_USERS."""
    from urllib.parse import quote  # noqa: PLC0415

    from supportapi.access.passwords import hash_password  # noqa: PLC0415
    from supportapi.access.users import refuse_unusable  # noqa: PLC0415

    refuse_unusable(username, password, role, regions or None)
    rule = ":" + ",".join(quote(region, safe="") for region in regions) if regions else ""
    click.echo(f"{username}:{role}:{hash_password(password)}{rule}")


def _told(regions: tuple[str, ...] | None) -> str:
    return f"the calls of {', '.join(regions)}" if regions else "all calls" if regions is None else "no calls"
