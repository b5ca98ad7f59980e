"""Each mistake of a user is reported in one line that says what to do, and nothing is left or lost."""

import json
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from harness.console.markdown import END
from harness.postgres.server import Server
from tests.support.remains import scene
from tests.support.servers import server_with_password
from tests.whole.bad_input.checkout import Checkout, Surroundings

ROLES = {
    "barred": "nologin",
    "crowded": "login connection limit 0",
    "of_four": "login connection limit 4",
    "impatient": "login",
    "hasty": "login",
}
"""Roles of a real server, and what they may do; all have the password."""

ODDITIES = (
    *(f"create role {name} {options} password 's3cret';" for name, options in ROLES.items()),
    "alter role impatient set idle_session_timeout = '1s';",
    "alter role hasty set statement_timeout = '1ms';",
    "create database closed;",
    "alter database closed with allow_connections false;",
    "create database private;",
    "revoke connect on database private from public;",
)
"""Statements that make a real server refuse connections, each for another reason."""


@pytest.fixture(scope="module")
def password() -> Iterator[Server]:
    others = f"host all {','.join(ROLES)} 127.0.0.1/32 scram-sha-256"
    with server_with_password("s3cret", *ODDITIES, rules=(others,)) as server:
        yield server


Damage = Callable[[Checkout], None]

NOTHING_SPECIAL = Surroundings()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    with scene() as here:
        made = Checkout(tmp_path_factory.mktemp("checkout"), here)
        try:
            yield made
        finally:
            made.close()


@dataclass(frozen=True)
class Mistake:
    """What a user does wrong, and the error message."""

    command: str
    message: str
    """The line that is printed, as a regular expression."""
    environment: dict[str, str] | None = None
    damage: Damage = lambda _: None
    surroundings: Surroundings = NOTHING_SPECIAL
    usage: bool = False
    """Whether the parser of the command line reports it, in a frame."""
    status: int = 2
    progress: bool = False
    """Whether other lines come before the message."""

    def __str__(self) -> str:
        settings = " ".join(f"{name}={value}" for name, value in (self.environment or {}).items())
        return f"{settings} {self.command}: {self.message}".strip()[:90]


def url(text: str, message: str) -> Mistake:
    return Mistake("measure --strategy spawn", message, {"POOLSTART_URL": text})


def setting(name: str, value: str, message: str, command: str = "measure") -> Mistake:
    return Mistake(command, message, {name: value})


def usage(command: str, message: str) -> Mistake:
    return Mistake(command, message, usage=True)


def on_file(
    command: str, file: str, change: Callable[[Path], object], message: str, **others: Any
) -> Mistake:
    """Change a file of the checkout."""
    return Mistake(command, message, damage=lambda checkout: change(checkout.file(file)) and None, **others)


