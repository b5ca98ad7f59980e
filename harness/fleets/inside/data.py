"""Data in a parent: the DataFrame of the other measurements, numbers, Arrow buffers or Python objects.

Every page is written, so that all of it is resident. numpy asks for huge pages by itself;
`NUMPY_MADVISE_HUGEPAGE=0` in the environment keeps it from that.
"""

import time
from itertools import islice
from typing import Any

from harness.system.memory import MIB

DATAFRAME, NUMBERS, ARROW, OBJECTS = "dataframe", "numbers", "arrow", "objects"

BYTES_PER_OBJECT = 73
"""A text of 15 ASCII characters takes 64 bytes on CPython, one more for the allocator, and a pointer."""

BATCH = 64 * MIB
"""Bytes of an Arrow buffer."""

WRITTEN = 256 * MIB
"""The most that is written to find out what writing costs."""

PAGE = 4096


def build(kind: str, mib: int) -> Any:
    """Data of this kind that occupy about `mib` MiB of resident memory.

    With 0 MiB only the library is imported. Raises ImportError if it is missing.
    """
    size = mib * MIB
    if kind == DATAFRAME:
        from harness.lifecycles.inside.frame import build as frame

        return frame(mib)
    if kind == OBJECTS:
        return list(map("name-%010d".__mod__, range(size // BYTES_PER_OBJECT)))
    import numpy as np

    if kind == NUMBERS:
        return np.full(size // 8, 1.0)
    import pyarrow as pa

    batches = [pa.allocate_buffer(BATCH) for _ in range(size // BATCH)]
    for batch in batches:
        np.frombuffer(batch, np.uint8)[:] = 1
    return batches


def write(built: Any) -> tuple[int, float]:
    """Write to each page of at most `WRITTEN` bytes of what is no DataFrame. Returns bytes and seconds."""
    if not isinstance(built, list):
        part = built[: WRITTEN // 8]
        begun = time.perf_counter()
        part[:: PAGE // 8] += 1
        return part.nbytes, time.perf_counter() - begun
    if built and isinstance(built[0], str):
        number = min(len(built), WRITTEN // BYTES_PER_OBJECT)
        begun = time.perf_counter()
        # To look at an object is to write to its reference count.
        for _ in islice(built, number):
            pass
        return number * BYTES_PER_OBJECT, time.perf_counter() - begun
    import numpy as np

    parts = [np.frombuffer(batch, np.uint8) for batch in built[: WRITTEN // BATCH]]
    begun = time.perf_counter()
    for each in parts:
        each[::PAGE] += 1
    return sum(each.nbytes for each in parts), time.perf_counter() - begun


def huge_pages() -> int:
    """Bytes of this process that are on huge pages; 0 where the kernel does not say."""
    with open("/proc/self/smaps_rollup", "rb") as file:
        return sum(int(line.split()[1]) * 1024 for line in file if line.startswith(b"AnonHugePages:"))
