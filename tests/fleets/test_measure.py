"""Fleets are started, checked and measured; what does not fit is refused before anything starts."""

import resource
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict

import psycopg2
import pytest

from harness import drivers
from harness.fleets import measure
from harness.fleets.inside import parent
from harness.postgres import sessions
from harness.postgres.server import Server
from harness.processes import proc
from harness.processes.errors import NotApplicable, Rejected
from harness.processes.wait import wait_until
from harness.records.provenance import installed
from harness.records.session import Parts
from harness.system import memory
from harness.system.errors import PoolstartError
from harness.system.memory import MIB
from tests.support import broken_strategies


@pytest.mark.parametrize("strategy", measure.STRATEGIES)
def test_every_worker_of_a_fleet_has_its_row_and_the_tree_its_memory(server: Server, strategy: str) -> None:
    found = measure.measure(strategy, 2, 0, server)
    assert 0 < found.first[0] <= found.last[0]
    assert found.blocked[0] > 0
    assert found.cpu[0] > 0
    # That of sessions that have ended, as without a pool, is known to a tick of user and one of system time.
    assert found.server_cpu[0] > (-2 / parent.HERTZ if strategy == "nullpool" else 0)
    assert list(found.pss) == list(found.page_tables) == ["first_row", "collect"]
    assert 0 < found.page_tables["collect"][0] < found.pss["collect"][0]


@pytest.mark.parametrize("starter", ["pool", "executor"])
@pytest.mark.parametrize("strategy", measure.STARTED["pool"])
def test_a_pool_and_an_executor_start_the_same_workers(server: Server, strategy: str, starter: str) -> None:
    found = measure.measure(strategy, 3, 0, server, starter)
    assert found.starter == starter
    assert 0 < found.first[0] <= found.last[0]
    assert found.pss["collect"][0] > 0


def test_the_processor_time_of_the_server_is_that_of_all_its_processes(server: Server) -> None:
    pid = measure.main_process(server)
    assert pid
    before = parent.server_seconds(pid)
    with closing(server.connect("poolstart-busy")) as connection, connection.cursor() as cursor:
        backend = connection.info.backend_pid
        cursor.execute("select count(*) from generate_series(1, 1000000)")
        running = parent.server_seconds(pid)
    # The session has ended; what it took is not forgotten. At the moment of its end it may be counted twice.
    assert wait_until(lambda: proc.stat(backend) is None, 120)
    ended = parent.server_seconds(pid)
    assert before is not None
    assert running is not None
    assert ended is not None
    # User and system time of what has ended are each in whole ticks.
    assert before < running <= ended + 2 / parent.HERTZ
    # Of the session, while it ran.
    assert running - before > (ended - before) / 2


def test_that_of_a_server_on_another_machine_is_not_known() -> None:
    assert parent.server_seconds(0) is None


@pytest.mark.parametrize(("strategy", "most", "idle"), [("fork_dispose", 5, 5), ("nullpool", 5, 0)])
def test_four_workers_and_their_parent_hold_as_many_connections_as_the_page_says(
    server: Server, strategy: str, most: int, idle: int
) -> None:
    name, seconds = f"five-{strategy}", 1.5
    seen: list[tuple[int, int, int]] = []
    with closing(psycopg2.connect(server.url)) as connection, ThreadPoolExecutor() as executor:
        connection.autocommit = True
        cursor = connection.cursor()
        fleet = executor.submit(
            measure.run,
            strategy,
            server,
            workers=[4],
            steps=[["sleep", seconds]],
            # A name of their own: the server has other sessions, those that are about to end among them.
            options={"connect_args": {"application_name": name}},
        )
        while not fleet.done():
            began = time.monotonic_ns()
            cursor.execute("select count(*) from pg_stat_activity where application_name = %s", (name,))
            seen.append((began, cursor.fetchone()[0], time.monotonic_ns()))
            time.sleep(0.01)
    _, (report,) = fleet.result()
    assert max(number for _, number, _ in seen) <= most
    # Each worker sleeps so long after all have had their row, however slow the machine is.
    all_there = max(worker["first_row"] for worker in report["workers"])
    asleep = [
        number for began, number, ended in seen if all_there < began and ended < all_there + seconds * 1e9
    ]
    assert asleep[-1] == idle


