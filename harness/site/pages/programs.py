"""Programs that start workers, with the lines to add to each and their figures, and fleets of workers."""

from collections.abc import Iterator

from harness.fleets import figures as fleets
from harness.fleets import report as fleets_report
from harness.programs import head
from harness.programs import report as programs_report
from harness.site import document
from harness.site.context import File, SiteContext

SECTION, ADDRESS, PER_TEST_BED = "Programs", "programs.html", False

FLEETS = "fleets.html"


def pages(site: SiteContext) -> Iterator[File]:
    programs = site.record(programs_report.PATH, programs_report.load, None)
    names = head.names()
    yield site.page(
        ADDRESS,
        "document.html.j2",
        SECTION,
        title="gunicorn, Celery, uWSGI, RQ, ProcessPoolExecutor, joblib and Dask with SQLAlchemy",
        text=document.html(
            programs_report.render(programs) if programs else hooks(),
            {head.get(name).title: name for name in names},
        ),
        contents=[(head.get(name).title, f"{ADDRESS}#{name}") for name in names]
        + [("multiprocessing.Pool", f"{FLEETS}#pool")],
    )
    table = site.record(fleets.PATH, fleets.load, None)
    yield site.page(
        FLEETS,
        "document.html.j2",
        SECTION,
        title="multiprocessing.Pool with SQLAlchemy: initializer, maxtasksperchild, many workers at once",
        text=document.html(
            fleets_report.render(table) if table else fleets_report.INTRODUCTION,
            {fleets_report.POOL_TITLE: "pool"},
        ),
        contents=[("All programs", ADDRESS), ("multiprocessing.Pool", f"{FLEETS}#pool")],
    )


def hooks() -> str:
    """The page without figures: the lines of each program."""
    parts = ["# Programs that start workers\n"]
    for name in head.names():
        program = head.get(name)
        parts.append(f"## {program.title}\n")
        parts.append(f"```python\n{program.hook}\n```\n" if program.hook else "It needs no hook.\n")
    return "\n".join(parts)
