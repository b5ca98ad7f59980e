"""Imported by each Python below `poolstart doctor -- COMMAND`. Runs the sitecustomize that it hides, too."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def observe():
    # 3.9 is the oldest that is observed. Others are left as they are, Python 2 included.
    if sys.version_info < (3, 9) or "POOLSTART_DOCTOR" not in os.environ:
        return
    try:
        import poolstart_watch

        poolstart_watch.install()
    except Exception:  # An error here must not become the program's.
        pass


def hidden():
    """Run the sitecustomize that this one hides, under its own name."""
    this = sys.modules.pop("sitecustomize", None)
    path = list(sys.path)
    sys.path[:] = [entry for entry in path if os.path.abspath(entry) != HERE]
    try:
        import sitecustomize  # noqa: F401
    except ImportError:
        if this is not None:
            sys.modules["sitecustomize"] = this
    finally:
        sys.path[:] = path


observe()
hidden()
