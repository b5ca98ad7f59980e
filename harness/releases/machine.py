"""asv's data about this machine."""

from asv.machine import Machine, MachineCollection
from asv.util import UserError


def ensure() -> None:
    """Store what asv finds out about this machine by itself, where nothing is stored yet.

    asv would ask for it, and fail where there is no terminal.
    """
    name = Machine.get_unique_machine_name()
    try:
        MachineCollection.load(name)
    except UserError:
        try:
            MachineCollection.save(name, Machine.get_defaults())
        except OSError as error:
            raise UserError(
                f"no data about this machine can be stored: {error}; set HOME to a directory you can write to"
            ) from None
