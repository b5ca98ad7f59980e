"""Programs that start workers, written as their users write them: one file for each program.

A file added here is measured, tested and put on the page docs/programs.md; nothing else lists it. The file is
the application, and runs in an environment of its own. Its head (inline script metadata, PEP 723) tells
`harness.programs.head` how to run it: `dependencies`, pinned packages beside poolstart's own SQLAlchemy and
psycopg2, and in `[tool.poolstart]` the fields of `harness.programs.head.Program`.

The application calls `database.warm()` when it is loaded, which leaves a connection in its engine's pool. It
defines `ask(token)`, which requests `database.row(token)` from a worker without waiting for it, and returns a
function that waits for the row. Without `start` the application starts its workers itself, and reads
`database.TASKS`. A program may lose the task of a worker that is killed: then that function must raise sooner
than after `harness.programs.run.DEADLINE`, or the whole measurement is rejected. If something must exist
before the workers start, `prepare()` creates it outside the timed part.

Two kinds of lines are marked:

- lines between `# hook` and `# end of hook`, and lines that end with `# hook`, are the hook. Without them the
  program still runs; lines that end with `# without the hook` take their place;
- lines between `# sparing` and `# end of sparing` save memory, and run only in a measurement of that.

See `executor.py` for an application that starts its own workers, `gunicorn.py` for a web server, and
`celery.py` for a task queue with Redis.
"""
