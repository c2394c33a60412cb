"""TLS: what browsers are told of it, and how a proxy that ends it says so."""

from app.settings.environment import env

USE_X_FORWARDED_HOST = env.boolean(
    "USE_X_FORWARDED_HOST", help="Take the host of a request from X-Forwarded-Host, of trusted proxies."
)
# Proxies name the header, Django what WSGI makes of it. Either is understood.
_header = env.text(
    "SECURE_PROXY_SSL_HEADER_NAME",
    "HTTP_X_FORWARDED_PROTO",
    help="Header by which a trusted proxy tells that a request came over TLS.",
)
SECURE_PROXY_SSL_HEADER = (
    f"HTTP_{_header.upper().replace('-', '_').removeprefix('HTTP_')}",
    env.text("SECURE_PROXY_SSL_HEADER_VALUE", "https", help="Its value then."),
)
SECURE_SSL_REDIRECT = env.boolean(
    "DJANGO_SECURE_SSL_REDIRECT", help="Redirect requests without TLS; those for health are answered."
)
SECURE_SSL_HOST = (
    env.text("DJANGO_SECURE_SSL_HOST", help="Host that this redirects to; unset: that of the request.")
    or None
)
# Probes come from beside the server, and follow no redirect.
SECURE_REDIRECT_EXEMPT = [
    r"^health(check)?(/|$)",
    *env.items(
        "DJANGO_SECURE_REDIRECT_EXEMPT",
        help="Regular expressions of further paths, without their first slash, answered without TLS.",
    ),
]
SECURE_HSTS_SECONDS = env.integer(
    "DJANGO_SECURE_HSTS_SECONDS",
    0,
    help="Seconds that browsers remember to come over TLS only; 0: they aren't told to.",
)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.boolean(
    "DJANGO_SECURE_HSTS_INCLUDE_SUBDOMAINS", help="To all hosts below this one, too."
)
SECURE_HSTS_PRELOAD = env.boolean(
    "DJANGO_SECURE_HSTS_PRELOAD", help="Let browsers be delivered with that knowledge."
)
SECURE_REFERRER_POLICY = env.items(
    "DJANGO_SECURE_REFERRER_POLICY",
    ["same-origin"],
    help="What browsers tell other sites of the page that somebody came from.",
)
SECURE_CROSS_ORIGIN_OPENER_POLICY = env.text(
    "DJANGO_SECURE_CROSS_ORIGIN_OPENER_POLICY",
    "same-origin",
    help="Which pages may share a browser's window with those of this server.",
)
