"""The parent program: ``python -m harness.fleets.inside.program``.

Every spawned worker imports the `__main__` module again, so this one is kept empty.
"""

if __name__ == "__main__":
    from harness.fleets.inside.parent import main

    main()
