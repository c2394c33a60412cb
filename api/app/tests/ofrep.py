"""What OpenFeature's providers ask, good and bad."""

import json
from typing import Any

from app.tests.doors import Exchange

FLAGS = "/ofrep/v1/evaluate/flags"
ORIGIN = ("Origin", "https://shop.example.org")
PREFLIGHT = (
    ORIGIN,
    ("Access-Control-Request-Method", "POST"),
    ("Access-Control-Request-Headers", "x-api-key,content-type"),
)
JSON = "application/json"


def in_lane(client_key: str, server_key: str, feature: str) -> list[Exchange]:
    """Return what is answered without Django, whether or not it is all right."""
    client = ("X-API-Key", client_key)

    def ask(path: str = "", *headers: tuple[str, str], key: tuple[str, str] = client, **options: Any) -> Any:
        return asked(path, key, *headers, **options)

    kim = {"targetingKey": "kim", "acme trait": "acme condition"}
    return [
        ask(),
        ask("/"),
        ask("?flagConfigEtag=%22x%22&flagConfigLastModified=1"),
        ask(context={}),
        ask(context=kim),
        ask(context=kim, in_chunks=True),
        ask(context={"targetingKey": 17}),
        ask(context={"acme trait": "acme condition", "age": 7, "share": 0.5, "beta": True, "nested": {}}),
        ask(context={"acme trait": "other"}),
        *(
            ask(f"/{feature}", context=context)
            for context in ({}, kim, {"targetingKey": "lee"}, {"acme trait": "acme condition"})
        ),
        ask(f"/{feature}/", context=kim),
        ask("/acme_multivariate", context=kim),
        ask("/na%C3%AFve%20%E2%9C%93"),
        ask("/secret"),
        ask(f"/{feature.upper()}"),
        ask("/unknown%00"),
        ask("//unknown/"),
        ask(body=b""),
        *(ask(body=body) for body in [b"{", b" ", b"null", b"\xff", b"[" * 20_000, b'{"context": NaN}']),
        *(ask(f"/{feature}", body=body) for body in [b'{"context": []}', b'{"context": "kim"}']),
        ask(f"/{feature}", context={"targetingKey": []}),
        ask(context={"a": "\ud800"}),
        *(
            ask(context=kim, content_type=content_type)
            for content_type in ("application/xml", "", f"{JSON};a=b")
        ),
        *(ask("", ("If-None-Match", tags), context=kim) for tags in ["*", '"x", *', "\xff"]),
        ask(f"/{feature}", ("If-None-Match", "*")),
        ask("", ("X-Burgee-Min-Revision", "1")),
        ask("", ("Accept", "text/html"), ("Accept-Encoding", "gzip")),
        ask("", ("Cookie", "theme=dark")),
        ask("", ORIGIN),
        ask(f"/{feature}", ORIGIN),
        *(
            ask(path, key=key)
            for path in ("", "/secret")
            for key in [
                ("X-API-Key", server_key),
                ("X-Environment-Key", client_key),
                ("Authorization", f"Bearer {client_key}"),
                ("Authorization", f"Token {client_key}"),
                ("X-API-Key", "unknown"),
                ("X-API-Key", ""),
                ("X-API-Key", "\xe9\xff"),
                ("X-API-Key", "k" * 5000),
            ]
        ),
        *(Exchange("OPTIONS", f"{FLAGS}{path}", PREFLIGHT) for path in ("", f"/{feature}", "/other")),
    ]


def for_django(client_key: str, feature: str) -> list[Exchange]:
    """Return what the lane leaves to Django."""
    client = ("X-API-Key", client_key)
    return [
        asked("/%FF", client),
        asked("/line%0Abreak", client),
        asked("x", client),
        asked("", client, ("Cookie", "sessionid=x")),
        asked("", client, ("X-Burgee-Min-Revision", "x")),
        *(
            Exchange(method, f"{FLAGS}{path}", (client,))
            for method in ("GET", "HEAD", "PUT", "OPTIONS")
            for path in ("", f"/{feature}")
        ),
        Exchange("POST", "/ofrep/v1/", (client,)),
    ]


def asked(
    path: str,
    *headers: tuple[str, str],
    context: Any = None,
    body: bytes | None = None,
    content_type: str = JSON,
    in_chunks: bool = False,
) -> Exchange:
    sent = json.dumps({"context": context}).encode() if body is None else body
    described = (("Content-Type", content_type),) if content_type else ()
    return Exchange("POST", f"{FLAGS}{path}", (*headers, *described), sent, in_chunks)
