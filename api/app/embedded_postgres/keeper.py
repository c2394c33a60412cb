"""Runs a PostgreSQL server until nobody uses it: `keeper.py BINARIES FOLDER SOCKET_FOLDER [--temporary]`.

A process of its own, started by `app.embedded_postgres`. It writes one line to its output, `ready` or
why the server doesn't start, and then waits for the last user's lock to go.
"""

import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NoReturn

import psutil

_START_SECONDS = 60
_NOT_DURABLE = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]


def main(binaries: Path, folder: Path, socket_folder: Path, temporary: bool) -> None:
    # Opened in this order: should this process be killed, the system closes the first one first.
    keeper_lock = (folder / "keeper.lock").open("w")
    fcntl.flock(keeper_lock, fcntl.LOCK_EX)
    users_lock = (folder / "users.lock").open("w")

    server = Server(binaries, folder, socket_folder)
    try:
        server.make()
        server.start(_NOT_DURABLE if temporary else [])
        signal.signal(signal.SIGTERM, lambda *_: server.stop())
        _answer("ready")
        fcntl.flock(users_lock, fcntl.LOCK_EX)  # granted when the last user is gone
    finally:
        server.stop()
        if temporary:
            shutil.rmtree(folder, ignore_errors=True)
        keeper_lock.close()
        users_lock.close()


class Server:
    def __init__(self, binaries: Path, folder: Path, socket_folder: Path) -> None:
        self.binaries = binaries
        self.data = folder / "data"
        self.log = folder / "log"
        self.password = folder / "password"
        self.socket_folder = socket_folder
        self.owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self.prefix: list[str] = []
        self.process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """Make the data folder where there is none yet."""
        self.data.mkdir(mode=0o700, exist_ok=True)
        if self.socket_folder != self.data:
            self.socket_folder.mkdir(mode=0o700, exist_ok=True)
            if self.socket_folder.stat().st_uid not in {os.geteuid(), self.owner and self.owner.pw_uid}:
                _refuse(f"{self.socket_folder} belongs to somebody else: remove it, or set TMPDIR.")
        if self.owner:
            self._leave_root(self.owner)
        if (self.data / "PG_VERSION").exists():
            return
        # What an initdb that was cut short has left is no database yet.
        for leftover in self.data.iterdir():
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        with tempfile.NamedTemporaryFile(dir=self.data.parent) as password:
            password.write(self.password.read_bytes())
            password.flush()
            self._give(Path(password.name))
            made = self._run(
                "initdb",
                f"--pgdata={self.data}",
                f"--pwfile={password.name}",
                "--username=postgres",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                # The same order and letter case on every machine.
                "--no-locale",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--no-sync",
                "--no-instructions",
            )
        if made.returncode:
            _refuse(f"The embedded PostgreSQL couldn't make its data folder: {_last_line(made.stderr)}")

    def start(self, options: list[str]) -> None:
        self._stop_forgotten()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603
                [
                    *self.prefix,
                    str(self.binaries / "postgres"),
                    "-D",
                    str(self.data),
                    "-c",
                    "listen_addresses=",
                    "-c",
                    f"unix_socket_directories={self.socket_folder}",
                    *(argument for option in options for argument in ("-c", option)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(),
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                _refuse(
                    f"The embedded PostgreSQL doesn't start: {_last_line(self.log.read_bytes())} ({self.log})"
                )
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop the server without waiting for its clients, as a clean shutdown."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()
        if self.socket_folder != self.data:
            shutil.rmtree(self.socket_folder, ignore_errors=True)

    def _is_ready(self) -> bool:
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready"

    def _stop_forgotten(self) -> None:
        """Stop a server whose keeper was killed, and remove the note of one that is gone.

        PostgreSQL won't start while a process has the number of the one before it, whatever it is;
        in containers that is soon so.
        """
        note = self.data / "postmaster.pid"
        if not note.exists():
            return
        try:
            process = psutil.Process(int(note.read_text().split("\n", 1)[0]))
            if process.name() == "postgres" and str(self.data) in process.cmdline():
                process.send_signal(signal.SIGINT)
                process.wait(30)
        except (psutil.NoSuchProcess, ValueError):
            pass
        note.unlink(missing_ok=True)

    def _leave_root(self, owner: pwd.struct_passwd) -> None:
        """Run the server as `nobody`: PostgreSQL refuses root.

        Where a folder on the way is closed to others, as /root is, it is given the one capability that
        lets it pass; nobody's permissions outside of the data folder are changed.
        """
        for path in {self.data, self.socket_folder}:
            self._give(path)
        identity = [f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
        capability = [
            "--inh-caps=+dac_override",
            "--ambient-caps=+dac_override",
            "--securebits=+no_setuid_fixup",
        ]
        for prefix in (["setpriv", *identity], ["setpriv", *identity, *capability]):
            self.prefix = prefix
            try:
                if all(self._reaches(path) for path in (self.data, self.socket_folder, self.binaries)):
                    return
            except FileNotFoundError:
                break
        _refuse(
            f"PostgreSQL doesn't run as root, and the user {owner.pw_name} can't enter {self.data}: "
            "use an ordinary user, or set DATABASE_URL."
        )

    def _reaches(self, path: Path) -> bool:
        tried = subprocess.run(  # noqa: S603
            [*self.prefix, "test", "-x", str(path)], stderr=subprocess.DEVNULL, check=False
        )
        return tried.returncode == 0

    def _give(self, path: Path) -> None:
        if self.owner:
            os.chown(path, self.owner.pw_uid, self.owner.pw_gid)

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(  # noqa: S603
            [*self.prefix, str(self.binaries / program), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=_environment(),
            check=False,
        )


def _environment() -> dict[str, str]:
    """Return an environment in which nobody's PG* or locale variables lead the server astray."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C"}


def _last_line(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    # The server's reason stands before the line that says it is down.
    reasons = [line for line in lines if "FATAL" in line or "error" in line.lower()]
    return (reasons or lines or ["it says nothing"])[-1].strip()


def _answer(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
    # Whoever reads it soon closes its end, and this process may live longer than the terminal.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refuse(reason: str) -> NoReturn:
    _answer(reason)
    sys.exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), temporary="--temporary" in sys.argv)
