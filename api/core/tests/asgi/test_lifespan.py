"""What starts and ends with a process."""

import asyncio
from contextlib import asynccontextmanager

from core.asgi.lifespan import Lifespan


def part(name, events, *, fails_at=""):
    @asynccontextmanager
    async def running():
        events.append(f"start {name}")
        if fails_at == "start":
            raise RuntimeError(f"{name} can't start")
        yield
        events.append(f"end {name}")
        if fails_at == "end":
            raise RuntimeError(f"{name} can't end")

    return running


def live(*parts):
    """Run a life from start to end and return what the server was told."""

    async def life():
        told = []
        received = iter(["lifespan.startup", "lifespan.shutdown"])

        async def receive():
            return {"type": next(received)}

        async def send(message):
            told.append(message)

        await Lifespan(parts)({"type": "lifespan", "state": {}}, receive, send)
        return [message["type"].removeprefix("lifespan.") for message in told]

    return asyncio.run(life())


def test_parts_start_in_order_and_end_in_the_opposite_order():
    events: list[str] = []

    told = live(part("feed", events), part("batcher", events))

    assert events == ["start feed", "start batcher", "end batcher", "end feed"]
    assert told == ["startup.complete", "shutdown.complete"]


def test_a_part_that_cannot_start_ends_those_before_it_and_the_server():
    events: list[str] = []

    told = live(part("feed", events), part("batcher", events, fails_at="start"), part("usage", events))

    assert events == ["start feed", "start batcher", "end feed"]
    assert told == ["startup.failed"]


def test_a_part_that_cannot_end_keeps_no_other_from_it():
    events: list[str] = []

    told = live(part("feed", events), part("batcher", events, fails_at="end"))

    assert events == ["start feed", "start batcher", "end batcher", "end feed"]
    assert told == ["startup.complete", "shutdown.complete"]
