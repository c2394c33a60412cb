"""Signing in with GitHub: a page has got an authorisation code, which we exchange."""

from django.conf import settings

from accounts.external import NotVouchedFor, Person
from accounts.methods import GITHUB
from accounts.oauth.upstream import Upstream, text


def identify(code: str) -> Person:
    """Return who has authorised us.

    Raises:
        NotVouchedFor: GitHub doesn't know the code, or has no verified primary address of them.
        ProviderError: GitHub is away.
    """
    if not (settings.GITHUB_CLIENT_ID and settings.GITHUB_CLIENT_SECRET):
        raise NotVouchedFor("Signing in with GitHub isn't set up here.")
    github = Upstream("GitHub")
    exchanged = github.ask(
        "POST",
        f"{settings.GITHUB_URL}/login/oauth/access_token",
        data={
            "client_id": settings.GITHUB_CLIENT_ID,
            "client_secret": settings.GITHUB_CLIENT_SECRET,
            "code": code,
        },
        headers={"Accept": "application/json"},
    )
    token = text(exchanged, "access_token")
    if not token:  # a refusal has status 200, too
        raise github.refused()
    headers = {"Accept": "application/vnd.github+json", "Authorization": f"Bearer {token}"}
    profile = github.ask("GET", f"{settings.GITHUB_API_URL}/user", headers=headers)
    addresses = github.ask("GET", f"{settings.GITHUB_API_URL}/user/emails", headers=headers)
    subject = text(profile, "id")
    if not subject or not isinstance(addresses, list):
        raise github.malformed()
    verified = [
        text(each, "email")
        for each in addresses
        if isinstance(each, dict) and each.get("primary") is True and each.get("verified") is True
    ]
    if not verified or not verified[0]:
        raise NotVouchedFor("This GitHub account has no verified primary e-mail address.")
    words = text(profile, "name").split()
    # Which of one or of three words is whose isn't known.
    first_name, last_name = words if len(words) == 2 else ("", "")
    return Person(
        method=GITHUB, subject=subject, email=verified[0], first_name=first_name, last_name=last_name
    )
