"""Trials of connections that a forked worker inherits."""

from harness.poolers.inside.client import StepFailed
from harness.poolers.inside.world import WORKS, World, key, wait_for


def inherited_and_used(world: World) -> str:
    return used_beside(world, "keep")


def inherited_and_dropped(world: World) -> str:
    return used_beside(world, "dispose_without_closing")


def used_beside(world: World, treatment: str) -> str:
    """The worker queries, and returns its connection, while a transaction of the parent is open."""
    parent, token = world.client(), key()
    parent.transaction("select 1")
    parent.fork(treatment)
    parent.check_out()
    ((backend,),) = parent.execute(f"insert into app.kept values ({token})", "select pg_backend_pid()")
    outcome = ""
    try:
        parent.in_worker("check_out")
        parent.in_worker("execute", "select 1")
        parent.in_worker("check_in")
    except StepFailed as failed:
        outcome = f"the worker fails ({failed})"
    try:
        parent.commit()
        lost = committed(world, token, backend)
    except StepFailed as failed:
        lost = f"the parent fails ({failed})"
    return " and ".join(filter(None, [outcome, lost])) or WORKS


def committed(world: World, token: int, backend: int) -> str:
    """What is wrong with a backend's transaction whose commit has returned; empty if its row is there.

    The parent may have read the answer to another statement, so that its commit is not done yet.
    """
    kept = f"select 1 from app.kept where token = {token}"
    open_ = f"select 1 from pg_stat_activity where pid = {backend} and state <> 'idle'"
    try:
        wait_for(lambda: world.on_server(kept) or not world.on_server(open_))
    except TimeoutError:
        return "the parent's commit returns, and its transaction stays open"
    return "" if world.on_server(kept) else "the parent's commit succeeds, and its row is lost"


def inherited_and_closed(world: World) -> str:
    """The worker closes what it inherited, and fetches a row over a connection of its own."""
    parent = world.client()
    parent.transaction("select 1")
    try:
        parent.fork("dispose")
        parent.in_worker("transaction", "select 1")
    except StepFailed as failed:
        return f"the worker fails ({failed})"
    try:
        parent.transaction("select 1")
    except StepFailed as failed:
        return f"the parent's next query fails ({failed})"
    return WORKS


def orphan(world: World) -> str:
    """The parent is killed, and its worker lives on with a copy of its connection."""
    return outlived(world, close=False)


def orphan_of_closed(world: World) -> str:
    return outlived(world, close=True)


def outlived(world: World, *, close: bool) -> str:
    parent, other = world.client(), world.client()
    parent.transaction("select 1")
    if close:
        parent.dispose()
    parent.fork("keep")
    parent.kill()
    try:
        other.transaction("select 1")
    except StepFailed:
        # PgBouncer ends a client that has waited for a session.
        return "the next client waits for its session"
    return WORKS
