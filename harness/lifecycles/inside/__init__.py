"""One worker from `Process.start()` to its exit.

Imported by every measured worker: nothing is imported here.
"""

import sys

AFTER_SQLALCHEMY = "sqlalchemy" in sys.modules
"""Whether this process held SQLAlchemy before anything of the house: a fork server that preloaded it did."""
