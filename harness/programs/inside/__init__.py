"""Programs that start workers, as their users write them: one file a program.

A program's file is the application that runs in an environment of its own, never in that of poolstart. Its
head (inline script metadata, PEP 723) says what `harness.programs.measure` needs to know:

- `dependencies`: pinned versions, beside the SQLAlchemy and the driver of poolstart;
- `title`, `link`: what it is called, and the documentation of its hook;
- `start`: the command that starts it, absent where the application itself starts the workers. In it
  `{address}`, `{port}` and `{broker}` are where things are, and `{each}` is how many workers one command has;
- `on_host`: what is added to the command where each of several hosts runs one; absent where workers never are
  on several;
- `tasks`: what is added to the command for a worker to be replaced after its first task, and `replaced`: how
  users write this; where there is no command, the application looks at `database.TASKS`;
- `broker`: how it writes the address of its Redis, whose socket is `{path}`; absent where it needs none;
- `sparing`, `thread`: why its workers hold more memory than they need, and where that is told;
- `client`: the module with `ask`, where only the program itself can load the application;
- `clock`: from when the first row is timed.

The application leaves a warm engine in the process that loads it (`database.warm`) and offers `ask(token)`,
which asks its workers for a row without waiting for it, and returns what waits; where something has to be
there before they start, `prepare()` makes it, outside the time. Lines between `# hook` and
`# end of hook`, and lines that end with `# hook`, are the hook: without them it is the same program. Lines
between `# sparing` and `# end of sparing` spare its workers memory, and run only where that is measured.
"""
