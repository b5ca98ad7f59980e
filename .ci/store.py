"""Copy what the measurement of one release has uploaded into this checkout, and print the release.

The measurement ran code that was published a moment ago. So what it uploaded is data: only the files that
asv stores of that release are taken, after a look at each. Uses the standard library alone.
"""

import json
import re
import shutil
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

RELEASES = Path("harness/releases/releases.json")

RATIOS = Path("records/ratios.json")

CONDITIONS, MACHINE = "conditions.jsonl", "machine.json"


def version(text: str) -> tuple[int, ...]:
    """Raises ValueError unless the text is `major.minor.patch`."""
    if not re.fullmatch(r"\d{1,4}\.\d{1,4}\.\d{1,4}", text):
        raise ValueError(f"{text!r} is no release")
    return tuple(map(int, text.split(".")))


def store(folder: Path) -> str:
    """Copy the files of the release in `folder`, and return it. Raises ValueError if one is unexpected."""
    ((release, date),) = json.loads((folder / "release.json").read_text()).items()
    major, minor, patch = version(release)
    datetime.fromisoformat(date)
    # The commit hash by which asv knows it, see harness/releases/catalogue.py.
    result = re.compile(rf"{major}\.{minor}\.{patch:02}-[\w.+-]+\.json")
    stored = 0
    for machine in sorted((folder / "results").iterdir()):
        if not machine.is_dir():
            continue
        if machine.is_symlink() or not re.fullmatch(r"[a-z0-9-]+", machine.name):
            raise ValueError(f"{machine.name!r} is no machine")
        target = Path("results", machine.name)
        for path in sorted(machine.iterdir()):
            if path.is_symlink() or not path.is_file():
                raise ValueError(f"{path} is no file")
            target.mkdir(parents=True, exist_ok=True)
            ours = target / path.name
            if path.name == CONDITIONS:
                merge(path, ours, release)
                continue
            if not result.fullmatch(path.name) and path.name != MACHINE:
                raise ValueError(f"{path} is no result of {release}")
            json.loads(path.read_text())
            if path.name != MACHINE:
                stored += 1
            elif ours.exists():
                continue
            shutil.copyfile(path, ours)
    if not stored:
        raise ValueError(f"there are no results of {release}")
    if (folder / RATIOS).exists():
        merge_ratios(folder / RATIOS, release)
    releases = {**json.loads(RELEASES.read_text()), release: date}
    in_order = {name: releases[name] for name in sorted(releases, key=version)}
    RELEASES.write_text(json.dumps(in_order, indent=2) + "\n")
    return release


def merge(uploaded: Path, ours: Path, release: str) -> None:
    """Put the lines of that release in place of ours; the lines are in order, as harness writes them."""
    kept = [line for line in lines(ours) if key(line)[0] != release] if ours.exists() else []
    new = [line for line in lines(uploaded) if key(line)[0] == release]
    ours.write_text("".join(f"{line}\n" for line in sorted([*kept, *new], key=key)))


def merge_ratios(uploaded: Path, release: str) -> None:
    """Add the rows to ours; only those of that release may replace one that is there.

    They are written a row a line, as harness writes them. Raises ValueError if one is unexpected.
    """
    if uploaded.is_symlink():
        raise ValueError(f"{uploaded} is no file")
    new = json.loads(uploaded.read_text())
    ours = json.loads(RATIOS.read_text()) if RATIOS.exists() else []

    def place(row: dict[str, Any]) -> tuple[Any, ...]:
        names = row.get("before", ""), row["strategy"], row["provenance"]["machine"]
        return version(row["release"]), *map(str, names)

    rows = {place(row): row for row in ours}
    for row in new:
        if place(row) not in rows or place(row)[0] == version(release):
            rows[place(row)] = row
    if not any(of == version(release) for of, *_ in rows):
        return
    RATIOS.parent.mkdir(exist_ok=True)
    text = ",\n".join(f" {json.dumps(rows[each])}" for each in sorted(rows))
    RATIOS.write_text(f"[\n{text}\n]\n")


def lines(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line.strip()]


def key(line: str) -> tuple[str, str]:
    row = json.loads(line)
    return row["release"], row["environment"]


if __name__ == "__main__":
    print(store(Path(sys.argv[1])))
