"""asv's data about this machine, and the name under which its results are stored.

asv uses the host name, which several machines can share: `vm`, `runner`, `localhost`. Unless the user has
named the machine (`asv machine`), its name is made from the hardware that determines its figures.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from asv.machine import Machine, MachineCollection
from asv.util import UserError, load_json

from harness.releases import saving  # noqa: F401  # asv's data about this machine is stored here as well

GIB = 2**30

IDENTIFYING = ("arch", "cpu", "num_cpu")
"""The data that must be equal for two machines to be the same."""

RAM_TOLERANCE = 0.05
"""The largest relative difference of memory on the same machine: kernels reserve different amounts."""

host_name = Machine.get_unique_machine_name


def unique_name() -> str:
    """The name by which this machine is found among several in asv's file: by its hardware.

    asv goes by the host name, which is returned if no machine of the file, or more than one, has this
    hardware.
    """
    name: str = host_name()
    on_file = machines_on_file()
    if name in on_file or len(on_file) < 2:
        return name
    here = Machine.get_defaults()
    same = [other for other, recorded in on_file.items() if not differences(recorded, here)]
    own = describing_name(here)
    return own if own in same else same[0] if len(same) == 1 else name


def machines_on_file() -> dict[str, dict[str, str]]:
    """The machines that asv knows, by name. Raises `UserError` if its file is damaged."""
    path = Path(MachineCollection.get_machine_file_path())
    found: dict[str, dict[str, str]] = load_json(str(path), Machine.api_version) if path.exists() else {}
    return found


# asv finds the data about this machine by this function, and so does this module.
Machine.get_unique_machine_name = staticmethod(unique_name)


def describing_name(hardware: dict[str, str]) -> str:
    """A name made of processor, cores and memory, for example `amd-epyc-2c-24g`."""
    make = re.sub(r"\((r|tm)\)|\bcpu\b|@.*|\b\d+-core\b|\bprocessor\b", " ", hardware["cpu"].lower())
    words = re.findall(r"[a-z0-9]+", make) or [hardware["arch"]]
    return "-".join([*words, f"{hardware['num_cpu']}c", f"{round(int(hardware['ram']) / GIB)}g"])


def ensure() -> None:
    """Store asv's data about this machine, unless it is already stored.

    asv itself would ask the user, and fail without a terminal. Raises `UserError` if the data cannot be
    stored.
    """
    try:
        MachineCollection.load(Machine.get_unique_machine_name())
    except UserError:
        hardware = Machine.get_defaults()
        name = describing_name(hardware)
        try:
            # If the file has a single entry, asv uses it whatever the host name is.
            MachineCollection.save(name, {**hardware, "machine": name})
        except OSError as error:
            raise UserError(
                f"no data about this machine can be stored: {error}; set HOME to a directory you can write to"
            ) from None


def own_name() -> str:
    """The name under which asv stores, or would store, results of this machine; this stores nothing.

    Empty if nothing is known about the machine.
    """
    try:
        stored: str = MachineCollection.load(Machine.get_unique_machine_name())["machine"]
        return stored
    except (UserError, KeyError):
        pass
    try:
        return describing_name(Machine.get_defaults())
    except (KeyError, ValueError):
        return ""


def named(arguments: Sequence[str]) -> str | None:
    """The value of the last `--machine` on asv's command line, None without one."""
    values = [after for before, after in pairwise(arguments) if before == "--machine"]
    values += [argument.partition("=")[2] for argument in arguments if argument.startswith("--machine=")]
    return values[-1] if values else None


def name(option: str | None = None) -> str:
    """The name under which asv stores results: that of its option `--machine`, or else this machine's.

    Raises `UserError` if nothing is known about the machine.
    """
    if not option:
        ensure()
    stored: str = MachineCollection.load(option or Machine.get_unique_machine_name())["machine"]
    return stored


def refuse_another(results: Path, option: str | None) -> None:
    """Raise `UserError` if the results under this machine's name are from a machine with other hardware.

    `option` is the value of asv's option `--machine`.
    """
    path = results / name(option) / "machine.json"
    if not path.exists():
        return
    recorded, here = load_json(str(path), Machine.api_version), Machine.get_defaults()
    if differs := differences(recorded, here):
        raise UserError(
            f"{path.parent.name} is another machine in {results.name}/: {', '.join(differs)}; "
            f"name this one with `asv machine --machine {describing_name(here)} --yes`"
        )


def differences(recorded: dict[str, str], here: dict[str, str]) -> list[str]:
    """The differences between the hardware on file and that of this machine, in words."""
    differs = [
        f"{field} {recorded.get(field)} there, {here[field]} here"
        for field in IDENTIFYING
        if recorded.get(field) != here[field]
    ]
    ram = recorded.get("ram", "")
    if ram.isdigit() and abs(int(ram) - int(here["ram"])) > RAM_TOLERANCE * int(ram):
        differs.append(f"{int(ram) / GIB:.0f} GiB there, {int(here['ram']) / GIB:.0f} GiB here")
    return differs
