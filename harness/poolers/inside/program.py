"""The program of trials: ``python -m harness.poolers.inside.program``.

It reads the name of a driver, then a trial a line (`harness.poolers.messages`), which it runs with new
clients, and writes the outcome of each in a line.
"""

import importlib
import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from harness import drivers
from harness.poolers.inside import forks, trials
from harness.poolers.inside.client import StepFailed
from harness.poolers.inside.world import World

if TYPE_CHECKING:
    from harness.poolers.messages import PoolerTrialOrder


def main() -> None:
    driver = drivers.get(sys.stdin.readline().strip())
    for module in driver.preload:
        importlib.import_module(module)
    for line in sys.stdin:
        order: PoolerTrialOrder = json.loads(line)
        world = World(order, driver)
        try:
            outcome = function_of(order["trial"])(world)
        except StepFailed as failed:
            outcome = str(failed)
        finally:
            for client in world.clients:
                client.kill()
                client.kill_workers()
        print(json.dumps(outcome), flush=True)


def function_of(name: str) -> Callable[[World], str]:
    """The trial of this name."""
    found: Callable[[World], str] = getattr(trials if hasattr(trials, name) else forks, name)
    return found


if __name__ == "__main__":
    main()
