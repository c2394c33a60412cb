"""The official SDKs, unmodified, behind one face."""

import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from flagsmith import Flagsmith

Traits = Mapping[str, str | int | float | bool]
Flags = dict[str, tuple[bool, Any]]  # by feature name: whether it is on, and its value

_NODE_PROGRAM = Path(__file__).with_name("node_client.mjs")


@dataclass(frozen=True)
class Connection:
    """How an SDK is set up: which server and key, and whether it evaluates by itself."""

    url: str
    key: str
    local: bool = False


class Client(Protocol):
    def environment_flags(self, connection: Connection) -> Flags: ...

    def identity_flags(
        self, connection: Connection, identities: Sequence[tuple[str, Traits]]
    ) -> list[Flags]: ...

    def report_evaluations(self, connection: Connection, feature: str, count: int) -> None:
        """Read `feature` so many times and have the SDK's analytics sent."""


class PythonClient:
    """`flagsmith` from PyPI."""

    def environment_flags(self, connection: Connection) -> Flags:
        with self._sdk(connection) as sdk:
            return _flags(sdk.get_environment_flags())

    def identity_flags(self, connection: Connection, identities: Sequence[tuple[str, Traits]]) -> list[Flags]:
        with self._sdk(connection) as sdk:
            return [
                _flags(sdk.get_identity_flags(identifier, dict(traits))) for identifier, traits in identities
            ]

    def report_evaluations(self, connection: Connection, feature: str, count: int) -> None:
        with self._sdk(connection, enable_analytics=True) as sdk:
            flags = sdk.get_environment_flags()
            for _ in range(count):
                flags.is_feature_enabled(feature)
            sdk._analytics_processor.flush()

    @contextmanager
    def _sdk(self, connection: Connection, **options: Any) -> Iterator[Any]:
        sdk = Flagsmith(
            api_url=connection.url,
            environment_key=connection.key,
            enable_local_evaluation=connection.local,
            environment_refresh_interval_seconds=3600,
            **options,
        )
        try:
            yield sdk
        finally:
            if connection.local:  # its thread would keep the interpreter from ending for an hour
                sdk.environment_data_polling_manager_thread.stop()


def _flags(flags: Any) -> Flags:
    return {flag.feature_name: (flag.enabled, flag.value) for flag in flags.all_flags()}


@dataclass(frozen=True)
class NodeClient:
    """`flagsmith-nodejs` from npm, installed in `packages`."""

    node: str
    packages: Path

    def environment_flags(self, connection: Connection) -> Flags:
        return self._run(connection, {"environment": True})[0]

    def identity_flags(self, connection: Connection, identities: Sequence[tuple[str, Traits]]) -> list[Flags]:
        return self._run(connection, {"identities": identities})

    def report_evaluations(self, connection: Connection, feature: str, count: int) -> None:
        self._run(connection, {"report": feature, "count": count})

    def _run(self, connection: Connection, task: Mapping[str, Any]) -> list[Flags]:
        finished = subprocess.run(
            [self.node, str(_NODE_PROGRAM), str(self.packages)],
            input=json.dumps(
                {"url": connection.url, "key": connection.key, "local": connection.local, **task}
            ),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr
        return [_pairs(flags) for flags in json.loads(finished.stdout)]


def _pairs(flags: Iterable[Sequence[Any]]) -> Flags:
    return {name: (enabled, value) for name, enabled, value in flags}
