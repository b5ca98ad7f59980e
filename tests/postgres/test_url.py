"""A URL leads where psql's libpq would lead with it, as the same user and with the same options."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import create_engine
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.engine import make_url

from harness.postgres import embedded, locate
from harness.postgres.server import Server, describe
from harness.postgres.url import parameters, parse_url, render
from harness.processes.supervision import Supervision
from harness.system.errors import PoolstartError
from tests.support.poolers import needs_pgbouncer, pgbouncer_on_unix_socket

needs_psql = pytest.mark.skipif(shutil.which("psql") is None, reason="no program psql")

PASSWORD = "a b+c%d&e=f?g#h/i@j:k\u00e9"
ENCODED = "a%20b+c%25d%26e%3Df%3Fg%23h%2Fi%40j%3Ak%C3%A9"
ROLES = ("alice", "so me+body", "me@home", "m\u00e9")
DATABASES = ("poolstart", "d b+x", "a%b", "\u6570", "a/b?c")

ASKED = (
    "select concat_ws('|', current_user, current_database(), inet_server_port(),"
    " current_setting('statement_timeout'), current_setting('work_mem'), current_setting('search_path'),"
    " current_setting('custom.setting', true))"
)


@pytest.fixture(scope="module")
def port() -> Iterator[str]:
    """The port of a server with roles that have a password, and several databases."""
    created = [f"create role \"{role}\" login password '{PASSWORD}';" for role in ROLES]
    created += [f'create database "{name}";' for name in DATABASES[1:]]
    rules = ("host all poolstart 127.0.0.1/32 trust", "host all all 127.0.0.1/32 scram-sha-256")
    with Supervision() as supervision:
        # Only for this server: another one may be started by a fixture of the whole run.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(embedded, "PREPARATION", (*embedded.PREPARATION, *created))
            patch.setattr(embedded, "RULES", rules)
            started = embedded.start(supervision)
        yield parameters(started.url)["port"]


def by_psql(url: str, **variables: str) -> str:
    """What psql is answered; empty if it cannot connect or does not accept the URL."""
    done = subprocess.run(
        ["psql", url, "-XAtw", "-c", ASKED],
        env={"PATH": "/usr/bin:/bin", "PGGSSENCMODE": "disable", **variables},
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.stdout.strip()


def by_poolstart(url: str) -> str:
    """What the monitor and a measured process are answered; empty if there is one line instead."""
    try:
        server = describe("external", parse_url(url, locate.URL))
    except PoolstartError:
        return ""
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(ASKED)
        ((monitor,),) = cursor.fetchall()
    engine = create_engine(server.sqlalchemy_url("worker"))
    with engine.connect() as worker:
        answer = worker.exec_driver_sql(ASKED).scalar()
    engine.dispose()
    assert monitor == answer
    return str(answer)


ACCEPTED = [
    "postgresql://poolstart@127.0.0.1:{port}/poolstart",
    "postgres://poolstart@127.0.0.1:{port}/poolstart",
    "postgresql://poolstart@localhost:{port}/poolstart",
    "postgresql://poolstart@127.0.0.1:{port}",
    "postgresql://poolstart@127.0.0.1:{port}?dbname=poolstart",
    "postgresql://127.0.0.1/poolstart?user=poolstart&port={port}",
    "postgresql:///poolstart?user=poolstart&port={port}&host=127.0.0.1",
    "postgresql:///?user=poolstart&port={port}&hostaddr=127.0.0.1&dbname=poolstart",
    "postgresql://no.such.host.invalid:{port}/poolstart?user=poolstart&hostaddr=127.0.0.1",
    # Passwords.
    "postgresql://alice:{password}@127.0.0.1:{port}/poolstart",
    "postgresql://alice@127.0.0.1:{port}/poolstart?password={password}",
    "postgresql://127.0.0.1:{port}/poolstart?user=alice&password={password}",
    "postgresql://alice:wrong@127.0.0.1:{port}/poolstart?password={password}",
    "postgresql://poolstart:@127.0.0.1:{port}/poolstart",
    # Users and databases that need encoding.
    "postgresql://so%20me+body:{password}@127.0.0.1:{port}/poolstart",
    "postgresql://me%40home:{password}@127.0.0.1:{port}/poolstart",
    "postgresql://m\u00e9:{password}@127.0.0.1:{port}/poolstart",
    "postgresql://127.0.0.1:{port}/poolstart?user=me%40home&password={password}",
    "postgresql://poolstart@127.0.0.1:{port}/d%20b+x",
    "postgresql://poolstart@127.0.0.1:{port}/a%25b",
    "postgresql://poolstart@127.0.0.1:{port}/\u6570",
    "postgresql://poolstart@127.0.0.1:{port}/a%2Fb%3Fc",
    "postgresql://poolstart@127.0.0.1:{port}/?dbname=a%2Fb%3Fc",
    "postgresql://poolstart@%31%32%37.0.0.1:{port}/poolstart",
    # Parameters.
    "postgresql://poolstart@127.0.0.1:{port}/poolstart?options=-c%20statement_timeout%3D5432",
    "postgresql://poolstart@127.0.0.1:{port}/poolstart?options=-c%20work_mem%3D5MB%20-c%20custom.setting%3Dx",
    "postgresql://poolstart@127.0.0.1:{port}/poolstart?options=-c%20custom.setting%3Da+b%2Bc",
    "postgresql://poolstart@127.0.0.1:{port}/poolstart?options=-c%20custom.setting%3Da%5C%20b%25",
    "postgresql://poolstart@127.0.0.1:{port}/poolstart?options=--search_path%3Done%2Ctwo",
    "postgresql://poolstart@127.0.0.1:{port}/poolstart?options=",
    "postgresql://poolstart@127.0.0.1:{port}/poolstart?sslmode=disable",
    "postgresql://poolstart@127.0.0.1:{port}/poolstart?keepalives=1&keepalives_idle=30&tcp_user_timeout=0",
    "postgresql://poolstart@127.0.0.1:{port}/poolstart?target_session_attrs=read-write",
    "postgresql://poolstart@127.0.0.1:{port}/poolstart?gssencmode=disable&krbsrvname=x",
    # Several hosts, of which the first does not answer.
    "postgresql://poolstart@127.0.0.1:1,127.0.0.1:{port}/poolstart",
    "postgresql:///poolstart?user=poolstart&host=127.0.0.1,127.0.0.1&port=1,{port}",
    "postgresql://a,b:{port}/poolstart?user=poolstart&hostaddr=127.0.0.2,127.0.0.1",
    "postgresql://poolstart@/poolstart?host=a.invalid,localhost&hostaddr=127.0.0.1,127.0.0.1&port=1,{port}",
]

REFUSED = [
    "postgresql://alice@127.0.0.1:{port}/poolstart",
    "postgresql://alice:wrong@127.0.0.1:{port}/poolstart",
    "postgresql://poolstart@127.0.0.1:{port}/d+b+x",
    "postgresql://poolstart@127.0.0.1:{port}/nosuch",
    "postgresql://poolstart@127.0.0.1:{port}/poolstart?options=-c+statement_timeout%3D5432",
    "postgresql://poolstart@127.0.0.1:{port}/poolstart?options=-c%20nosuch%3D1",
    "postgresql://poolstart@127.0.0.1:{port}/poolstart?nosuch=1",
    "postgresql://poolstart@127.0.0.1:{port}/poolstart?sslmode=require",
    "postgresql://poolstart@127.0.0.1:{port}/poolstart?sslmode=",
    "postgresql://poolstart@127.0.0.1:{port}/poolstart?connect_timeout=soon",
    "postgresql://poolstart%00@127.0.0.1:{port}/poolstart",
    "postgresql://poolstart@127.0.0.1:{port}/%zz",
    "postgresql://poolstart@[127.0.0.1:{port}/poolstart",
    "postgresql://poolstart@127.0.0.1:1,127.0.0.1:2/poolstart",
    "postgresql://poolstart@127.0.0.1:{port}/poolstart?target_session_attrs=standby",
    "postgresql:/poolstart@127.0.0.1:{port}/poolstart",
]


@needs_psql
@pytest.mark.parametrize("accepted", ACCEPTED)
def test_a_url_is_read_as_psql_reads_it(port: str, accepted: str) -> None:
    url = accepted.format(port=port, password=ENCODED)
    reference = by_psql(url)
    assert reference
    assert by_poolstart(url) == reference


@needs_psql
@pytest.mark.parametrize("refused", REFUSED)
def test_what_psql_refuses_is_one_line(port: str, refused: str) -> None:
    url = refused.format(port=port)
    assert not by_psql(url)
    assert not by_poolstart(url)


@needs_pgbouncer
@needs_psql
@pytest.mark.parametrize(
    "form",
    [
        "postgresql://poolstart@{encoded}:{port}/poolstart",
        "postgresql:///poolstart?host={host}&port={port}&user=poolstart",
    ],
)
def test_a_unix_socket_is_found_where_psql_finds_it(server: Server, form: str) -> None:
    with pgbouncer_on_unix_socket(server) as (through, folder):
        found = {**parameters(through), "host": folder}
        url = form.format(**found, encoded=quote(found["host"], safe=""))
        assert by_psql(url)
        assert by_poolstart(url) == by_psql(url)
        assert describe("external", url).transport == "unix"


def written(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(0o600)
    return str(path)


@pytest.fixture
def settings(tmp_path: Path, port: str) -> dict[str, str]:
    """Values of libpq's variables for the server, by variable."""
    service = f"[mine]\nhost=127.0.0.1\nport={port}\nuser=alice\ndbname=d b+x\noptions=-c work_mem=5MB\n"
    password = PASSWORD.replace(":", "\\:")
    return {
        "PGHOST": "127.0.0.1",
        "PGPORT": port,
        "PGUSER": "alice",
        "PGDATABASE": "poolstart",
        "PGPASSWORD": PASSWORD,
        "PGPASSFILE": written(tmp_path / "passwords", f"*:*:*:*:{password}\n"),
        "PGSERVICEFILE": written(tmp_path / "services", service),
        "PGSERVICE": "mine",
        "PGOPTIONS": "-c statement_timeout=5432",
    }


