"""URLs of servers: read as libpq reads them, and resolved once.

A resolved URL contains everything that libpq would otherwise take from `PG*` variables, a service file or a
password file, so that a measured process, which has none of these, connects exactly as the first connection
did.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import psycopg2
from psycopg2.extensions import parse_dsn

from harness import drivers
from harness.drivers import MEASURED
from harness.system.errors import PoolstartError

AS_WRITTEN = f"write it as {MEASURED.drivername}://user:password@host:5432/database"

SCHEMES = ("postgresql", "postgres")

VARIABLES = "PG"
"""The prefix of libpq's environment variables."""

DEFAULTS = {
    "channel_binding": "prefer",
    "options": "",
    "sslmode": "prefer",
    "sslnegotiation": "postgres",
    "sslcompression": "0",
    "sslcertmode": "allow",
    "sslsni": "1",
    "ssl_min_protocol_version": "TLSv1.2",
    "krbsrvname": "postgres",
    "gssdelegation": "0",
    "target_session_attrs": "any",
    "load_balance_hosts": "disable",
}
"""libpq's own defaults, which a resolved URL leaves out, since an older libpq may not know them."""

RESOLVED = {
    *("service", "servicefile", "passfile"),
    *("application_name", "fallback_application_name", "gssencmode"),
}
"""Parameters that a resolved URL leaves out: the others contain their effect, or `Server` sets them."""

FILES = {"sslcert", "sslkey", "sslrootcert", "sslcrl", "sslcrldir"}
"""Parameters that name files, which a measured process would look for in its own working directory."""


def parse_url(text: str, source: str) -> str:
    """`text` as a libpq URL. `source` is the name of the setting that holds it.

    It is read as libpq reads it. Raises `PoolstartError`, which shows nothing of the URL, if it is not one of
    a PostgreSQL database, or names a driver that is not measured.
    """
    text = text.strip()
    scheme, separator, rest = text.partition("://")
    backend, _, driver = scheme.partition("+")
    if not separator or not backend.isalnum() or not (driver or "x").isidentifier():
        raise PoolstartError(f"{source} is not a database URL", AS_WRITTEN)
    if backend not in SCHEMES:
        raise PoolstartError(
            f"{source} names {backend!r}, but poolstart measures PostgreSQL only", AS_WRITTEN
        )
    if driver:
        _require_measured(driver, source)
    try:
        found = parse_dsn(f"{SCHEMES[0]}://{rest}")
    except psycopg2.ProgrammingError as error:
        raise _not_understood(source, str(error)) from None
    if "@" in "".join(found.get(part, "") for part in ("host", "port", "dbname")):
        raise PoolstartError(
            f"{source} has an @ that does not end the password", "write @ as %40 and / as %2F in a password"
        )
    if not re.fullmatch(r"[\d,]*", found.get("port", "")):
        # A port that is no number may be a password, if the host was forgotten.
        raise PoolstartError(f"{source} has a port that is no number", AS_WRITTEN)
    return render(found)


def _require_measured(dialect: str, source: str) -> None:
    """Raises `PoolstartError` if a URL names another driver than the one that is measured."""
    measured = drivers.current()
    if dialect == measured.dialect:
        return
    others = [driver.name for driver in drivers.DRIVERS if driver.dialect == dialect]
    if not others:
        names = ", ".join(driver.name for driver in drivers.DRIVERS)
        raise PoolstartError(
            f"{source} names the driver {dialect!r}, but poolstart measures {names} only", AS_WRITTEN
        )
    raise PoolstartError(
        f"{source} names the driver {dialect!r}, but {measured.name} is measured",
        f"set {drivers.DRIVER}={others[0]}, or name no driver in the URL",
    )


def _not_understood(source: str, reason: str) -> PoolstartError:
    """The error for a URL that a library does not understand, whose message may quote a password."""
    if "%00" in reason:
        return PoolstartError(f"{source} has a %00, which libpq does not accept", "remove it")
    if "percent-encoded" in reason:
        return PoolstartError(f"{source} has a % without two hexadecimal digits", "write % as %25")
    if "parameter" in reason or "option" in reason:
        return PoolstartError(
            f"{source} has a parameter that libpq does not know, or one without a value",
            "its parameters are those of https://www.postgresql.org/docs/current/libpq-connect.html",
        )
    return PoolstartError(f"{source} is not a database URL", AS_WRITTEN)


def parameters(url: str) -> dict[str, str]:
    """The parameters of a libpq URL, under libpq's names."""
    return dict(parse_dsn(url))


