"""An unpacked Elasticsearch home run as a private server, for the demo and the tests.

Loopback only, no security, its data in a folder of ours. As root it runs as another user, because
the server refuses root.
"""

from __future__ import annotations

import http.client
import os
import pwd
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from kernel.errors import DomainError

USER = "comptoir-es"
READY_WITHIN_S = 120.0

_SETTINGS = """\
cluster.name: comptoir-{port}
discovery.type: single-node
http.host: 127.0.0.1
http.port: {port}
transport.host: 127.0.0.1
transport.port: {transport_port}
path.data: {folder}/data
path.logs: {folder}/logs
xpack.security.enabled: false
cluster.routing.allocation.disk.threshold_enabled: false
node.store.allow_mmap: false
"""


@dataclass(frozen=True)
class Server:
    """A running server; `stop` ends it."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def wait(self, within_s: float = READY_WITHIN_S) -> None:
        """Return when it answers; DomainError when it ended or took too long."""
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise self._failed(f"it ended with {self.process.returncode}")
            if _healthy(self.url):
                return
            time.sleep(0.2)
        self.stop()
        raise self._failed(f"it was not ready after {within_s:.0f} s")

    def stop(self, within_s: float = 20.0) -> None:
        """Ask it to end, then make it."""
        self.process.terminate()
        try:
            self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _failed(self, reason: str) -> DomainError:
        tail = self.log.read_text("utf-8", "replace")[-600:] if self.log.exists() else ""
        return DomainError(
            "embedded_elasticsearch",
            f"Elasticsearch did not start: {reason}",
            hint=f"Read {self.log}, which ends with: {tail}",
            status=500,
        )


def start(home: Path, folder: Path, port: int) -> Server:
    """Start the server of a home with its data in `folder`; `wait` tells when it is ready."""
    if not (home / "bin" / "elasticsearch").exists():
        raise DomainError(
            "embedded_elasticsearch",
            f"{home} is no Elasticsearch home: bin/elasticsearch is missing",
        )
    for name in ("config", "data", "logs", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name in ("jvm.options", "log4j2.properties"):
        shutil.copyfile(home / "config" / name, folder / "config" / name)
    settings = _SETTINGS.format(port=port, transport_port=free_port(), folder=folder)
    (folder / "config" / "elasticsearch.yml").write_text(settings, "utf-8")
    log = folder / "logs" / "start.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [*_as_other_user(folder), str(home / "bin" / "elasticsearch")],
            env=_environment(folder),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    return Server(process, f"http://127.0.0.1:{port}", log)


def free_port() -> int:
    """A port of the loopback that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment(folder: Path) -> dict[str, str]:
    java = shutil.which("java")
    if java is None and "ES_JAVA_HOME" not in os.environ:
        raise DomainError(
            "embedded_elasticsearch",
            "Elasticsearch needs Java 17 or newer, and no `java` is on the path.",
            hint="Install a Java runtime, or set ES_JAVA_HOME.",
        )
    home = str(Path(java).resolve().parents[1]) if java else ""
    return {
        "PATH": os.environ.get("PATH", ""),
        "ES_JAVA_HOME": os.environ.get("ES_JAVA_HOME", home),
        "ES_PATH_CONF": str(folder / "config"),
        "ES_TMPDIR": str(folder / "tmp"),
        "ES_JAVA_OPTS": os.environ.get("ES_JAVA_OPTS", "-Xms512m -Xmx512m"),
        # The launcher, too, keeps to our folder: the system's own may be closed to that user.
        "CLI_JAVA_OPTS": f"-Djava.io.tmpdir={folder / 'tmp'}",
        "HOME": str(folder / "tmp"),
    }


def _as_other_user(folder: Path) -> list[str]:
    """Nothing for a plain user; for root, the words that change to a user of its own."""
    if os.geteuid() != 0:
        return []
    try:
        user = pwd.getpwnam(USER)
    except KeyError:
        subprocess.run(["useradd", "-r", "-M", "-s", "/usr/sbin/nologin", USER], check=True)
        user = pwd.getpwnam(USER)
    _require_way_in(folder)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


def _require_way_in(folder: Path) -> None:
    """The other user must be able to walk down to the folder, and to meet its parts in /tmp."""
    if not Path("/tmp").stat().st_mode & 0o002:  # noqa: S108 - the Java runtime knows no other
        raise DomainError(
            "embedded_elasticsearch",
            f"Elasticsearch does not run as root, and the user {USER} cannot write to /tmp.",
            hint="Java needs that. Give /tmp its usual mode (1777), or do not run as root.",
        )
    for parent in folder.absolute().parents:
        if not parent.stat().st_mode & 0o001:
            raise DomainError(
                "embedded_elasticsearch",
                f"Elasticsearch does not run as root, and the user {USER} cannot enter {parent}.",
                hint="Set COMPTOIR_DATA to a folder that others may enter, or do not run as root.",
            )


def _healthy(url: str) -> bool:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=2)
    try:
        connection.request("GET", "/_cluster/health?wait_for_status=yellow&timeout=1s")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