@needs_psql
@pytest.mark.parametrize(
    ("url", "variables"),
    [
        ("postgresql://", "PGHOST PGPORT PGUSER PGDATABASE PGPASSWORD PGOPTIONS"),
        ("postgresql+psycopg2://", "PGHOST PGPORT PGUSER PGDATABASE PGPASSWORD PGOPTIONS"),
        ("postgresql://alice@127.0.0.1:{port}/poolstart", "PGPASSWORD"),
        ("postgresql://alice@127.0.0.1:{port}/poolstart", "PGPASSFILE PGOPTIONS"),
        ("postgresql://127.0.0.1:{port}/poolstart", "PGUSER PGPASSWORD"),
        ("postgresql://alice@/poolstart", "PGHOST PGPORT PGPASSWORD"),
        ("postgresql://", "PGSERVICE PGSERVICEFILE PGPASSWORD"),
        ("postgresql:///poolstart?service=mine", "PGSERVICEFILE PGPASSFILE PGOPTIONS"),
    ],
)
def test_what_the_url_leaves_out_is_taken_from_libpqs_variables_once(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], port: str, url: str, variables: str
) -> None:
    given = {name: settings[name] for name in variables.split()}
    url = url.format(port=port)
    reference = by_psql(url.replace("+psycopg2", ""), **given)
    assert reference
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(locate.URL, url)
    server = locate.running()
    assert not [name for name in os.environ if name.startswith("PG")]
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(ASKED)
        assert cursor.fetchall() == [(reference,)]
    assert locate.running() == server


