"""3. A DataFrame is read from a large file at the top of the program, and then `Pool(2)` is made.

The tasks do not use the frame. As it stands nothing is guarded, so a process that imports this file as its
`__main__` reads the CSV file and makes a pool; cured, only the program itself does.
"""

import multiprocessing
from pathlib import Path

import pandas

from harness.demos.helpers import options, private_bytes, tell

FILE = Path("large.csv")
ROWS = 400_000
MIB = 1024 * 1024

arguments = options()
who = "parent" if __name__ == "__main__" else "worker"


def read() -> pandas.DataFrame:
    tell(who, "Reads the large file.")
    return pandas.read_csv(FILE)


def work(number: int) -> int:
    return number * number


def private(_: int) -> int:
    return private_bytes()


def run(frame: pandas.DataFrame) -> None:
    tell(who, f"Has a DataFrame of {frame.memory_usage().sum() / MIB:.0f} MiB, and makes a pool of 2.")
    with multiprocessing.get_context(arguments.start_method).Pool(2) as pool:
        total = sum(pool.map(work, range(8)))
        tell("parent", f"Has its answer from tasks that do not use the frame: {total}.")
        tell("worker", f"Holds {pool.apply(private, (0,)) / MIB:.0f} MiB of its own.")


if __name__ == "__main__" and not FILE.exists():
    line = ",".join(map(str, range(1_000_000, 1_000_008))) + "\n"
    FILE.write_text("a,b,c,d,e,f,g,h\n" + line * ROWS)

if not arguments.cured:
    FRAME = read()
    run(FRAME)
elif __name__ == "__main__":
    run(read())
