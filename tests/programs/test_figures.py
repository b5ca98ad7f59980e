"""The first row of a program is what a plain script sees."""

import subprocess
import sys
from pathlib import Path
from statistics import median

from harness.outside import programs
from harness.postgres.server import Server
from harness.system.environment import environment
from tests.outside.test_figures import standard_error

SCRIPT = Path(__file__).with_name("stand_alone.py")

PAIRS = 15

BAND = 0.2
"""The two are programs of their own, started anew for each figure. Whoever asks ours has more to fork, and
was seen 5 to 18 % above a plain script; a clock that starts with the workers instead is 50 % below."""

NOISE = 3.0


def test_an_executors_first_row_comes_when_a_plain_script_has_it(server: Server) -> None:
    setup = programs.Setup(programs.get("executor"), Path(sys.executable), server)
    ours, theirs = [], []
    for _ in range(PAIRS):
        ours.append(programs.first_rows(setup)[0])
        done = subprocess.run(
            [sys.executable, SCRIPT, server.sqlalchemy_url("stand-alone")],
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        theirs.append(float(done.stdout))
    difference = median(ours) - median(theirs)
    doubt = (standard_error(ours) ** 2 + standard_error(theirs) ** 2) ** 0.5
    print(f"script {median(theirs):.6g}, harness {difference / median(theirs):+.1%}, doubt {doubt:.6g}")
    assert abs(difference) < max(BAND * median(theirs), NOISE * doubt)