def test_a_collection_copies_pages_of_each_forked_worker(server: Server) -> None:
    found = measure.measure("fork_dispose", 4, 0, server)
    assert found.pss["collect"][0] - found.pss["first_row"][0] > 4 * MIB


def test_forked_workers_that_read_the_parents_texts_copy_them(server: Server) -> None:
    found = measure.measure("fork_dispose", 2, 64, server)
    # A sixth of it is texts.
    assert found.pss["read"][0] - found.pss["collect"][0] > 2 * 64 * MIB / 10


def test_a_fleet_whose_workers_share_a_connection_is_not_measured(server: Server) -> None:
    with pytest.raises(NotApplicable, match="use one connection at the same time"):
        measure.measure("fork_nodispose", 2, 0, server)


def test_a_fleet_that_closes_the_parents_connection_is_rejected(server: Server) -> None:
    with pytest.raises(Rejected, match=r"the parent's connection does not answer|the parent failed"):
        measure.measure(broken_strategies.path("CLOSES"), 2, 0, server)


def test_fleets_grow_to_the_largest_that_is_asked_for() -> None:
    assert measure.sizes() == measure.SIZES
    assert (measure.sizes(3), measure.sizes(100)) == ((1, 2, 3), (*measure.SIZES, 100))


@pytest.mark.parametrize(
    ("workers", "free_mib", "reason"),
    [
        (5000, float("inf"), "5000 workers and their parent need 5001 connections, and the server has 2000"),
        (1000, float("inf"), "1000 workers needs 7112 file descriptors, and may have 1024"),
        (120, float("inf"), "120 workers needs 136 processes of this user, and may have 130"),
        (64, 4096.0, r"64 workers may need 6\.9 GiB, and 4\.0 GiB are free; measure smaller .* --workers"),
    ],
)
def test_more_workers_than_there_is_room_for_are_refused_before_any_is_started(
    server: Server, monkeypatch: pytest.MonkeyPatch, workers: int, free_mib: float, reason: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(memory, "available", lambda: free_mib * MIB)
        patch.setattr(sessions, "free", lambda server: 2000)
        limits = {resource.RLIMIT_NOFILE: 1024, resource.RLIMIT_NPROC: 130}
        patch.setattr(resource, "getrlimit", lambda which: (limits[which], 4096))
        with pytest.raises(PoolstartError, match=reason):
            measure.require_room(server, workers, 0)


def test_a_measurement_that_was_interrupted_continues(server: Server) -> None:
    done = measure.measure("fork_dispose", 1, 0, server)
    parts = Parts()
    parts.add("0 fork_dispose 0 1", asdict(done))
    steps: list[str] = []
    table = measure.measure_all(
        server,
        names=["fork_dispose"],
        sizes=(1, 2),
        dataframes=(0,),
        starters={"pool": ["fork_dispose"]},
        parents=1,
        parts=parts,
        progress=steps.append,
    )
    assert steps == [
        "parent 1 of 1, fork_dispose, 2 workers, no DataFrame",
        "parent 1 of 1, fork_dispose, pool, 1 workers, no DataFrame",
        "parent 1 of 1, fork_dispose, pool, 2 workers, no DataFrame",
        "round trips, fork_dispose",
    ]
    assert table.round_trips["fork_dispose"] > 2
    assert table.of("fork_dispose", 0)[0] == done
    assert [cell.workers for cell in table.of("fork_dispose", 0, "pool")] == [1, 2]


@pytest.mark.skipif(
    not (installed("asyncpg") and installed("greenlet")), reason="asyncpg or greenlet is not installed"
)
@pytest.mark.parametrize("strategy", ["fork_dispose", "spawn"])
def test_a_fleet_with_an_asynchronous_driver_is_measured(server: Server, strategy: str) -> None:
    _, (report,) = measure.run(
        strategy, server, workers=(2,), driver=drivers.ASYNCPG, steps=["collect", ["query", 3]]
    )
    assert [len(ends) for ends in report["answers"][0]] == [3, 3]
    assert report["memory"]["collect"]["pss"] > 0
