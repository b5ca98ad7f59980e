"""The DataFrame in the parent: a wide table such as one read from a CSV file."""

import numpy as np
import pandas as pd

from harness.system.memory import MIB

FLOATS = 24
INTEGERS = 16
CATEGORIES = ("north", "east", "south", "west")
BYTES_PER_ROW = 8 * (FLOATS + INTEGERS) + 1 + 8 + 65
"""Numbers, a category code, a pointer to a text, and the text: a `str` of 15 ASCII characters takes 64 bytes
on CPython, and one more for the allocator."""


def build(mib: int) -> pd.DataFrame:
    """A deterministic DataFrame that occupies about `mib` MiB of resident memory.

    Every page is written, so that all of it is resident. Dtypes are explicit, because pandas 2 and 3 infer
    different ones for text.
    """
    rows = mib * MIB // BYTES_PER_ROW
    # Each column is a shifted copy of the same random numbers, which takes a tenth of the time of drawing.
    numbers = np.random.default_rng(seed=20).random(rows + FLOATS)
    columns: dict[str, object] = {f"float_{i}": numbers[i : i + rows].copy() for i in range(FLOATS)}
    for i in range(INTEGERS):
        columns[f"integer_{i}"] = np.arange(i, rows + i, dtype=np.int64)
    codes = (np.arange(rows) % len(CATEGORIES)).astype(np.int8)
    columns["region"] = pd.Categorical.from_codes(codes, categories=list(CATEGORIES))
    columns["customer"] = pd.Series(list(map("name-%010d".__mod__, range(rows))), dtype=object)
    return pd.DataFrame(columns, copy=False)
