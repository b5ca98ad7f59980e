"""The parent program: ``python -m harness.counts.inside.program``.

Every spawned worker imports the `__main__` module again, so this one is as small as possible.
"""

if __name__ == "__main__":
    from harness.counts.inside.parent import main

    main()
