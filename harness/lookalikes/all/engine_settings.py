"""The worker's engine is made from the URL, and lacks what else the parent's engine has."""

from harness.fixes import MAKE_ENGINE
from harness.lookalikes.lookalike import Lookalike

LOOKALIKE = Lookalike(
    id="engine_settings",
    title="An engine made from the URL alone: another schema, another role",
    heading="The worker reads another schema or rows of another tenant: create_engine(url) loses settings",
    look_at=(
        "it happens in workers that make their engine from a URL, and `select current_user,"
        " current_schemas(true)` differs between parent and worker"
    ),
    description=(
        "An engine is more than its URL: connect_args (search_path, time zone, TLS files), listeners of"
        " connect and checkout (SET ROLE, row-level security), execution options (isolation level,"
        " schema_translate_map), the pool's settings and class. create_engine(url) in a spawned or"
        " fork-served worker has none of them. There is no error, or one about a relation or a privilege; a"
        " policy of row-level security that depends on the role is bypassed. Values that the parent sets in"
        " main(), or by os.environ after the fork server has started, are missing as well."
    ),
    avoidance=(
        "Write one function that makes the engine, with all that belongs to it, in a module that parent and"
        " worker import, and call it in both. Pass it what is known only at run time. A forked worker that"
        " keeps the engine, with dispose(close=False), keeps its settings."
    ),
    fixes=(MAKE_ENGINE,),
    first=(
        "new row violates row-level security policy",
        "schema_translate_map",
    ),
    also=(),
    words=(
        "search_path", "schema", "another schema", "wrong schema", "SET ROLE", "row-level security", "RLS",
        "tenant", "connect_args", "current_user", "time zone", "isolation level", "event listener",
        "settings", "hand over URL", "environment variable", "spawn",
    ),
    links=(
        "https://docs.sqlalchemy.org/en/20/core/engines.html#custom-dbapi-connect-arguments-on-connect-routines",
        "https://github.com/skypilot-org/skypilot/pull/10611",
    ),
)  # fmt: skip
