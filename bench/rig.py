"""What cases share: the world in the database, and the two servers, started when first asked for."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from bench import servers, wrk
from bench.servers import Server
from bench.world import World
from bench.wrk import Load, Report


@dataclass
class Rig:
    """One run.

    Attributes:
        environment: what configures Burgee.
        folder: for what servers write; gone at the end.
        logs: what servers say, to be read after a case has failed.
        rounds, seconds: how often and for how long each of the two servers is driven in a case.
        requests_answered: by Burgee so far, while driven by wrk.
    """

    wrk: str
    environment: Mapping[str, str]
    folder: Path
    logs: Path
    rounds: int
    seconds: float
    world: World = field(default_factory=World)
    requests_answered: int = 0
    _running: ExitStack = field(default_factory=ExitStack)
    _runs: int = 0

    @cached_property
    def burgee(self) -> Server:
        key = self.world.hundred.key
        log = self.logs / "burgee.log"
        return self._running.enter_context(servers.burgee(self.environment, key=key, log=log))

    @cached_property
    def bare(self) -> Server:
        return self._running.enter_context(servers.bare(log=self.logs / "bare.log"))

    def drive(self, server: Server, load: Load, *, path: str = "", seconds: float | None = None) -> Report:
        """Put a load on a server. No two calls send the same where a script makes the requests.

        Raises:
            CaseFailed: not all went well.
        """
        self._runs += 1
        seconds = seconds or self.seconds
        report = wrk.run(self.wrk, server.url, load, seconds=seconds, path=path, seed=self._runs)
        if server is self.burgee:
            self.requests_answered += report.requests
        return report

    @contextmanager
    def under_load(self, server: Server, load: Load) -> Iterator[list[Report]]:
        """Keep a load on a server inside the block; its report is in the list given when the block has ended.

        Raises:
            CaseFailed: not all of it went well.
        """
        self._runs += 1
        reports: list[Report] = []
        running = wrk.Running(self.wrk, server.url, load, seed=self._runs)
        try:
            yield reports
        except BaseException:
            running.abandon()
            raise
        reports.append(running.stop())

    def stop(self) -> None:
        self._running.close()
