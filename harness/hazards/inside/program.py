"""The parent program of one trial: `python -m harness.hazards.inside.program HAZARD STRATEGY DRIVER SCRATCH`.

A fifth argument, the id of the hazard's condition, makes it reproduce the hazard with the condition kept.

Prints the outcome as JSON, and nothing else. Spawned workers import this module as their `__main__`, so it is
small, and imports nothing before `main` runs.
"""


def main() -> None:
    import json
    import os
    import sys
    from dataclasses import asdict
    from importlib import import_module
    from pathlib import Path

    from harness import drivers
    from harness.hazards.inside.parent import Parent
    from harness.postgres import locate
    from harness.postgres.server import Server

    name, strategy, driver, scratch, *condition = sys.argv[1:]
    module = import_module(f"harness.hazards.all.{name}")
    hazard = module.HAZARD
    server = Server.from_json(os.environ[locate.RUN])
    parent = Parent(strategy, server, Path(scratch), drivers.get(driver), keeps_condition=bool(condition))
    try:
        if hazard.monitored:
            encrypted = parent.ask("select ssl from pg_stat_ssl where pid = pg_backend_pid()")
            if hazard.needs_tls and not encrypted:
                raise RuntimeError("the server's connections are not encrypted")
        affected = module.reproduce(parent)
    finally:
        parent.close()
    print(
        json.dumps(
            {
                "affected": affected,
                "readings": {name: asdict(reading) for name, reading in parent.readings.items()},
                "story": [asdict(event) for event in parent.story],
            }
        ),
        flush=True,
    )
    # The parent may have threads that never end.
    os._exit(0)


if __name__ == "__main__":
    main()
