"""The parent program: ``python -m harness.instructions.inside.program``.

The counted worker imports it again as its first module, and so switches the garbage collector off before it
imports SQLAlchemy: when a collection falls due depends on every allocation before it.
"""

import gc

gc.disable()

if __name__ == "__main__":
    from harness.instructions.inside.parent import main

    main()
