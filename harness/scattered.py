"""The first module that a parent of a pair, or its fork server, imports: it scatters what is imported later.

Where objects lie decides which pages a forked worker copies and what its processor's caches hold. All parents
of a release lay them out alike, and a release that adds a line anywhere lays them out otherwise: its workers
can be two per cent slower than those of the release before, although they do the same. So small objects of
random number and size are made and kept before each import. Every parent then has a layout of its own, whose
effect shows as noise between pairs instead of as a difference between releases.
"""

import random
import sys
from collections.abc import Sequence

_rng = random.Random()

_SIZES = range(48, 513, 16)
"""Bytes. CPython takes objects of up to 512 bytes from pages of one size each, larger ones from malloc."""

_OVERHEAD = 33
"""Bytes of an empty bytes object."""

_held: list[bytes] = []


class _Scatter:
    """A finder of modules that finds none."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: object = None) -> None:
        for size in _SIZES:
            if _rng.random() < 0.25:
                _held.extend(bytes(size - _OVERHEAD) for _ in range(_rng.randint(1, 3)))
        if _rng.random() < 0.1:
            _held.append(bytes(_rng.randrange(600, 4096)))


def stop() -> None:
    """Let later imports, such as those of workers, be as they are."""
    if _Scatter in sys.meta_path:
        sys.meta_path.remove(_Scatter)


sys.meta_path.insert(0, _Scatter)