def render(parameters: Mapping[str, str], scheme: str = SCHEMES[0]) -> str:
    """A URL with these parameters that libpq and SQLAlchemy read in the same way.

    SQLAlchemy decodes neither the host nor, in older releases, the database, and reads `+` as a space.
    """
    left = dict(parameters)
    account = host = port = database = ""
    if "user" in left:
        account = quote(left.pop("user"), safe="")
        if "password" in left:
            account += ":" + quote(left.pop("password"), safe="")
        account += "@"
    if left.get("host") and not set(left["host"]) - PLAIN:
        host = left.pop("host")
        host = f"[{host}]" if ":" in host else host
        if left.get("port", "").isdecimal():
            port = ":" + left.pop("port")
    if not set(left.get("dbname", "")) - PLAIN:
        database = left.pop("dbname", "")
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in left.items())
    return f"{scheme}://{account}{host}{port}/{database}{query and f'?{query}'}"


SHOWN = ("host", "hostaddr", "port", "dbname")
"""Parameters that a message may show."""

SECRET = {"password", "sslpassword", "options"}
"""Parameters whose value no message may show, quoted or not."""

QUOTED = re.compile(
    r"""(["'\u00bb\u201e\u201c])([^"'\u00bb\u00ab\u201e\u201c\u201d]+)(["'\u00ab\u201c\u201d])"""
)
"""A quotation in a message, whose language the server chooses."""

PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:")
"""Characters that need no encoding in any part of a URL."""


def resolved(connection: "psycopg2.extensions.connection", url: str) -> str:
    """A URL that connects in an empty environment as `connection` did, which was made from `url`."""
    info, given = connection.info, parameters(url)
    found = {
        name: value
        for name, value in info.dsn_parameters.items()
        if name not in RESOLVED and DEFAULTS.get(name) != value
    }
    if "connect_timeout" not in given:
        # poolstart set this for the first connection.
        found.pop("connect_timeout", None)
    hosts = found.get("host", "").split(",")
    if len(hosts) > 1 or len(found.get("hostaddr", "").split(",")) > 1:
        found = _of_one_host(found, info.host or "", str(info.port))
    found["host"], found["port"] = info.host or "", str(info.port)
    if info.used_password:
        found["password"] = info.password or ""
    for name in FILES & found.keys():
        if found[name] and found[name] != "system":
            found[name] = str(Path(found[name]).absolute())
    order = ("user", "password", "host", "port", "dbname")
    ordered = {**{name: found.pop(name, "") for name in order}, **found}
    return render({name: value for name, value in ordered.items() if value})


def _of_one_host(found: dict[str, str], host: str, port: str) -> dict[str, str]:
    """The parameters, reduced to the one of several hosts that answered."""
    addresses = found.pop("hostaddr", "").split(",")
    hosts = found["host"].split(",") if found.get("host") else addresses
    ports = found["port"].split(",")
    ports = ports * len(hosts) if len(ports) == 1 else ports
    for number, pair in enumerate(zip(hosts, ports, strict=False)):
        if pair == (host, port) and number < len(addresses) and addresses[number]:
            found["hostaddr"] = addresses[number]
            break
    for name in ("target_session_attrs", "load_balance_hosts"):
        found.pop(name, None)
    return found


def forget_variables() -> None:
    """Remove libpq's variables from the environment, so that they do not affect later connections."""
    for name in [name for name in os.environ if name.startswith(VARIABLES)]:
        del os.environ[name]


def location(url: str) -> str:
    """Host, port and database, which is all that a message may show of a URL."""
    found = parameters(url)
    return f"{address(url)}/{found.get('dbname', '')}".rstrip("/")


def address(url: str) -> str:
    """Host and port, for messages."""
    found = parameters(url)
    return f"{found.get('host') or found.get('hostaddr') or 'localhost'}:{found.get('port') or 5432}"


def hide(message: str, url: str) -> str:
    """The message, with `***` in place of parts of the URL other than host, port and database."""
    found = parameters(url)
    shown = {part for name in SHOWN for part in [found.get(name, ""), *found.get(name, "").split(",")]}
    hidden = [value for name, value in found.items() if name not in SHOWN]

    def quoted(match: re.Match[str]) -> str:
        opening, text, closing = match.groups()
        secret = text not in shown and any(text in value for value in hidden)
        return f"{opening}***{closing}" if secret else match[0]

    message = QUOTED.sub(quoted, message)
    for name in SECRET & found.keys():
        if found[name] and found[name] not in shown:
            message = message.replace(found[name], "***")
    return message
