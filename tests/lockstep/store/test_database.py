"""Transactions, and what a database does when it cannot."""

from __future__ import annotations

import concurrent.futures
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from lockstep import errors
from lockstep.store import tables
from lockstep.store.database import Database, after_commit, now, open_database
from tests.support import postgres

HOOK = insert(tables.hooks)


def hooks(database: Database) -> list[str]:
    """What is stored, to see what was written."""
    with database.read() as connection:
        return sorted(connection.execute(select(tables.hooks.c.hook)).scalars())


def write(database: Database, name: str) -> None:
    """Store one row."""
    with database.write() as connection:
        connection.execute(HOOK.values(hook=name))


def test_a_transaction_is_written_whole_or_not_at_all(database: Database) -> None:
    """An error on the way takes back what was written before it."""

    def half() -> None:
        with database.write() as connection:
            connection.execute(HOOK.values(hook="a"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert hooks(database) == []


def test_a_reader_sees_one_moment(database: Database) -> None:
    """What others commit meanwhile is not seen, so that two statements of one page agree."""
    with database.read() as connection:
        before = connection.execute(select(tables.hooks.c.hook)).all()
        write(database, "a")
        assert connection.execute(select(tables.hooks.c.hook)).all() == before
    assert hooks(database) == ["a"]


def test_a_reader_cannot_write(database: Database) -> None:
    """A write where only reading was meant is refused by the database itself, and the next writer may."""
    with pytest.raises(errors.ForbiddenError), database.read() as connection:
        connection.execute(HOOK.values(hook="a"))
    write(database, "b")
    assert hooks(database) == ["b"]


def test_the_same_key_twice_is_a_conflict(database: Database) -> None:
    """Somebody was faster: the same call may find another way the second time."""
    write(database, "a")
    with pytest.raises(errors.ConflictError):
        write(database, "a")


def test_a_missing_parent_row_is_a_conflict(database: Database) -> None:
    """Foreign keys are held on both databases."""
    with pytest.raises(errors.ConflictError), database.write() as connection:
        connection.execute(
            insert(tables.approvals).values(
                run=1, task=1, kind="approval", question="?", bound={}, state="pending", asked_at=now(connection)
            )
        )


def test_followers_run_after_the_commit_and_only_then(database: Database) -> None:
    """Whoever is called sees what was written; after a rollback nobody is called."""
    seen: list[list[str]] = []

    def write_and_follow(name: str, *, broken: bool) -> None:
        with database.write() as connection:
            connection.execute(HOOK.values(hook=name))
            after_commit(connection, lambda: seen.append(hooks(database)))
            if broken:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_follow("a", broken=True)
    write_and_follow("b", broken=False)
    assert seen == [["b"]]


def test_threads_write_one_after_another(database: Database) -> None:
    """Many threads that read and then write lose no update to each other."""
    with database.write() as connection:
        connection.execute(HOOK.values(hook="a", accepted=0))

    def count(_: int) -> None:
        with database.write() as connection:
            row = select(tables.hooks.c.accepted).where(tables.hooks.c.hook == "a").with_for_update()
            accepted = connection.execute(row).scalar_one()
            connection.execute(tables.hooks.update().values(accepted=accepted + 1))

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(200)))
    with database.read() as connection:
        assert connection.execute(select(tables.hooks.c.accepted)).scalar_one() == 200


def test_a_transaction_inside_a_transaction_says_so_at_once(file_database: Database) -> None:
    """On SQLite the inner one would wait for the outer one for ever: it is refused instead."""
    with pytest.raises(RuntimeError), file_database.write():
        write(file_database, "a")
    write(file_database, "b")
    assert hooks(file_database) == ["b"]


def test_names_are_refused_and_prose_is_mended_alike(database: Database) -> None:
    """A NUL never becomes a difference between the two databases."""
    with pytest.raises(errors.InputError):
        write(database, "a\0b")
    with database.write() as connection:
        connection.execute(HOOK.values(hook="a", last_refusal="x\0y"))
        assert connection.execute(select(tables.hooks.c.last_refusal)).scalar_one() == "x\ufffdy"


# SQLite


def test_a_new_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    """The file, its companions and its folder are closed to others from the first moment."""
    file = tmp_path / "state" / "lockstep.db"
    database = open_database(f"sqlite:///{file}")
    with database.write() as connection:
        connection.execute(text("CREATE TABLE t (x)"))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}
    assert modes == dict.fromkeys(["lockstep.db", "lockstep.db-wal", "lockstep.db-shm"], 0o600)
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    database.close()


@pytest.mark.parametrize("name", ["a b.db", "100%.db", "what?#.db", "한국어 🚀.db", "file:x.db", "new\nline.db"])
def test_any_name_is_a_file_of_that_name(tmp_path: Path, name: str) -> None:
    """Nothing in a path is read as a part of a URL once it is a path."""
    quoted = name.replace("%", "%25").replace("?", "%3F")
    database = open_database(f"sqlite:///{tmp_path}/{quoted}")
    database.close()
    assert (tmp_path / name).exists()


def test_durability_is_not_left_to_defaults(file_database: Database) -> None:
    """Every connection writes a log ahead, and a commit reaches the disk before it is answered."""
    with file_database.read() as connection:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        values = {pragma: connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() for pragma in pragmas}
    assert values == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30000}


@pytest.mark.parametrize("path", ["/proc/none/x.db", "/proc/version/x.db", "/", "/a\0b", "/" + "x" * 300])
def test_a_place_that_cannot_hold_a_file_is_named(path: str) -> None:
    """Wherever the file cannot be, the error says which and why, before anything else starts."""
    with pytest.raises(errors.InputError, match=r"cannot be opened for writing: .+\. Name a file"):
        open_database(f"sqlite:///{path}")


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    """Somebody else's file is neither used nor changed."""
    file = tmp_path / "notes.txt"
    file.write_bytes(b"these are my notes\n" * 500)
    with pytest.raises(errors.IntegrityError, match=r"notes\.txt"):
        open_database(f"sqlite:///{file}")
    assert file.read_bytes() == b"these are my notes\n" * 500