def test_libpqs_variables_do_not_change_the_embedded_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PGHOSTADDR", "127.0.0.2")
    monkeypatch.setenv("PGSSLMODE", "require")
    monkeypatch.setenv("PGSERVICE", "nosuch")
    monkeypatch.setenv(locate.KIND, "embedded")
    with locate.server() as server:
        server.connect().close()


def test_files_that_a_url_names_are_found_from_any_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, server: Server
) -> None:
    monkeypatch.chdir(tmp_path)
    url = describe("external", f"{server.url}?sslrootcert=ca.pem").url
    assert parameters(url)["sslrootcert"] == str(tmp_path / "ca.pem")


def test_a_resolved_url_has_none_of_libpqs_defaults(server: Server) -> None:
    assert describe("external", server.url).url == server.url


def test_a_parameter_with_any_value_is_read_alike_by_libpq_and_sqlalchemy() -> None:
    given = {"user": "a b+c", "password": PASSWORD, "host": "/a dir/x", "port": "5", "dbname": "a/b?c"}
    given["options"] = "-c a=b+c %20"
    assert parameters(render(given)) == given
    _, by_sqlalchemy = PGDialect_psycopg2().create_connect_args(make_url(render(given)))
    assert {name: str(value) for name, value in by_sqlalchemy.items()} == given
