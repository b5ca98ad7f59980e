"""The program of trials: ``python -m harness.poolers.inside.program``.

It reads the name of a driver, then a trial a line, and writes a report a line (`harness.poolers.messages`).
"""

if __name__ == "__main__":
    from harness.poolers.inside.run import main

    main()
