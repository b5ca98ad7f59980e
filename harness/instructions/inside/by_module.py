"""The parent program of a worker that marks its imports: ``python -m harness.instructions.inside.by_module``.

The counted worker imports it again as its first module, and from then on marks the begin and the end of
every import of a module that is not loaded yet.
"""

import gc

gc.disable()

if __name__ == "__main__":
    from harness.instructions.inside.parent import main

    main()
else:
    from harness.instructions.inside.imports import mark_imports

    mark_imports()
