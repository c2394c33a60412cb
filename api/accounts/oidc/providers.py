"""The OpenID Connect providers of this installation, and what is asked of them.

Authlib does the protocol: discovery, PKCE, state, nonce, and the signature of the ID token. Which values its
claims must have is said here: of a token's audience, for one, Authlib looks at no more than it is told to.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.django_client import DjangoIntegration, DjangoOAuth2App
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from joserfc.errors import JoseError

from accounts.external import NotVouchedFor, Person, ProviderError
from accounts.methods import oidc
from accounts.oauth.upstream import text
from core.version import USER_AGENT

_SECONDS = 4.0
_DISCOVERY = "/.well-known/openid-configuration"
# Signed by the provider alone. With a shared secret, or unsigned, a token would prove less.
_ALGORITHMS = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
# Clocks differ.
_LEEWAY_SECONDS = 60


@dataclass(frozen=True)
class Provider:
    """One provider, as the environment describes it.

    Attributes:
        slug: its name in URLs and settings.
        title: its name for people.
        trusts_addresses: count addresses as verified of which it says nothing.
        is_for_admin: it lets people with an account into /admin/, and does nothing else.
    """

    slug: str
    title: str
    issuer: str
    client_id: str
    client_secret: str
    scope: str
    trusts_addresses: bool
    is_for_admin: bool = False

    @property
    def method(self) -> str:
        return oidc(self.slug)

    @property
    def callback(self) -> str:
        """The path that people come back to, which is registered at the provider."""
        return reverse("admin-callback") if self.is_for_admin else reverse("oidc-callback", args=[self.slug])

    def leave_for(self, request: HttpRequest, callback: str, goal: dict[str, Any]) -> str:
        """Return the address to send the browser to. The session keeps what it has to bring back.

        Args:
            goal: what `returned` gives back with the person.

        Raises:
            ProviderError: it can't be reached.
        """
        try:
            client = self._client()
            sent = client.create_authorization_url(callback)
            client.save_authorize_data(request, redirect_uri=callback, goal=goal, **sent)
        except _FAULTS as error:
            raise self._fault() from error
        return str(sent["url"])

    def returned(self, request: HttpRequest) -> tuple[Person, dict[str, Any]]:
        """Return who came back, and the goal they left with.

        Raises:
            NotVouchedFor: they didn't leave from this browser, the provider turned them away, its token isn't
                valid or isn't for us, or it has no verified address of theirs.
            ProviderError: it can't be reached, or doesn't answer as expected.
        """
        state = request.GET.get("state", "")
        integration = DjangoIntegration(self._name)
        left = integration.get_state_data(request.session, state)
        if left is None:
            raise NotVouchedFor("This sign-in wasn't begun in this browser, or is too old. Begin again.")
        try:
            client = self._client()
            token = client.authorize_access_token(
                request, claims_options=self._claims, leeway=_LEEWAY_SECONDS
            )
            claims = dict(token.get("userinfo") or {})
            if not claims:
                raise ProviderError(f"{self.title} sent no ID token.")
            if "email" not in claims and client.load_server_metadata().get("userinfo_endpoint"):
                more = client.userinfo(token=token)
                claims = (
                    claims | {**more, "sub": claims["sub"]} if more.get("sub") == claims["sub"] else claims
                )
        except (OAuthError, JoseError) as error:
            raise NotVouchedFor(f"{self.title} didn't vouch for you, or not to us.") from error
        except _FAULTS as error:
            raise self._fault() from error
        return self._person(claims), left["goal"]

    @property
    def _name(self) -> str:
        return f"oidc_{self.slug}"

    @property
    def _claims(self) -> dict[str, Any]:
        return {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self.client_id},
            "sub": {"essential": True},
            "exp": {"essential": True},
        }

    def _client(self) -> DjangoOAuth2App:
        """Return the client, knowing what discovery says.

        Raises:
            ProviderError: discovery says that this is another issuer.
        """
        client = _client_of(self)
        metadata = client.load_server_metadata()
        if metadata.get("issuer") != self.issuer:
            _client_of.cache_clear()
            raise ProviderError(f"{self.title} has another issuer than the settings say.")
        offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        metadata["id_token_signing_alg_values_supported"] = [each for each in offered if each in _ALGORITHMS]
        return client

    def _person(self, claims: dict[str, Any]) -> Person:
        subject, email = text(claims, "sub"), text(claims, "email")
        is_verified = claims.get("email_verified", self.trusts_addresses) in (True, "true")
        if not (subject and email and is_verified):
            raise NotVouchedFor(f"{self.title} has no verified e-mail address of yours.")
        return Person(
            method=self.method,
            subject=subject[:255],
            email=email,
            first_name=text(claims, "given_name"),
            last_name=text(claims, "family_name"),
        )

    def _fault(self) -> ProviderError:
        return ProviderError(f"{self.title} can't be reached, or didn't answer as expected.")


_FAULTS = (requests.RequestException, RuntimeError, KeyError, TypeError, ValueError, AttributeError)


def all_providers() -> list[Provider]:
    return [Provider(**each) for each in settings.OIDC_PROVIDERS]


def provider_called(slug: str) -> Provider | None:
    return next((each for each in all_providers() if each.slug == slug), None)


@lru_cache(maxsize=32)
def _client_of(provider: Provider) -> DjangoOAuth2App:
    # Kept for what it has learnt: the provider's endpoints, and its keys until it signs with another.
    return DjangoOAuth2App(
        DjangoIntegration(provider._name),
        name=provider._name,
        client_id=provider.client_id,
        client_secret=provider.client_secret or None,
        user_agent=USER_AGENT,
        server_metadata_url=provider.issuer.rstrip("/") + _DISCOVERY,
        client_kwargs={
            "scope": provider.scope,
            "code_challenge_method": "S256",
            "default_timeout": _SECONDS,
            "leeway": 0,  # an access token is used at once, however short it lasts
            **({} if provider.client_secret else {"token_endpoint_auth_method": "none"}),
        },
    )
