"""asv's data about this machine, and the name that its results are filed under.

asv takes the host's name, which other machines may have too: `vm`, `runner`, `localhost`. Where the user has
not named the machine (`asv machine`), it is called after what decides its figures.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from asv.machine import Machine, MachineCollection
from asv.util import UserError, load_json

GIB = 2**30

DECIDES = ("arch", "cpu", "num_cpu")
"""What must be the same for results to be of one machine; memory may differ by what a kernel keeps of it."""

RAM_TOLERANCE = 0.05


def describing_name(hardware: dict[str, str]) -> str:
    """A name made of make, cores and memory, for example `amd-epyc-2c-24g`."""
    make = re.sub(r"\((r|tm)\)|\bcpu\b|@.*|\b\d+-core\b|\bprocessor\b", " ", hardware["cpu"].lower())
    words = re.findall(r"[a-z0-9]+", make) or [hardware["arch"]]
    return "-".join([*words, f"{hardware['num_cpu']}c", f"{round(int(hardware['ram']) / GIB)}g"])


def ensure() -> None:
    """Store what asv finds out about this machine by itself, where nothing is stored yet.

    asv would ask for it, and fail where there is no terminal.
    """
    try:
        MachineCollection.load(Machine.get_unique_machine_name())
    except UserError:
        hardware = Machine.get_defaults()
        name = describing_name(hardware)
        try:
            # The only entry of its file is this machine to asv, whatever the host is called.
            MachineCollection.save(name, {**hardware, "machine": name})
        except OSError as error:
            raise UserError(
                f"no data about this machine can be stored: {error}; set HOME to a directory you can write to"
            ) from None


def told(arguments: Sequence[str]) -> str | None:
    """The machine named on asv's command line."""
    named = [after for before, after in pairwise(arguments) if before == "--machine"]
    named += [each.partition("=")[2] for each in arguments if each.startswith("--machine=")]
    return named[-1] if named else None


def name(told: str | None = None) -> str:
    """The machine that asv files results under: the one it is told (`--machine`), else its own."""
    if not told:
        ensure()
    found: str = MachineCollection.load(told or Machine.get_unique_machine_name())["machine"]
    return found


def refuse_another(results: Path, told: str | None) -> None:
    """Raise `UserError` where results under this name are of a machine with other hardware."""
    path = results / name(told) / "machine.json"
    if not path.exists():
        return
    recorded, here = load_json(str(path), Machine.api_version), Machine.get_defaults()
    differs = [
        f"{field} {recorded.get(field)} there, {here[field]} here"
        for field in DECIDES
        if recorded.get(field) != here[field]
    ]
    ram = recorded.get("ram", "")
    if ram.isdigit() and abs(int(ram) - int(here["ram"])) > RAM_TOLERANCE * int(ram):
        differs.append(f"{int(ram) / GIB:.0f} GiB there, {int(here['ram']) / GIB:.0f} GiB here")
    if differs:
        raise UserError(
            f"{path.parent.name} is another machine in {results.name}/: {', '.join(differs)}; "
            f"name this one: asv machine --machine {describing_name(here)} --yes"
        )