def test_a_full_disk_is_said_and_takes_nothing_along(file_database: Database) -> None:
    """What does not fit is refused whole; what was there stays, and writing goes on once there is room."""
    write(file_database, "kept")

    def overflow() -> None:
        with file_database.write() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count=1")
            connection.execute(HOOK.values(hook="x", last_refusal="x" * 2**20))

    with pytest.raises(errors.TemporaryError, match="is full"):
        overflow()
    file_database.close()
    write(file_database, "later")
    assert hooks(file_database) == ["kept", "later"]


def test_a_second_process_waits_for_its_turn(file_database: Database) -> None:
    """Two processes on one file write one after another; none is told that the file is locked."""
    script = (
        "import sys; from lockstep.store import database; from sqlalchemy import text\n"
        "store = database.open_database(sys.argv[1])\n"
        "print('ready', flush=True)\n"
        "for _ in range(50):\n"
        "    with store.write() as connection:\n"
        "        connection.execute(text('UPDATE hooks SET accepted = accepted + 1'))\n"
    )
    write(file_database, "a")
    url = f"sqlite:///{file_database.address}"
    workers = [subprocess.Popen([sys.executable, "-c", script, url], stdout=subprocess.PIPE) for _ in range(3)]
    for worker in workers:
        assert worker.stdout is not None
        worker.stdout.readline()
    assert [worker.communicate()[0] is not None and worker.returncode for worker in workers] == [0, 0, 0]
    with file_database.read() as connection:
        assert connection.execute(select(tables.hooks.c.accepted)).scalar_one() == 150


# PostgreSQL


@pytest.mark.needs("postgres")
def test_a_connection_that_was_cut_is_replaced(postgres_shared: str, postgres_server: str) -> None:
    """A server that restarted, or an administrator, ends connections: the next transaction gets a new one."""
    database = open_database(postgres_shared)
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'shared'"

    def lose() -> None:
        with database.write() as connection:
            postgres.administer(postgres_server, cut)
            connection.execute(select(1))

    with pytest.raises(errors.UnreachableError):
        lose()
    postgres.administer(postgres_server, cut)
    with database.write() as connection:
        assert connection.execute(select(1)).scalar_one() == 1
    database.close()


@pytest.mark.needs("postgres")
def test_a_transaction_that_stands_still_is_ended_by_the_server(postgres_shared: str) -> None:
    """A frozen process does not hold its locks for ever; what it says afterwards is refused."""
    database = open_database(postgres_shared)

    def stand_still() -> None:
        with database.write() as connection:
            backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 1"))
            wait_for_end(postgres_shared, backend)
            connection.execute(select(1))

    with pytest.raises(errors.UnreachableError):
        stand_still()
    database.close()


@pytest.mark.needs("postgres")
def test_a_url_may_say_how_long_a_transaction_may_stand_still(postgres_shared: str) -> None:
    """Our bounds are defaults: what the URL says goes before them."""
    bounds = {}
    for url in (postgres_shared, f"{postgres_shared}&options=-c%20idle_in_transaction_session_timeout=7s"):
        database = open_database(url)
        with database.read() as connection:
            bounds[url] = connection.execute(text("SHOW idle_in_transaction_session_timeout")).scalar_one()
        database.close()
    assert list(bounds.values()) == ["10s", "7s"]


def wait_for_end(url: str, backend: int) -> None:
    """Wait until the server has ended a session."""
    other = open_database(url)
    there = True
    while there:
        with other.read() as connection:
            alive = text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid")
            there = bool(connection.execute(alive, {"pid": backend}).scalar_one())
    other.close()


@pytest.mark.needs("postgres")
def test_a_lock_that_is_never_given_is_reported(postgres_shared: str) -> None:
    """Waiting for another transaction has an end too."""
    database = open_database(f"{postgres_shared}&options=-c%20lock_timeout=1")
    with database.write() as first:
        first.execute(text("LOCK TABLE hooks"))
        with pytest.raises(errors.UnreachableError, match="stays locked"), database.write() as second:
            second.execute(text("LOCK TABLE hooks"))
    database.close()


@pytest.mark.needs("postgres")
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [("/shared", "/elsewhere", "elsewhere"), ("lockstep@", "stranger:hidden@", "stranger"), ("=", "=/no", "No such")],
)
def test_a_wrong_url_says_what_is_wrong(postgres_shared: str, old: str, new: str, said: str) -> None:
    """No such database, no such user, no such server: each is told apart, and no password is shown."""
    with pytest.raises(errors.UnreachableError, match=said) as raised:
        open_database(postgres_shared.replace(old, new))
    assert "hidden" not in str(raised.value)


# Neither


@pytest.mark.parametrize("url", ["", "lockstep.db", "sqlite://", "sqlite:///:memory:", "mysql://u:hidden@h/d", "://"])
def test_a_url_of_another_kind_is_refused(url: str) -> None:
    """Only the two databases that keep the promises are used; a password in the URL is not repeated."""
    with pytest.raises(errors.InputError) as raised:
        open_database(url)
    assert "hidden" not in str(raised.value)


def test_statements_in_errors_show_no_values(database: Database) -> None:
    """A mistake of ours may reach a log; what a webhook carried may not."""
    with pytest.raises(Exception, match="no_such_table") as raised, database.write() as connection:
        connection.execute(text("INSERT INTO no_such_table VALUES (:secret)"), {"secret": "hunter2"})
    assert "hunter2" not in str(raised.value)
