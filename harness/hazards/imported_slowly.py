"""A module of a user's program whose import takes a while: the subject of `import_lock`.

Not a part of the harness: only the processes of that reproduction import it.
"""

from harness.hazards import import_lock

for event in import_lock.MEANWHILE:
    event()
