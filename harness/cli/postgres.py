"""`poolstart postgres`: starts, inspects and removes the containerized server."""

from typing import TYPE_CHECKING

import typer
from rich.console import Console

if TYPE_CHECKING:
    from harness.postgres.server import Server

app = typer.Typer(help="The containerized PostgreSQL of docker-compose.yml.", no_args_is_help=True)

console = Console(highlight=False, soft_wrap=True)


def in_words(server: "Server") -> str:
    return f"{server.identity} at {server.address}"


@app.command(epilog="Example: poolstart postgres up")
def up() -> None:
    """Start it and wait until it is ready."""
    # Half a second, because of SQLAlchemy: only these commands pay for it.
    from harness.console.progress import progress
    from harness.postgres.compose import Compose
    from harness.postgres.server import describe

    with progress("asking the container engine") as report:
        service = Compose().up(report)
    console.print(in_words(describe("container", service.url)))


@app.command(epilog="Example: poolstart postgres status")
def status() -> None:
    """Show its state, and which server `asv run` would use; exit status 1 unless it is running."""
    from harness.postgres import locate
    from harness.postgres.compose import Compose

    compose = Compose()
    service = compose.service()
    console.print(f"compose service: {service}")
    if service.failed:
        console.print(f"the end of its log: {compose.last_lines(service)}")
    if service.state in ("running", "absent"):
        server = locate.running()
        console.print(f"asv run would use: {in_words(server) if server else locate.identity()}")
    if service.state != "running":
        raise typer.Exit(1)


@app.command(epilog="Example: poolstart postgres down")
def down() -> None:
    """Remove it, with its network and its data."""
    from harness.postgres.compose import Compose

    Compose().down()
    console.print("the compose service is removed")
