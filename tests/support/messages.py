"""Messages as people meet and paste them, and the entry that the search has to put first; empty for none."""

MESSAGES: tuple[tuple[str, str], ...] = (
    # One connection in two processes.
    ("sqlalchemy.exc.ResourceClosedError: This result object does not return rows. It has been closed"
     " automatically.", "hazard.interleaved"),
    ("ResourceClosedError", "hazard.interleaved"),
    ("psycopg2.ProgrammingError: no results to fetch", "hazard.interleaved"),
    ("sqlalchemy.exc.NoSuchColumnError: Could not locate column in row for column 'user.id'",
     "hazard.interleaved"),
    ("sqlalchemy.exc.DatabaseError: (psycopg2.DatabaseError) error with status PGRES_TUPLES_OK and no message"
     " from the libpq\n[SQL: SELECT 1]\n(Background on this error at: https://sqlalche.me/e/20/4xp6)",
     "hazard.wrong_answer"),
    ("PGRES_TUPLES_OK", "hazard.wrong_answer"),
    ("(DatabaseError) error with no message from the libpq", "hazard.interleaved"),
    ('psycopg2.OperationalError: lost synchronization with server: got message type "p", length 1919903337',
     "hazard.torn_message"),
    ("lost synchronization with server", "hazard.torn_message"),
    ('psycopg2.OperationalError: insufficient data in "D" message', "hazard.torn_message"),
    ('server sent data ("D" message) without prior row description ("T" message)', "hazard.interleaved"),
    # TLS.
    ("sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) SSL error: decryption failed or bad record"
     " mac", "hazard.tls_broken"),
    ("[2012-03-02 03:03:16,307: ERROR/MainProcess] Pool callback raised exception:"
     " DatabaseError('(DatabaseError) SSL error: decryption failed or bad record mac\\n',)\nTraceback (most"
     ' recent call last):\n  File "/venv/lib/python2.7/site-packages/celery/concurrency/processes/pool.py",'
     " line 76, in safe_apply_callback\n    fun(*args)", "hazard.tls_broken"),
    ("bad record mac", "hazard.tls_broken"),
    ("SSL error", "hazard.tls_broken"),
    ("psycopg2.OperationalError: SSL connection has been closed unexpectedly", "hazard.tls_broken"),
    ("psycopg2.OperationalError: SSL SYSCALL error: EOF detected", "hazard.tls_broken"),
    ("ssl.SSLError: [SSL] sslv3 alert bad record mac", "hazard.tls_broken"),
    # Sessions that end, or do not.
    ("sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) server closed the connection"
     " unexpectedly\n\tThis probably means the server terminated abnormally\n\tbefore or while processing the"
     " request.", "hazard.parent_closed"),
    ("psycopg2.InterfaceError: connection already closed", "hazard.parent_closed"),
    ("sqlalchemy.exc.OperationalError: (MySQLdb.OperationalError) (2006, 'MySQL server has gone away')",
     "hazard.driver_finalizer"),
    ("pymysql.err.OperationalError: (2013, 'Lost connection to MySQL server during query')",
     "hazard.driver_finalizer"),
    ("WARNING:  there is no transaction in progress", "hazard.lost_transaction"),
    ("committed rows are missing", "hazard.lost_transaction"),
    # Too many, too few.
    ('connection to server at "db" (10.0.0.5), port 5432 failed: FATAL:  sorry, too many clients already',
     "hazard.max_connections"),
    ("FATAL:  remaining connection slots are reserved for non-replication superuser connections",
     "hazard.max_connections"),
    ("FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
     "hazard.max_connections"),
    ('FATAL: too many connections for role "app"', "hazard.max_connections"),
    ("sqlalchemy.exc.TimeoutError: QueuePool limit of size 20 overflow 30 reached, connection timed out,"
     " timeout 30.00 (Background on this error at: https://sqlalche.me/e/20/3o7r)", "hazard.exhausted_pool"),
    ("QueuePool limit", "hazard.exhausted_pool"),
    # Start methods.
    ("RuntimeError: \n        An attempt has been made to start a new process before the\n        current"
     " process has finished its bootstrapping phase.\n\n        This probably means that you are not using"
     " fork to start your\n        child processes and you have forgotten to use the proper idiom",
     "hazard.unguarded_main"),
    ("freeze_support()", "hazard.unguarded_main"),
    ("AttributeError: Can't pickle local object 'create_engine.<locals>.connect'", "hazard.unpicklable"),
    ("_pickle.PicklingError: Can't pickle <class 'sqlalchemy.orm.session.Session'>: it's not the same object"
     " as sqlalchemy.orm.session.Session", "hazard.unpicklable"),
    ("TypeError: cannot pickle '_thread._local' object", "hazard.unpicklable"),
    ('ERROR:  database "app" is being accessed by other users',
     "hazard.orphaned_backend"),
    ("RuntimeError: Working outside of application context.", "program.gunicorn"),
    ("_pickle.PicklingError: Can't pickle <function connect>: attribute lookup failed", "hazard.unpicklable"),
    ("TypeError: cannot pickle '_thread.lock' object", "hazard.unpicklable"),
    ("TypeError: cannot pickle '_thread.RLock' object", "hazard.unpicklable"),
    ("TypeError: can't pickle _thread._local objects", "hazard.unpicklable"),
    ("DeprecationWarning: This process (pid=4711) is multi-threaded, use of fork() may lead to deadlocks in"
     " the child.", "hazard.inherited_lock"),
    ("RuntimeWarning: Using fork() can cause Polars to deadlock in the child process.",
     "hazard.native_threads"),
    ("TypeError: '>=' not supported between instances of 'NoneType' and 'tuple'", "hazard.half_initialized"),
    ('psycopg2.OperationalError: connection to server at "db", port 5432 failed: FATAL:  password'
     ' authentication failed for user "app"', "hazard.masked_url"),
    ("sqlite3.DatabaseError: database disk image is malformed", "hazard.sqlite_shared"),
    # Programs.
    ("[2019-05-29 07:06:53 +0000] [1] [CRITICAL] WORKER TIMEOUT (pid:8)", "stacks"),
    ("[ERROR] Worker (pid:9) was sent SIGKILL! Perhaps out of memory?", "hazard.copied_frame"),
    ("billiard.exceptions.WorkerLostError: Worker exited prematurely: signal 9 (SIGKILL) Job: 12.",
     "hazard.copied_frame"),
    ("Out of memory: Killed process 4242 (python3) total-vm:9000kB", "hazard.copied_frame"),
    ("Hard time limit (300s) exceeded for tasks.report[3f1c]", "stacks"),
    ("*** HARAKIRI ON WORKER 1 (pid: 17, try: 1) ***", "stacks"),
    ("concurrent.futures.process.BrokenProcessPool: A process in the process pool was terminated abruptly"
     " while the future was running or pending.", "program.executor"),
    ("BrokenProcessPool: A child process terminated abruptly, the process pool is not usable anymore",
     "program.executor"),
    ("joblib.externals.loky.process_executor.TerminatedWorkerError: A worker process managed by the executor"
     " was unexpectedly terminated.", "program.joblib"),
    ("distributed.scheduler.KilledWorker: Attempted to run task 'row-1' on 4 different workers",
     "program.dask"),
    ("gunicorn", "program.gunicorn"),
    ("celery", "program.celery"),
    ("celery worker_process_init", "program.celery"),
    ("uwsgi postfork", "program.uwsgi"),
    ("django", "hazard.handler_copy"),
    # Stacks.
    ("Thread 7 (idle): \"MainThread\"\n    acquire (<frozen importlib._bootstrap>:120)\n    __enter__"
     " (<frozen importlib._bootstrap>:171)\n    _find_and_load (<frozen importlib._bootstrap>:1024)",
     "hazard.import_lock"),
    ('Thread 9 (idle): "MainThread"\n    __enter__ (threading.py:272)\n    get (sqlalchemy/util/queue.py:154)'
     "\n    _do_get (sqlalchemy/pool/impl.py:166)", "hazard.pool_lock"),
    ('Thread 0x00007f1 (most recent call first):\n  File "/usr/lib/python3.11/threading.py", line 272'
     ' in __enter__\n  File "/venv/lib/python3.11/site-packages/sqlalchemy/util/queue.py", line 154 in get',
     "hazard.pool_lock"),
    ("_exec_w_sync_on_first_run (sqlalchemy/event/attr.py:498)", "hazard.half_initialized"),
    ("collect (polars/lazyframe/engine.py:410)", "hazard.native_threads"),
    ("hang in engine.connect()", "hazard.pool_lock"),
    # Look-alikes: the same problem to the eye, and no connection in two processes.
    ("RuntimeError: Task <Task pending> got Future <Future pending> attached to a different loop",
     "lookalike.event_loop"),
    ("asyncpg.exceptions.InterfaceError: cannot perform operation: another operation is in progress",
     "lookalike.event_loop"),
    ("psycopg2.OperationalError: could not receive data from server: Connection timed out",
     "lookalike.idle_cut"),
    ("FATAL:  terminating connection due to administrator command", "lookalike.failover"),
    ("cannot execute INSERT in a read-only transaction", "lookalike.failover"),
    ('asyncpg.exceptions.DuplicatePreparedStatementError: prepared statement "__asyncpg_stmt_1a__" already'
     " exists", "lookalike.pooler_session"),
    ("FATAL: unsupported startup parameter: options", "lookalike.pooler_session"),
    ("pgbouncer", "lookalike.pooler_session"),
    # psycopg 3: one connection in two processes, or a pooler.
    ('psycopg.errors.DuplicatePreparedStatement: prepared statement "_pg3_7" already exists',
     "hazard.shared_socket"),
    ('psycopg.errors.InvalidSqlStatementName: prepared statement "_pg3_12" does not exist',
     "hazard.shared_socket"),
    ("asyncpg.exceptions.ProtocolViolationError: bind message supplies 0 parameters, but prepared statement"
     ' "__asyncpg_stmt_3__" requires 1', "hazard.shared_socket"),
    ("sqlalchemy.exc.PendingRollbackError: Can't reconnect until invalid transaction is rolled back.",
     "lookalike.idle_cut"),
    ("RuntimeError: There is no current event loop in thread 'MainThread'", "lookalike.event_loop"),
    ("kombu.exceptions.EncodeError: Object of type Engine is not JSON serializable", "hazard.unpicklable"),
    ("TypeError: no default __reduce__ due to non-trivial __cinit__", "hazard.unpicklable"),
    ("psycopg_pool.PoolClosed: the pool 'pool-1' is already closed", "hazard.missing_thread"),
    ('psycopg2.errors.DuplicateTable: relation "users" already exists', "hazard.startup_race"),
    # Words: one that no page has counts by half.
    ("connection pool exhausted", "lookalike.leaked_connections"),
    ("APScheduler jobs run twice with gunicorn workers", "hazard.missing_thread"),
    ("row-level security bypassed in worker", "hazard.lost_settings"),
    # Messages of other problems, and too general ones: a wrong page is worse than none.
    ("sqlalchemy.exc.OperationalError", ""),
    ("psycopg2.OperationalError: could not connect to server: Connection refused\n\tIs the server running on"
     " that host and accepting TCP/IP connections?", ""),
    ('psycopg2.errors.UndefinedTable: relation "users" does not exist', ""),
    ("psycopg2.errors.DeadlockDetected: deadlock detected", ""),
    ("current transaction is aborted, commands ignored until end of transaction block", ""),
    ("sqlalchemy.exc.MissingGreenlet: greenlet_spawn has not been called; can't call await_only() here", ""),
    ("sqlalchemy.exc.PendingRollbackError: This Session's transaction has been rolled back due to a previous"
     " exception during flush.", ""),
    ("DetachedInstanceError: Instance <User> is not bound to a Session; attribute refresh operation cannot"
     " proceed", ""),
    ("ModuleNotFoundError: No module named 'psycopg2'", ""),
    ('  File "/app/celery/app/trace.py", line 451, in trace_task\nKeyError: \'report\'', ""),
    ("duplicate key value violates unique constraint \"users_pkey\"", "hazard.copied_ids"),
    ("duplicate key value violates unique constraint \"pg_type_typname_nsp_index\"", "hazard.startup_race"),
    ("(psycopg2.OperationalError) could not receive data from server: Bad file descriptor",
     "hazard.reused_descriptor"),
    ("could not send data to server: Socket operation on non-socket", "hazard.reused_descriptor"),
    ("sqlalchemy.exc.NoResultFound: No row was found when one was required", "hazard.uncommitted_parent"),
    ("psycopg_pool.PoolTimeout: couldn't get a connection after 0.60 sec", "hazard.missing_thread"),
    # Rows of a transaction that has not been committed yet.
    ("myapp.models.Task.DoesNotExist: Task matching query does not exist.", "hazard.uncommitted_parent"),
    ("django.core.exceptions.ObjectDoesNotExist: Order matching query does not exist.",
     "hazard.uncommitted_parent"),
    ("sqlalchemy.orm.exc.ObjectDeletedError: Instance '<Job at 0x7f>' has been deleted, or its row is"
     " otherwise not present.", "hazard.uncommitted_parent"),
    ("sqlalchemy.exc.InvalidRequestError: Could not refresh instance '<Job at 0x7f>'",
     "hazard.uncommitted_parent"),
    ('psycopg2.errors.ForeignKeyViolation: insert or update on table "task" violates foreign key constraint'
     ' "task_order_id_fkey"', "hazard.uncommitted_parent"),
    ("row not found in celery task right after commit", "hazard.uncommitted_parent"),
    ("data inserted by parent is not visible in child process", "hazard.uncommitted_parent"),
    # What every worker does at its start.
    ('(psycopg2.errors.DuplicateObject) type "status" already exists', "hazard.startup_race"),
    ('psycopg2.errors.DuplicateColumn: column "age" of relation "users" already exists',
     "hazard.startup_race"),
    ('duplicate key value violates unique constraint "alembic_version_pkc"', "hazard.startup_race"),
    ('duplicate key value violates unique constraint "pg_database_datname_index"', "hazard.startup_race"),
    # What a worker lacks of its parent's settings, values and threads.
    ("psycopg2.errors.InvalidSchemaName: no schema has been selected to create in", "hazard.lost_settings"),
    ("sqlalchemy.exc.UnboundExecutionError: Could not locate a bind configured on mapper Mapper[User(users)]"
     " or this Session.", "hazard.lost_values"),
    ("KeyError: 'DATABASE_URL'", "hazard.lost_values"),
    ("Sentry events are not sent from celery worker", "hazard.missing_thread"),
    ("logging QueueListener no output in child process", "hazard.missing_thread"),
    ("prometheus metrics are missing in the worker", "hazard.missing_thread"),
    # Copies of what has to be unique, of signal handling, of locks.
    ("random numbers identical in each worker", "hazard.copied_ids"),
    ("SIGTERM to child process stops parent fastapi", "hazard.copied_signals"),
    ("could not initiate GSSAPI security context", "hazard.native_lock"),
    ("#0  __lll_lock_wait () #1 pthread_mutex_lock () #2 k5_mutex_lock () #3 gss_acquire_cred ()",
     "hazard.native_lock"),
    ("scheduler lock pg_try_advisory_lock returns false", "hazard.orphaned_backend"),
    ("ValueError: file descriptor cannot be a negative integer (-1)", "hazard.reused_descriptor"),
    ("TypeError: cannot pickle 'generator' object", "hazard.unpicklable"),
    ("TypeError: cannot pickle 'coroutine' object", "hazard.unpicklable"),
    ("[gw0] node down: Not properly terminated\nworker 'gw0' crashed while running"
     " 'tests/test_orders.py::test_one'", "program.pytest_xdist"),
    ("INFO:     Child process [4711] died", "program.uvicorn"),
    ("python-daemon DaemonContext", "hazard.reused_descriptor"),
    ("granian worker", "program.granian"),
    ("hypercorn --workers", "program.hypercorn"),
    ("flask_sqlalchemy db.engine", "program.gunicorn_flask"),
    ("apscheduler add_job ProcessPoolExecutor", "program.apscheduler"),
    # Other problems: no page is better than a wrong one.
    ("AttributeError: 'NoneType' object has no attribute 'send'", ""),
    ("RuntimeError: can't start new thread", ""),
    ("sqlalchemy.orm.exc.DetachedInstanceError: Instance <User at 0x7f> is not bound to a Session", ""),
    ("celery.exceptions.NotRegistered: 'tasks.report'", ""),
    # As in further reports: messages, then titles.
    ("apscheduler.jobstores.base.ConflictingIdError: 'Job identifier (job1) conflicts with an "
     "existing job'", "hazard.startup_race"),
    ("AssertionError: can only test a child process", "hazard.copied_signals"),
    ("AssertionError: can only join a child process", "hazard.copied_signals"),
    ("psycopg2.OperationalError: SSL SYSCALL error: Socket operation on non-socket",
     "hazard.reused_descriptor"),
    ("psycopg2.OperationalError: SSL SYSCALL error: Bad file descriptor", "hazard.reused_descriptor"),
    ("django.db.utils.OperationalError: consuming input failed: SSL error: cipher operation failed",
     "hazard.tls_broken"),
    ("psycopg2.OperationalError: SSL error: ssl/tls alert bad record mac", "hazard.tls_broken"),
    ("SSL error: record layer failure", "hazard.tls_broken"),
    ("apscheduler.schedulers.SchedulerAlreadyRunningError: Scheduler is already running",
     "hazard.missing_thread"),
    ("message type 0x54 arrived from server while idle", "hazard.interleaved"),
    ("WARNING:  there is already a transaction in progress", "hazard.interleaved"),
    ("psycopg2.InterfaceError: only protocol 3 supported", "hazard.interleaved"),
    ('psycopg2.errors.InvalidSavepointSpecification: savepoint "sa_savepoint_1" does not exist',
     "hazard.interleaved"),
    ("psycopg2.errors.ActiveSqlTransaction: SET TRANSACTION ISOLATION LEVEL must be called before any"
     " query", "hazard.interleaved"),
    ("psycopg2.ProgrammingError: execute cannot be used while an asynchronous query is underway",
     "lookalike.shared_by_threads"),
    ("mysql: (2014, \"Commands out of sync; you can't run this command now\")",
     "lookalike.shared_by_threads"),
    ('psycopg.errors.InvalidCursorName: portal "C_3" does not exist', "lookalike.pooler_session"),
    ("sqlalchemy.exc.DisconnectionError: Connection record belongs to pid 4711, attempting to check "
     "out in pid 4712", "hazard.preping_tls"),
    ("TypeError: cannot pickle '_contextvars.Context' object", "hazard.unpicklable"),
    ("TypeError: cannot pickle 'select.epoll' object", "hazard.unpicklable"),
    ("AttributeError: Can't get attribute 'work' on <module '__main__' (built-in)>", "hazard.lost_values"),
    ('Thread 8 (idle): "MainThread"\n    connect (psycopg2/__init__.py:122)\n    connect '
     "(sqlalchemy/engine/default.py:598)", "hazard.native_lock"),
    ("+[__NSCFConstantString initialize] may have been in progress in another thread when fork() was "
     "called.", "hazard.native_lock"),
    ("#2 pq_lockingcallback () #3 X509_STORE_get_by_subject ()", "hazard.native_lock"),
    ("FATAL:  remaining connection slots are reserved for roles with privileges of the "
     '"pg_use_reserved_connections" role', "hazard.max_connections"),
    ("DETAIL:  There is 1 other session using the database.", "hazard.orphaned_backend"),
    ("MySQL: (4031, 'The client was disconnected by the server because of inactivity.')",
     "lookalike.idle_cut"),
    ("Process 4458 waits for ShareLock on transaction 159753; blocked by process 4231.",
     "lookalike.lock_wait"),
    ("SSL error when using gunicorn preload", "hazard.tls_broken"),
    ("engine.dispose() in child closes parent connection", "hazard.parent_closed"),
    ("celery task can't find row just inserted", "hazard.uncommitted_parent"),
    ("APScheduler job not running under gunicorn", "hazard.missing_thread"),
    ("deadlock after fork with threads", "hazard.inherited_lock"),
    ("uvicorn shuts down when child process terminated", "hazard.copied_signals"),
    ("create_all race condition multiple workers", "hazard.startup_race"),
    ("search_path not set in worker", "hazard.lost_settings"),
    ("RLS policy not applied in subprocess", "hazard.lost_settings"),
    ("environment variable not visible in spawned process", "hazard.lost_values"),
    ("too many connections with celery workers", "hazard.max_connections"),
    ("memory grows in gunicorn workers with preload", "hazard.copied_frame"),
    ("opentelemetry spans missing from gunicorn workers", "hazard.missing_thread"),
    ("logging queue listener not working after fork", "hazard.missing_thread"),
    ("background thread dies in uwsgi worker", "hazard.missing_thread"),
    ("scoped_session shared between processes", "hazard.inherited_session"),
    ("django connection shared by forked processes", "hazard.handler_copy"),
    ("new engine in every celery task leaks connections", "hazard.max_connections"),
    ("psycopg2.errors.NoActiveSqlTransaction: SAVEPOINT can only be used in transaction blocks",
     "hazard.interleaved"),
    ("multiprocessing.pool.MaybeEncodingError: Error sending result: "
     "'<sqlalchemy.engine.cursor.CursorResult object at 0x7f>'. Reason: 'AttributeError(\"Can't pickle"
     " local object 'x'\")'", "hazard.unpicklable"),
    ('unrecognized configuration parameter "app.tenant"', "hazard.lost_settings"),
    ("psycopg2.ProgrammingError: can't adapt type 'UUID'", "hazard.lost_settings"),
)  # fmt: skip
