"""What every request passes: whose headers count, how large a body may be, which door answers."""

from contextlib import ExitStack

import pytest

from core.asgi.bodies import BodyReader
from core.asgi.front import Front, TrustedPeers
from core.asgi.lifespan import Lifespan
from core.asgi.protocol import WHOLE_ANSWER, head_of, lines_of
from core.asgi.responses import Refused, send_json
from core.tests.asgi.servers import served
from core.tests.asgi.wire import chunked, connected, request

LIMIT = 1000
PROXIES = ["127.0.0.0/8", "10.0.0.0/8", "::1"]


async def lane(asked) -> bool:
    """Answer what begins with /lane/, with the headers that it sees."""
    path = asked.scope["path"]
    if path == "/declined":
        return await asked.body() is None
    if not path.startswith("/lane/"):
        return False
    if path == "/lane/refused":
        raise Refused(403, "Not with this key.")
    if path == "/lane/whole":
        lines = [(b"content-length", b"2")]
        return asked.scope["extensions"][WHOLE_ANSWER](200, head_of(200, lines_of(lines)), b"ok")
    seen = {name.decode(): value.decode() for name, value in asked.headers.items()}
    body = await asked.body() if path == "/lane/body" else b""
    await send_json(asked.send, 200, {"door": "lane", "headers": seen, "body": body.decode("latin-1")})
    return True


async def django(scope, body, send) -> None:
    seen = [[name.decode(), value.decode("latin-1")] for name, value in scope["headers"]]
    await send_json(send, 200, {"door": "django", "headers": seen, "body": body.decode("latin-1")})


def front_of(django_door, trusted_proxies=PROXIES) -> Front:
    return Front(
        lifespan=Lifespan(),
        lane=lane,
        django=django_door,
        bodies=BodyReader(lambda path: LIMIT * 10 if path.startswith("/import/") else LIMIT),
        trusted_proxies=trusted_proxies,
        forwarded_headers=[b"front-tls"],
    )


@pytest.fixture(scope="module")
def serve():
    """Return a function that asks a front: `serve(data, trusted_proxies=["*"])`."""
    addresses = {}
    with ExitStack() as servers:

        def ask(data, trusted_proxies=PROXIES):
            key = tuple(trusted_proxies)
            if key not in addresses:
                addresses[key] = servers.enter_context(served(front_of(django, trusted_proxies)))
            with connected(addresses[key]) as connection:
                return connection.ask(data)

        yield ask


@pytest.mark.parametrize(("target", "door"), [("/lane/flags", "lane"), ("/flags", "django")])
def test_the_lane_is_asked_first(serve, target, door):
    assert serve(request(target=target)).json()["door"] == door


def test_the_lane_may_refuse(serve):
    answer = serve(request(target="/lane/refused"))

    assert (answer.status, answer.json()) == (403, {"detail": "Not with this key."})


@pytest.mark.parametrize("target", ["/lane/flags", "/lane/whole", "/lane/refused"])
def test_an_answer_says_the_id_that_the_request_brought(serve, target):
    brought = serve(request(target=target, headers=[("X-Request-ID", "from-a-proxy")]))
    unfit = serve(request(target=target, headers=[("X-Request-ID", "not fit")]))

    assert brought.header("x-request-id") == "from-a-proxy"
    assert len(unfit.header("x-request-id")) == 32


def test_a_refusal_has_an_id_and_what_is_answered_from_memory_is_not_given_one(serve):
    assert len(serve(request(target="/lane/refused")).header("x-request-id")) == 32
    assert serve(request(target="/lane/whole")).header("x-request-id") is None


@pytest.mark.parametrize(("target", "door"), [("/lane/body", "lane"), ("/declined", "django")])
def test_a_body_is_there_for_whoever_answers(serve, target, door):
    answer = serve(request("POST", target, body=b"all of it")).json()

    assert (answer["door"], answer["body"]) == (door, "all of it")


