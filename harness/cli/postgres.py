"""`poolstart postgres`: the containerized server, started, looked at, removed, and compared."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from harness.postgres.server import Server

app = typer.Typer(help="The containerized PostgreSQL of docker-compose.yml.", no_args_is_help=True)

console = Console(highlight=False, soft_wrap=True)


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Tells each step as it begins: beside a spinner in a terminal, as a line elsewhere."""
    with console.status("asking the container engine") as status:
        yield status.update if console.is_terminal else console.print


def told(server: "Server") -> str:
    return f"{server.identity} at {server.address}"


@app.command(epilog="Example: poolstart postgres up")
def up() -> None:
    """Start it and wait until it is ready."""
    # Half a second, because of SQLAlchemy: only these commands pay for it.
    from harness.postgres.compose import Compose
    from harness.postgres.server import describe

    with progress() as report:
        service = Compose().up(report)
    console.print(told(describe("container", service.url)))


@app.command(epilog="Example: poolstart postgres status")
def status() -> None:
    """Say how it is, and which server `asv run` would use; exit status 1 unless it is running."""
    from harness.postgres import locate
    from harness.postgres.compose import Compose

    compose = Compose()
    service = compose.service()
    console.print(f"compose service: {service}")
    if service.failed:
        console.print(f"its last words: {compose.last_lines(service)}")
    if service.state in ("running", "absent"):
        server = locate.running()
        console.print(f"asv run would use: {told(server) if server else locate.identity()}")
    if service.state != "running":
        raise typer.Exit(1)


@app.command(epilog="Example: poolstart postgres down")
def down() -> None:
    """Remove it, with its network and its data."""
    from harness.postgres.compose import Compose

    Compose().down()
    console.print("the compose service is gone")


@app.command(epilog="Example: poolstart postgres compare --save servers.json")
def compare(
    save: Annotated[Path | None, typer.Option(help="Write the samples to this file, as JSON.")] = None,
) -> None:
    """Measure the embedded server and the container, in turns, and show what each layer adds."""
    # Here and below: asv takes most of a second to import.
    from harness.comparisons import servers
    from harness.comparisons import servers_report as table
    from harness.lifecycles import profile

    with progress() as report:
        measured = servers.compare(profile.current(), report)
    table.show(measured)
    if save:
        measured.save(save)


@app.command(epilog="Example: poolstart postgres report records/servers.json")
def report(
    file: Annotated[Path, typer.Argument(help="What `compare --save` wrote.")],
) -> None:
    """Show a comparison that was measured before."""
    from harness.comparisons import servers
    from harness.comparisons import servers_report as table

    measured = servers.ServerComparison.load(file)
    table.show(measured)
