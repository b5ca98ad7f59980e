"""A module of a user's program that connects when it is imported: the subject of `preload_shared`.

Not a part of the harness: only the processes of that reproduction import it.
"""

import os

from harness import strategies
from harness.hazards.preload_shared import STRATEGY
from harness.postgres import locate
from harness.postgres.server import Server

ENGINE = strategies.get(os.environ[STRATEGY]).create_parent_engine(
    Server.from_json(os.environ[locate.RUN]).sqlalchemy_url("poolstart-at-import")
)
OPENED_BY = os.getpid()

with ENGINE.connect():
    pass
