"""An unpacked Elasticsearch home run as a private server or cluster, for the demo and the tests.

Loopback only, without security unless asked for, its data in a folder of ours. As root it runs as
another user, because the server refuses root.
"""

from __future__ import annotations

import http.client
import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kernel.errors import DomainError

USER = "comptoir-es"
READY_WITHIN_S = 240.0
HEAP_MB = 512

_SINGLE = {"discovery.type": "single-node"}
_SETTINGS = {
    "http.host": "127.0.0.1",
    "transport.host": "127.0.0.1",
    "xpack.security.enabled": "false",
    "cluster.routing.allocation.disk.threshold_enabled": "false",
}


@dataclass(frozen=True)
class Server:
    """A running server; `stop` ends it."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def wait(self, within_s: float = READY_WITHIN_S, condition: str = "") -> None:
        """Return when it answers; DomainError when it ended or took too long."""
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise self._failed(f"it ended with {self.process.returncode}")
            if _healthy(self.url, condition):
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
            self.kill()

    def kill(self) -> None:
        """End it as a power cut would: the server and its launcher, without a word."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _failed(self, reason: str) -> DomainError:
        tail = self.log.read_text("utf-8", "replace")[-600:] if self.log.exists() else ""
        return DomainError(
            "embedded_elasticsearch",
            f"Elasticsearch did not start: {reason}",
            hint=f"Read {self.log}, which ends with: {tail}",
            status=500,
        )


@dataclass(frozen=True)
class Cluster:
    """Nodes of one cluster; the first of them alone would do as an address."""

    nodes: tuple[Server, ...]

    @property
    def url(self) -> str:
        """Every node, as ELASTICSEARCH_URL takes them."""
        return ",".join(node.url for node in self.nodes)

    def wait(self, within_s: float = READY_WITHIN_S) -> None:
        """Return when every node has joined."""
        until = time.monotonic() + within_s
        joined = f"&wait_for_nodes={len(self.nodes)}"
        for node in self.nodes:
            node.wait(max(until - time.monotonic(), 1.0), joined)

    def stop(self) -> None:
        """Ask every node to end at once, then make sure of it."""
        for node in self.nodes:
            node.process.terminate()
        for node in self.nodes:
            node.stop()


def start(
    home: Path,
    folder: Path,
    port: int,
    *,
    settings: Mapping[str, str] = _SINGLE,
    secrets: Mapping[str, str] | None = None,
    heap_mb: int = HEAP_MB,
) -> Server:
    """Start the server of a home with its data in `folder`; `wait` tells when it is ready.

    `settings` are added to elasticsearch.yml, `secrets` to the server's keystore.
    """
    if not (home / "bin" / "elasticsearch").exists():
        raise DomainError(
            "embedded_elasticsearch",
            f"{home} is no Elasticsearch home: bin/elasticsearch is missing",
        )
    for name in ("config", "data", "logs", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name in ("jvm.options", "log4j2.properties"):
        shutil.copyfile(home / "config" / name, folder / "config" / name)
    (folder / "config" / "elasticsearch.yml").write_text(_yaml(folder, port, settings), "utf-8")
    environment = _environment(folder, heap_mb)
    user = _as_other_user(folder)
    for name, value in (secrets or {}).items():
        _keep_secret(home, user, environment, name, value)
    log = folder / "logs" / "start.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [*user, str(home / "bin" / "elasticsearch")],
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            # A group of its own: launcher and server can be ended together.
            process_group=0,
        )
    scheme = "https" if settings.get("xpack.security.http.ssl.enabled") == "true" else "http"
    return Server(process, f"{scheme}://127.0.0.1:{port}", log)


def start_cluster(home: Path, folder: Path, count: int, *, heap_mb: int = HEAP_MB) -> Cluster:
    """Start `count` nodes of one cluster, each in a folder and on ports of its own."""
    transport = [free_port() for _ in range(count)]
    names = [f"node-{number}" for number in range(count)]
    together = {
        "cluster.name": f"comptoir-{transport[0]}",
        "discovery.seed_hosts": ",".join(f"127.0.0.1:{port}" for port in transport),
        "cluster.initial_master_nodes": ",".join(names),
    }
    nodes: list[Server] = []
    try:
        for name, port in zip(names, transport, strict=True):
            own = {"node.name": name, "transport.port": str(port)}
            where = folder / name
            settings = {**together, **own}
            nodes.append(start(home, where, free_port(), settings=settings, heap_mb=heap_mb))
    except BaseException:
        Cluster(tuple(nodes)).stop()
        raise
    return Cluster(tuple(nodes))


def _yaml(folder: Path, port: int, settings: Mapping[str, str]) -> str:
    every = {
        "cluster.name": f"comptoir-{port}",
        "http.port": str(port),
        "path.data": str(folder / "data"),
        "path.logs": str(folder / "logs"),
        **_SETTINGS,
        **settings,
    }
    every.setdefault("transport.port", str(free_port()))
    return "".join(f"{name}: {value}\n" for name, value in every.items())


def _keep_secret(
    home: Path, user: list[str], environment: dict[str, str], name: str, value: str
) -> None:
    tool = {"CLI_NAME": "keystore", "CLI_LIBS": "lib/tools/keystore-cli"}
    subprocess.run(
        [*user, str(home / "bin" / "elasticsearch-cli"), "add", "-x", "-f", name],
        env={**environment, **tool},
        input=value.encode(),
        capture_output=True,
        check=True,
    )


def free_port() -> int:
    """A port of the loopback that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment(folder: Path, heap_mb: int) -> dict[str, str]:
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
        "ES_JAVA_OPTS": os.environ.get("ES_JAVA_OPTS", f"-Xms{heap_mb}m -Xmx{heap_mb}m"),
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


def _healthy(url: str, condition: str) -> bool:
    """Whether it answers as wished for; a server that asks who we are is up."""
    scheme, _, host = url.partition("://")
    if scheme == "https":
        # Nothing is sent, so nobody need be trusted: only whether it answers is asked.
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, timeout=3, context=trusting
        )
    else:
        connection = http.client.HTTPConnection(host, timeout=3)
    try:
        connection.request("GET", f"/_cluster/health?wait_for_status=yellow&timeout=1s{condition}")
        return connection.getresponse().status in {200, 401}
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
