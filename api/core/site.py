"""Where people find this installation: the beginning of every link in a mail."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sites.models import Site
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from rest_framework.request import Request

# What Django puts into the table of sites until somebody says better.
_PLACEHOLDER = "example.com"


def site_url(request: HttpRequest | Request | None = None) -> str:
    """Return scheme and host, e.g. `https://flags.example.org`, without a slash at the end.

    The host is the first there is of:

    1. `FLAGSMITH_DOMAIN`;
    2. the site in the admin (the row `SITE_ID` of `django_site`), once it is no longer "example.com";
    3. the host that the request was sent to, if `DJANGO_ALLOWED_HOSTS` names it or it is this machine.
       A host that only `*` allows is whatever the sender of the request says: a link with a secret in it
       must not lead there;
    4. the first host that `DJANGO_ALLOWED_HOSTS` names;
    5. `localhost` with the server's port.

    The scheme is the request's. Without a request it is http for this machine and https for others.
    """
    host = settings.FLAGSMITH_DOMAIN or _registered() or _asked(request) or _allowed()
    if request is not None:
        return f"{request.scheme}://{host}"
    return f"{'http' if _is_this_machine(host) else 'https'}://{host}"


def is_ours(request: HttpRequest | Request, url: str) -> bool:
    """Whether a URL is one of this installation, or of a dashboard that the settings name."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    origin = f"{parts.scheme}://{parts.netloc}"
    return parts.scheme in {"http", "https"} and origin in {
        site_url(request),
        *settings.OIDC_REDIRECT_ORIGINS,
    }


def _registered() -> str:
    # Asked anew each time: Django's own look-up remembers it in each process for ever.
    domain = Site.objects.filter(pk=settings.SITE_ID).values_list("domain", flat=True).first()
    return "" if domain in {None, _PLACEHOLDER} else str(domain)


def _asked(request: HttpRequest | Request | None) -> str:
    if request is None:
        return ""
    try:
        host: str = request.get_host()
    except DisallowedHost:
        return ""
    is_named = _without_port(host) in {name.lower() for name in settings.ALLOWED_HOSTS}
    return host if is_named or _is_this_machine(host) else ""


def _allowed() -> str:
    named = [name for name in settings.ALLOWED_HOSTS if name != "*" and not name.startswith(".")]
    return named[0] if named else f"localhost:{settings.PORT}"


def _is_this_machine(host: str) -> bool:
    name = _without_port(host)
    if name == "localhost":
        return True
    try:
        return ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).lower()