@pytest.mark.parametrize("target", ["/lane/flags", "/flags"])
@pytest.mark.parametrize(
    "name", ["X-Environment-Key", "Authorization", "Host", "X-API-Key", "x-environment-KEY", "Content-Type"]
)
def test_a_repeated_header_of_which_there_is_one_is_400(serve, target, name):
    answer = serve(request(target=target, headers=[("Host", "localhost"), (name, "same"), (name, "same")]))

    assert answer.status == 400
    assert answer.json() == {"detail": f"The header {name.lower()} is repeated."}


def test_other_headers_may_be_repeated(serve):
    answer = serve(request(headers=[("Accept", "text/html"), ("Accept", "text/plain")]))

    assert [value for name, value in answer.json()["headers"] if name == "accept"] == [
        "text/html",
        "text/plain",
    ]


@pytest.mark.parametrize("target", ["/lane/flags", "/flags"])
def test_names_with_an_underscore_reach_nobody(serve, target):
    answer = serve(
        request(target=target, headers=[("X_Environment_Key", "other"), ("X-Environment-Key", "mine")])
    )

    assert dict(answer.json()["headers"]) == {"host": "localhost", "x-environment-key": "mine"}


@pytest.mark.parametrize(
    "name",
    ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Proto", "X-Forwarded-Host", "Front-TLS"],
)
@pytest.mark.parametrize("target", ["/lane/flags", "/flags"])
@pytest.mark.parametrize(
    ("trusted", "counts"), [(PROXIES, True), (["*"], True), (["10.0.0.0/8"], False), ([], False)]
)
def test_forwarded_headers_count_from_trusted_peers_only(serve, name, target, trusted, counts):
    answer = serve(request(target=target, headers=[(name, "9.9.9.9")]), trusted)

    assert (name.lower() in dict(answer.json()["headers"])) == counts


@pytest.mark.parametrize(
    ("client", "trusted"),
    [
        (("127.0.0.1", 1), True),
        (("10.200.3.4", 1), True),
        (("::ffff:10.0.0.1", 1), True),
        (("::1", 1), True),
        (None, True),
        (("11.0.0.1", 1), False),
        (("::ffff:11.0.0.1", 1), False),
        (("2001:db8::1", 1), False),
    ],
)
def test_who_is_trusted(client, trusted):
    peers = TrustedPeers(PROXIES)

    assert [peers(client), peers(client)] == [trusted, trusted]


def test_a_network_that_is_none_is_refused():
    with pytest.raises(ValueError, match="proxy"):
        TrustedPeers(["proxy.example.org"])


CHUNKED = [("Transfer-Encoding", "chunked")]


@pytest.mark.parametrize(
    ("target", "size", "status"),
    [("/flags", LIMIT, 200), ("/flags", LIMIT + 1, 413), ("/import/", LIMIT + 1, 200)],
)
@pytest.mark.parametrize("form", ["announced", "chunked", "many chunks"])
def test_the_size_of_bodies(serve, target, size, status, form):
    body = b"x" * size
    data = {
        "announced": request("POST", target, body=body),
        "chunked": request("POST", target, CHUNKED, chunked(body)),
        "many chunks": request("POST", target, CHUNKED, chunked(*[b"x"] * size)),
    }[form]

    answer = serve(data)

    assert answer.status == status
    if status == 413:
        assert answer.json() == {"detail": f"The request body is larger than {LIMIT} bytes."}
    else:
        assert len(answer.json()["body"]) == size


def test_a_body_that_is_announced_too_large_is_refused_before_it_comes(serve):
    assert serve(request("POST", headers=[("Content-Length", "99999999999999999999")])).status in {400, 413}
    assert serve(request("POST", headers=[("Content-Length", "1000000000")])).status == 413


def test_a_client_that_goes_away_in_its_body_asks_nobody():
    asked = []

    async def counting(scope, body, send):
        asked.append(body)
        await send_json(send, 200, {})

    with served(front_of(counting)) as address:
        with connected(address) as connection:
            connection.send(request("POST", headers=[("Content-Length", "10")]) + b"x" * 9)
        with connected(address) as connection:
            connection.ask(request("POST", body=b"whole"))

    assert asked == [b"whole"]