def damaged(command: str, file: str, content: str | None, message: str, status: int = 2) -> Mistake:
    """Replace a file of the checkout, or remove it."""

    def change(path: Path) -> None:
        if content is None:
            path.unlink()
        elif content == "TRUNCATED":
            path.write_text(path.read_text()[: path.stat().st_size // 2])
        else:
            path.write_text(content)

    return on_file(command, file, change, message, status=status)


def not_utf8(command: str, file: str, message: str, status: int) -> Mistake:
    """Append bytes to a file of the checkout that make it no text."""

    def change(path: Path) -> None:
        path.write_bytes(path.read_bytes() + b"\xff\xfe")

    return on_file(command, file, change, message, status=status, progress=True)


def changed(command: str, file: str, change: Callable[[Any], object], message: str) -> Mistake:
    """Change the content of a JSON file of the checkout."""

    def damage(path: Path) -> None:
        content = json.loads(path.read_text())
        path.write_text(json.dumps(change(content) or content))

    return on_file(command, file, damage, message)


def module(text: str) -> Damage:
    """Write the module `mine` of a user."""
    return lambda checkout: (checkout.work / "mine.py").write_text(text) and None


def strategy(text: str, message: str) -> Mistake:
    return Mistake("measure --strategy mine:STRATEGY", message, damage=module(text))


def outdated(page: str) -> Damage:
    """Change a generated page, so that it is out of date."""

    def damage(checkout: Checkout) -> None:
        path = checkout.directory / page
        text = path.read_text()
        path.write_text(text.replace(END, f"old\n{END}", 1) if END in text else "old")

    return damage


OWN = "from dataclasses import replace\nfrom harness import strategies\n"


def docker(script: str, message: str, command: str = "postgres up", **environment: str) -> Mistake:
    """Replace `docker` by a script."""

    def damage(checkout: Checkout) -> None:
        program = checkout.work / "docker"
        program.write_text(script)
        program.chmod(0o755)

    settings = {"POOLSTART_SERVER": "", "PATH": "WORK", **environment}
    return Mistake(command, message, settings, damage)


ANSWERS = '#!/bin/sh\ncase "$*" in\nversion*) echo 20.10;;\n"compose version"*) echo 2.26;;\n'
"""An engine with compose."""

DENIED = (
    "#!/bin/sh\necho 'permission denied while trying to connect to the Docker daemon socket' >&2; exit 1\n"
)


def binaries(message: str, **programs: str) -> Mistake:
    """A folder with programs of these names, for `POOLSTART_PG_BINDIR`."""

    def damage(checkout: Checkout) -> None:
        for name, script in programs.items():
            (checkout.work / name).write_text(script)
            (checkout.work / name).chmod(0o755)

    return Mistake("measure --strategy spawn", message, {"POOLSTART_PG_BINDIR": "WORK"}, damage)


def no_environment(content: Any) -> None:
    """As `asv run -E existing` files it."""
    content["env_vars"] = {}
    content["params"] = {"machine": content["params"]["machine"], "python": ""}


AS_WRITTEN = r"write it as postgresql\+psycopg2://"
RESTORE = "restore it with git"
NO_PARAMETER = "has a parameter that libpq does not know, or one without a value"
CONFIG = f"asv.conf.json cannot be read: .*; {RESTORE}"

FORMATTED = ("", "hazards --list", "record")
"""Some of the commands that print tables: one decorator gives all of them their formats."""

MISTAKES = [
    # Arguments.
    usage("nosuch", "No such command"),
    usage("measure --nosuch", "No such option"),
    usage("measure --dataframe huge", "none of none, large, both"),
    usage("hazards --repeat 0", "greater than or equal to 1"),
    usage("compare 2.1.9", "Missing argument"),
    usage("compare 2.1.9 2.1.8 --tolerate much", "no share"),
    Mistake("record history --repeat 1", "needs at least 3 blocks of each release; give --repeat 3 or more"),
    Mistake(
        "bill --workers 8 --parent-memory 4", "'4' is no amount with a unit; write 512MiB; units are MiB, GiB"
    ),
    Mistake(
        "bill --workers 8 --task 5kg", "'5kg' is no amount with a unit; write 200ms; units are ms, s, min, h"
    ),
    Mistake("bill --workers 8 --tasks 5", "--tasks means nothing without --task; give the length of a task"),
    usage("postgres", "Usage"),
    # Arguments that mean nothing together.
    *(
        Mistake(f"{command} --json --csv", "--json and --csv exclude one another; choose one of them")
        for command in FORMATTED
    ),
    Mistake("--csv results", "--csv stands before results, .*; write it after results"),
    Mistake("releases --json update", "--json stands before update, .*; write it after update"),
    Mistake("hazards --list unpicklable", "--list excludes HAZARD; leave out one or the other"),
    Mistake("hazards --search gunicorn --strategy spawn", "--search excludes --strategy"),
    Mistake("demo --cured", "the list of demos, which is shown without NAME, excludes --cured"),
    Mistake("demo 1 --json", "a single demo excludes --json"),
    Mistake("record --only spawn --fresh", "the list of records, .*, excludes --only and --fresh"),
    Mistake(
        "record fleets --workers 1000",
        "1000 workers may need .* GiB, and .* GiB are free; measure smaller fleets, with --workers",
        progress=True,
    ),
    Mistake("record fleets --csv", "measuring for the record excludes --csv"),
    Mistake(
        "compare spawn forkserver --vary strategy --strategy spawn", "--vary strategy excludes --strategy"
    ),
    Mistake("measure --strategy nosuch", "--strategy: no strategy 'nosuch'; known are fork_nodispose"),
    Mistake("measure --strategy \u00fcn\u00ef\u4e2d", "no strategy '\u00fcn\u00ef\u4e2d'; known are"),
    Mistake("measure --strategy no.such:NAME", "No module named 'no'; write it as package.module:NAME"),
    Mistake("hazards nosuch", "no hazard 'nosuch'; known are"),
    Mistake("record nosuch", "there is no record 'nosuch'; choose from history, counts"),
    Mistake(
        "record hazards --only nosuch", "'nosuch' is none of the hazards, strategies or groups .*; known are"
    ),
    Mistake("record fleets --load", "`poolstart record fleets` has no --load; its options are --only"),
    Mistake("record demos --release 9.9.9", "no release '9.9.9'", progress=True),
    Mistake("demo 99", "no demo '99'; known are"),
    Mistake("demo 1 --start-method vfork", "no start method 'vfork'; known are fork"),
    Mistake(
        "results nonsense", "'nonsense' is no release; give one of those that `poolstart releases` lists"
    ),
    Mistake("results 1.3.24", "1.3.24 has not been measured; measure it by `asv run 1.3.24"),
    Mistake("explain 2.0.0 2.0.999", "no release '2.0.999'"),
    Mistake("compare 2.1.9 /no/such", "no such folder or wheel; give one"),
    Mistake("compare 2.1.9 docs", "docs holds no pyproject.toml or setup.py; name the folder"),
    Mistake("record history --only nonsense", "'nonsense' is not a SQLAlchemy release .*`poolstart rel"),
    Mistake("record history --only 2.0.9..1.4.40", "2.0.9..1.4.40 is no range: 1.4.40 is older than 2.0.9"),
    Mistake("record verdicts --only 2.1.9..2.1.9", "2.1.9..2.1.9 names no release; `a..b` are the releases"),
    damaged("record verdicts", "records/verdicts.json", "{", f"verdicts.json cannot be read: .*; {RESTORE}"),
    Mistake("record sensitivity --only start", "--only is for injected changes; add --injected"),
    Mistake("record sensitivity --repeat 3", "fewer than 8 runs do not show how far they spread; give"),
    # Environment variables.
    setting("POOLSTART_PROFILE", "Quick", "POOLSTART_PROFILE=Quick is no profile; known are default, quick"),
    setting(
        "POOLSTART_DATAFRAME_MIB", "9999999", "9999999 MiB needs .* MiB free, this machine has .* MiB; give"
    ),
    setting("POOLSTART_DATAFRAME_MIB", "\u00b2", "is no size; give a whole number of MiB"),
    setting("POOLSTART_STRATEGIES", ",", "no strategy ''; known are"),
    setting("POOLSTART_SERVER", "Embedded", "is not a kind of server; set POOLSTART_SERVER to embedded or"),
    setting("POOLSTART_SERVER_NAME", "my server", "POOLSTART_SERVER_NAME=my server is no name; use up to 40"),
    setting("POOLSTART_SERVER_NAME", "production", "names the server of POOLSTART_URL, which is not set"),
    setting("POOLSTART_RUN_SERVER", "{}", "POOLSTART_RUN_SERVER is set, but not by a run of asv; unset"),
    setting("UV_DEFAULT_INDEX", "http://127.0.0.1:1/", "no connection; check", "releases update"),
    # URLs.
    url("nonsense", f"POOLSTART_URL is not a database URL; {AS_WRITTEN}"),
    url("mysql://me:s3cret@h/d", f"names 'mysql', but poolstart measures PostgreSQL only; {AS_WRITTEN}"),
    url("postgresql://me:s3cret@127.0.0.1:port/d", f"has a port that is no number; {AS_WRITTEN}"),
    url("postgresql://me:1@s3cret@127.0.0.1:1/d", "has an @ that does not end the password; write @ as %40"),
    url("postgresql://me:s3cret%00@127.0.0.1:1/d", "has a %00, which libpq does not accept; remove it"),
    url("postgresql://me:s3cret%@127.0.0.1:1/d", "has a % without two hexadecimal digits; write % as %25"),
    url("postgresql://me@127.0.0.1:1/d?password=1&s3cret", f"{NO_PARAMETER}; its parameters are those of"),
    url("postgresql://me@127.0.0.1:1/d?sslmode=s3cret", r'invalid sslmode value: "\*\*\*"; correct it in'),
    url(
        "postgresql://me@127.0.0.1:1/d?service=s3cret", r'definition of service "\*\*\*" not found; check the'
    ),
    url("postgresql://me:s3cret@127.0.0.1:1/d", "Connection refused; check that the server runs"),
    url("postgresql://me:s3cret@no.such.host.invalid/d", "no connection to .*; check the host"),
    url("postgresql+psycopg2://me:s3cret@[::1]:1/d", "no connection to .*; check that the server runs"),
    url(
        "postgresql+psycopg://me:s3cret@127.0.0.1:1/d", "'psycopg', but psycopg2 is .* POOLSTART_DRIVER=psyc"
    ),
    # Drivers.
    setting(
        "POOLSTART_DRIVER", "psycopg3", "POOLSTART_DRIVER=psycopg3: no driver 'psycopg3' is measured; known"
    ),
    Mistake("hazards own_lock --driver nosuch", "no driver 'nosuch' is measured; known are psycopg2, "),
    setting(
        "POOLSTART_DRIVER", "asyncpg", "POOLSTART_DRIVER=asyncpg: only times, memory and haz.*; unset", ""
    ),
    setting(
        "POOLSTART_DRIVER",
        "asyncpg",
        "fork_sever is written for synchronous drivers, and asyncpg is none; name another strategy",
        "measure --strategy fork_sever",
    ),
    Mistake(
        "measure --strategy spawn",
        "names the driver 'psycopg', but asyncpg is measured; set POOLSTART_DRIVER=psycopg, or name no",
        {"POOLSTART_DRIVER": "asyncpg", "POOLSTART_URL": "postgresql+psycopg://me:s3cret@127.0.0.1:1/d"},
    ),
    Mistake(
        "measure --strategy spawn",
        "no connection to 127.0.0.1,127.0.0.1:1,2/d: Connection refused; check",
        {"POOLSTART_DRIVER": "asyncpg", "POOLSTART_URL": "postgresql://me:s3cret@127.0.0.1:1,127.0.0.1:2/d"},
    ),
    url("postgres+pg8000://me:s3cret@127.0.0.1:1/d", f"names the driver 'pg8000', .*; {AS_WRITTEN}"),
    url("postgresql://m\u00e9:s3cret@127.0.0.1:1/\u6570", "Connection refused; check that the server runs"),
    url("postgresql:///d?host=/no/such", "No such file or directory; check that the server runs"),
    # Strategies of the user's own.
    strategy("raise RuntimeError('not today')", "importing mine raised RuntimeError: not today; write it as"),
    strategy("STRATEGY = 'spawn'", "mine:STRATEGY is no strategy but str; make it a Strategy"),
    strategy(
        f"{OWN}STRATEGY = replace(strategies.get('spawn'), start_method='vfork')", "method 'vfork'; known"
    ),
    # Programs that the embedded server needs.
    binaries("no PostgreSQL binaries: .* has no runnable initdb; set POOLSTART_PG_BINDIR"),
    binaries("is another program; set POOLSTART_PG_BINDIR", initdb="#!/bin/sh\n", postgres="#!/bin/sh\n"),
    binaries("postgres does not run: .*; set", initdb="#!/bin/sh\n", postgres="#!/bin/sh\nexit 3\n"),
    # The container engine.
    Mistake("postgres up", "no program `docker`; install Docker", {"PATH": "/no/such"}),
    docker("\x7fELF", "the program `docker` does not run: .*; reinstall it"),
    docker(DENIED, "no permission on the container engine's socket; run as a user who may use it"),
    docker(
        f"{ANSWERS}*) echo broken >&2; exit 1;; esac\n",
        "compose failed at `config`: broken; check docker-compose",
    ),
    docker(
        "#!/bin/sh\n[ $1 = version ] && echo 19.03\n", "the container engine has no compose; install compose"
    ),
    docker(
        f"{ANSWERS}*ps*) echo c0ffee;; inspect*) echo nonsense;; esac\n",
        "description of the service is not understood: .*; `poolstart postgres down`",
        "postgres status",
    ),
    docker(
        f"{ANSWERS}*ps*) echo c0ffee;; inspect*) echo 'permission denied' >&2; exit 1;; esac\n",
        "does not answer: permission denied; check the container engine",
        "measure --strategy spawn",
    ),
    replace(
        docker(
            f"{ANSWERS}*config*) echo 'image: x';;\n*up*) printf 'Network x_default Creating\\n"
            "Network x_default Error\\nfailed to create network x_default: no room\\n' >&2; exit 1;; esac\n",
            "could not start the container: failed to create network x_default: no room; fix the reason",
        ),
        progress=True,
    ),
    docker(
        DENIED, "no permission on .*socket; run as a user who may", "measure", POOLSTART_SERVER="container"
    ),
    # Committed files.
    damaged("results", "RESULT", "", f"2.1.09-.*json.*; {RESTORE}"),
    damaged("pages", "RESULT", "TRUNCATED", f"2.1.09-.*json.*; {RESTORE}"),
    damaged("results", "RESULT", None, "there are no results yet; measure by `asv run`"),
    changed(
        "results", "RESULT", lambda c: c.update(commit_hash="nonsense"), f"cannot be read: .*; {RESTORE}"
    ),
    changed("results", "RESULT", lambda c: c.update(version=99), "newer than"),
    changed("results", "RESULT", no_environment, "there are no results yet; measure by `asv run`"),
    damaged("results", "MACHINE", None, f"machine.json cannot be read: No such file or directory; {RESTORE}"),
    damaged("changes", "results/benchmarks.json", None, "benchmarks.json"),
    damaged("results", "records/hazards.json", "{", f"records/hazards.json cannot be read: .*; {RESTORE}"),
    damaged(
        "pages docs/hazards.md",
        "records/hazards.json",
        '{"2.1": {}}',
        r"hazards.json cannot be read: 2\.1: it lacks 'provenance'",
    ),
    damaged(
        "pages docs/fleets.md",
        "records/fleets.json",
        "{}",
        "fleets.json cannot be read: it lacks 'provenance'; restore",
    ),
    damaged(
        "releases", "harness/releases/releases.json", "{}", f"cannot be read: it lists no release; {RESTORE}"
    ),
    damaged(
        "releases", "harness/releases/releases.json", '{"2.0": "2024-01-01"}', f"'2.0' is not a .*; {RESTORE}"
    ),
    damaged("pages", "README.md", "no marks", "README.md has no mark .*; give it one line"),
    damaged("compare 2.1.9 2.1.8", "asv.conf.json", "{", CONFIG),
    Mistake(
        "record history --minutes 0",
        "nothing has been measured yet; measure with `poolstart record history`",
        progress=True,
    ),
    # Disks, directories and systems.
    Mistake("releases", "releases.json", surroundings=Surroundings((("empty", "harness/releases"),))),
    Mistake(
        "pages",
        "README.md cannot be written: .*; check",
        damage=outdated("README.md"),
        surroundings=Surroundings((("read-only", ""),)),
    ),
    Mistake(
        "pages",
        "README.md cannot be written: File too large; check",
        damage=outdated("README.md"),
        surroundings=Surroundings(file_size=1024),
    ),
    Mistake(
        "measure --strategy spawn",
        "No space left on device; make room on that disk",
        surroundings=Surroundings((("small", "TMPDIR"),)),
    ),
    Mistake(
        "measure --strategy spawn",
        "read from /proc/PID/smaps_rollup.*; use Linux",
        surroundings=Surroundings((("empty", "/proc"),)),
    ),
    # asv itself.
    Mistake("asv run 9.9.9^!", "'9.9.9' is not a SQLAlchemy release in the list", status=1),
    Mistake(
        "asv run --bench (",
        r"'\(' is no regular expression: missing \).*; correct it",
        status=1,
        progress=True,
    ),
    Mistake("asv rm nosuch=1", "not every result has the parameter .*; name commit_hash", status=1),
    not_utf8("asv show 2.1.09", "RESULT", "2.1.09-.*json.*can't decode byte", 0),
    not_utf8("asv show", "MACHINE", "machine.json.*can't decode byte", 1),
    Mistake(
        "asv run",
        "POOLSTART_DATAFRAME_MIB=9999999: .*; give",
        {"POOLSTART_DATAFRAME_MIB": "9999999"},
        status=1,
    ),
    Mistake("asv run", NO_PARAMETER, {"POOLSTART_URL": "postgresql://h/d?x=1"}, status=1),
    damaged(
        "asv run", "harness/releases/releases.json", "", f"releases.json cannot be read: .*; {RESTORE}", 1
    ),
]


def words(text: str) -> list[str]:
    made = shlex.split(text)
    return made if made[:1] == ["asv"] else ["poolstart", *made]


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_a_mistake_is_one_line(checkout: Checkout, mistake: Mistake) -> None:
    check(checkout, mistake)


def check(checkout: Checkout, mistake: Mistake) -> None:
    checkout.restore()
    mistake.damage(checkout)
    before = checkout.content()
    environment = {
        name: value.replace("WORK", str(checkout.work)) for name, value in (mistake.environment or {}).items()
    }
    ended = checkout.run(words(mistake.command), environment, mistake.surroundings)
    output = ended.out + ended.err
    assert "Traceback" not in output, output
    assert "s3cret" not in output
    assert ended.code == mistake.status, output
    text = re.sub(r"[\s│]+", " ", output)
    assert re.search(mistake.message, text), output
    lines = output.splitlines()
    if mistake.usage:
        assert len(lines) <= 20
    elif mistake.progress:
        assert re.search(mistake.message, lines[-1])
    else:
        assert len(lines) == 1, output
        assert mistake.status == 1 or ended.err.startswith("poolstart: ")
    checkout.here.wait_for(lambda: not checkout.left(), f"nothing is left running: {checkout.left()}")
    assert checkout.here.files() == []
    assert checkout.content() == before


LIMIT = "end some of the server's sessions, or raise the limit of connections"
OPTIONS = "correct the options in the URL"

REFUSALS = [
    # User, database with parameters, message.
    ("alice:wr0ng", "poolstart", "authentication failed for user .*; check the user and the password"),
    ("alice", "nosuch", 'database "nosuch" does not exist; name a database that the server has'),
    ("n0body", "poolstart", "no pg_hba.conf entry .*; check that the role exists, may log in, and may"),
    ("barred", "poolstart", "not permitted to log in; check that the role exists, may log in, and may"),
    ("crowded", "poolstart", f"too many connections for role .*; {LIMIT}"),
    ("of_four", "poolstart", f"too many .*, after 4 of the 5 sessions that are needed; {LIMIT}"),
    ("impatient", "poolstart", "idle for 1 s .idle_session_timeout.; raise it to 120 s or more for"),
    # Whichever comes first: the question for the setting may take too long itself.
    ("hasty", "poolstart", "statement.timeout.*; raise (it to 1 s or more|statement_timeout) for this role"),
    ("alice", "closed", "not currently accepting connections; name a database that accepts"),
    ("alice", "private", "permission denied for database .*; grant the role the privilege that"),
    ("alice", "poolstart?options=-c%20nosuch%3D1", f"unrecognized .*; {OPTIONS}"),
    ("alice", "poolstart?options=-c%20work_mem%3Dx", f"invalid value for .*; {OPTIONS}"),
    ("alice", "poolstart?options=--nosuch", f"requires a value; {OPTIONS}"),
    ("alice", "poolstart?options=-c%20log_statement%3Dall", "permission denied to set .*; grant"),
    ("alice", "poolstart?sslmode=require", "does not support SSL.*; remove sslmode from the URL"),
    ("alice", "poolstart?target_session_attrs=standby", "server is not in hot standby mode ?$"),
]
"""What a real server refuses; each remedy follows from its words or libpq's."""


@pytest.mark.parametrize(("user", "database", "message"), REFUSALS)
def test_a_real_server_s_refusal_is_one_line(
    checkout: Checkout, password: Server, user: str, database: str, message: str
) -> None:
    account = user if ":" in user else f"{user}:s3cret"
    given = f"postgresql://{account}@{password.address}/{database}"
    check(checkout, url(given, message))


def test_a_site_is_published_without_a_damaged_result_which_is_named(checkout: Checkout) -> None:
    checkout.restore()
    text = checkout.result.read_text()
    checkout.result.write_text(text[: len(text) // 2])
    ended = checkout.run(["asv", "publish"], {}, NOTHING_SPECIAL)
    output = re.sub(r"\s+", " ", ended.out + ended.err)
    assert ended.code == 0, output
    assert re.search(rf"not shown: .*{re.escape(checkout.result.name)}.*restore it with git", output)
    assert "Traceback" not in output
