"""What runs in measured processes: the parent program, its worker, and the bare start methods.

Every measured worker imports this package, so it imports nothing.
"""

import sys

AFTER_SQLALCHEMY = "sqlalchemy" in sys.modules
"""Whether SQLAlchemy was loaded before the worker's code: only a fork server that preloads it does that."""
