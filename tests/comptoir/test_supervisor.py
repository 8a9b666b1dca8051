"""Children start together, are started again when they end, and end with their parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from comptoir.listening import listen
from comptoir.supervisor import Child, Supervisor
from kernel.errors import DomainError
from tests.peers import free_port

SERVER = "import sys, http.server as h; h.test(h.SimpleHTTPRequestHandler, port=int(sys.argv[1]))"


def _server(tmp_path: Path) -> tuple[Child, str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    arguments = (sys.executable, "-c", SERVER, str(port))
    log = tmp_path / "logs" / "server.log"
    return Child("server", arguments, {}, log, (url,), working_folder=tmp_path), url


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _until(condition: object, seconds: float = 15.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.05)
    return False


def test_a_child_that_ends_is_started_again_and_all_end_in_the_end(tmp_path: Path) -> None:
    with Supervisor() as supervisor:
        child, _ = _server(tmp_path)
        supervisor.start(child)
        assert child.process is not None
        first = child.process.pid
        os.kill(first, signal.SIGKILL)
        assert _until(lambda: child.process.pid != first)  # type: ignore[union-attr]
        child.wait_ready(15)
        last = child.process.pid
    assert not _is_alive(last)


def test_who_cannot_be_renewed_goes_on_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Supervisor() as supervisor, listen("127.0.0.1", 0) as listener:
        running = Child("shop", ("sleep", "600"), {}, tmp_path / "shop.log", listener=listener)
        supervisor.start(running)
        assert running.process is not None
        before = running.process.pid
        for broken in ("raise SystemExit('no room left')", "import time; time.sleep(600)"):
            running.arguments = (sys.executable, "-c", broken)
            supervisor.renew(timeout_s=1)
            assert running.process.pid == before
            assert _is_alive(before)
        told = capsys.readouterr().err
    assert "no room left" in told
    assert told.count("The former one goes on.") == 2


def test_a_role_without_a_socket_is_ended_before_the_next_begins(tmp_path: Path) -> None:
    with Supervisor() as supervisor:
        worker = Child("worker", ("sleep", "600"), {}, tmp_path / "worker.log")
        supervisor.start(worker)
        assert worker.process is not None
        before = worker.process.pid
        supervisor.renew()
        assert not _is_alive(before)
        assert worker.process.pid != before
        assert _is_alive(worker.process.pid)


def test_a_child_that_never_serves_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    arguments = (sys.executable, "-c", "raise SystemExit('no room left')")
    child = Child("shop", arguments, {}, tmp_path / "shop.log", ("http://127.0.0.1:9/",))
    with Supervisor() as supervisor, pytest.raises(DomainError, match="no room left"):
        supervisor.start(child, timeout_s=10)


def test_a_forked_child_runs_its_target_in_its_own_environment(tmp_path: Path) -> None:
    written = tmp_path / "written"

    def target() -> None:
        written.write_text(os.environ["ROLE"])
        os.write(1, b"said\n")
        raise SystemExit(7)

    child = Child("role", ("false",), {"ROLE": "shop"}, tmp_path / "role.log", target=target)
    child.start()
    assert child.process is not None
    assert child.process.wait(10) == 7
    assert written.read_text() == "shop"
    assert "ROLE" not in os.environ
    assert child.log.read_text() == "said\n"


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's signal at a parent's death")
def test_children_do_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import sys, time
        from pathlib import Path
        from comptoir.supervisor import Child, Supervisor
        folder = Path(sys.argv[1])
        children = [
            Child("spawned", ("sleep", "600"), {}, folder / "a"),
            Child("forked", ("false",), {}, folder / "b", target=lambda: time.sleep(600)),
        ]
        for child in children:
            child.start()
        print(*(child.process.pid for child in children), flush=True)
        time.sleep(600)
        """
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert all(_is_alive(pid) for pid in pids)
    time.sleep(0.5)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert _until(lambda: not any(_is_alive(pid) for pid in pids))


def test_signals_that_interrupt_each_other_end_the_wait() -> None:
    script = """
        import os, signal, time
        from comptoir.supervisor import Supervisor

        waiting = os.getpid()
        signal.signal(signal.SIGTERM, lambda *_: None)
        sender = os.fork()
        while not sender and os.getppid() == waiting:
            os.kill(waiting, signal.SIGTERM)
            time.sleep(0.00001)
        for _ in range(200 if sender else 0):
            with Supervisor() as supervisor:
                supervisor.wait()
        if sender:
            os.kill(sender, signal.SIGKILL)
            os.waitpid(sender, 0)
        """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    assert subprocess.run(command, check=False, timeout=120).returncode == 0
