"""Replaces asv's files as a whole, as poolstart does with its own.

asv itself empties a file and then writes it. If it is killed while it saves the results of a release, or the
disk is full, all stored results of that release are lost. `docs/asv-atomic.patch` is the same change for asv.
"""

import os
from pathlib import Path
from typing import Any

import asv.util
from asv.console import log
from asv.results import Results

from harness.system import files

write_in_place = asv.util.write_json
load_data = Results.load_data
add_result = Results.add_result

SAMPLE_DIGITS = 6
"""Significant digits of a stored sample, more than any clock here resolves."""


def write_json(path: str, data: Any, api_version: int | None = None, compact: bool = False) -> None:
    """Write JSON as asv's function does. Raises OSError, which names the file; the old one is intact then."""
    try:
        with files.replacing(Path(path)) as part:
            write_in_place(str(part), data, api_version, compact)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None


def load_data_that_is_whole(results: Results, directory: str) -> None:
    """Load the stored results of a release. A truncated file is named, and will be replaced."""
    path = Path(directory, results._filename)
    try:
        if not isinstance(asv.util.load_json(str(path)), dict):
            raise ValueError("not an object")
    except FileNotFoundError:
        return
    except (ValueError, asv.util.UserError) as error:
        log.warning(f"{os.path.relpath(path)} is damaged and will be replaced; git may have it: {error}")
        return
    load_data(results, directory)


def add_result_with_samples(
    results: Results, benchmark: Any, result: Any, *arguments: Any, **options: Any
) -> None:
    """Add a result as asv does, but always with its samples (`--record-samples`), for further analysis.

    The samples double a file of 20 KiB.
    """
    samples = [
        each and [float(f"{sample:.{SAMPLE_DIGITS}g}") for sample in each] for each in result.samples or ()
    ]
    rounded = result._replace(samples=samples) if result.samples else result
    add_result(results, benchmark, rounded, *arguments, **{**options, "record_samples": True})


Results.add_result = add_result_with_samples
# All of asv's modules call it by the name of its module.
asv.util.write_json = write_json
Results.load_data = load_data_that_is_whole
