"""Signing in with Google: a page has got an access token, and we ask Google whose it is."""

from django.conf import settings

from accounts.external import NotVouchedFor, Person
from accounts.methods import GOOGLE
from accounts.oauth.upstream import Upstream, text


def identify(access_token: str) -> Person:
    """Return whom an access token is of.

    Raises:
        NotVouchedFor: Google doesn't know it, it was made for another application, or the address of whose it
            is isn't verified.
        ProviderError: Google is away.
    """
    if not settings.GOOGLE_CLIENT_ID:
        raise NotVouchedFor("Signing in with Google isn't set up here.")
    google = Upstream("Google")
    # Else any website that somebody signs in to with Google could sign in here as them.
    audience = google.ask("POST", settings.GOOGLE_TOKENINFO_URL, data={"access_token": access_token})
    if settings.GOOGLE_CLIENT_ID not in {text(audience, "aud"), text(audience, "azp")}:
        raise NotVouchedFor("This access token was made for another application.")
    headers = {"Authorization": f"Bearer {access_token}"}
    profile = google.ask("GET", settings.GOOGLE_USERINFO_URL, headers=headers)
    subject, email = text(profile, "id"), text(profile, "email")
    if not subject:
        raise google.malformed()
    if not email or profile.get("verified_email") is not True:
        raise NotVouchedFor("This Google account has no verified e-mail address.")
    return Person(
        method=GOOGLE,
        subject=subject,
        email=email,
        first_name=text(profile, "given_name"),
        last_name=text(profile, "family_name"),
    )
