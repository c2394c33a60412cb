"""An OpenID Connect provider on a port of this machine, with one person who is signed in to it."""

import time
from base64 import b64decode
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from accounts.oidc.services import challenge_of
from accounts.tests.providers import LocalServer

CLIENT_ID, CLIENT_SECRET = "burgee", "the-client-secret"
DISCOVERY = "/.well-known/openid-configuration"


class OidcServer(LocalServer):
    """Does what OpenID Connect says, and refuses what it forbids.

    Attributes:
        person: the claims about them.
        claims: what is put into ID tokens in place of the right values; None leaves a claim out.
        metadata: the same for discovery.
        algorithm, key: with which it signs; `published` are the keys that it shows.
        userinfo: further claims, at an endpoint of their own.
    """

    def __init__(self) -> None:
        super().__init__()
        self.person: dict[str, Any] = {
            "sub": "248289761001",
            "email": "Ada@Acme.com",
            "email_verified": True,
            "given_name": "Ada",
            "family_name": "Byron",
        }
        self.claims: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {}
        self.algorithm = "RS256"
        self.replace_key("first")
        self._codes: dict[str, dict[str, str]] = {}
        self.routes = {
            DISCOVERY: lambda form, headers: self._discovered(),
            "/keys": lambda form, headers: {"keys": self.published},
            "/token": self._exchange,
            "/userinfo": lambda form, headers: {"sub": self.person["sub"], **self.userinfo},
        }

    def replace_key(self, name: str) -> None:
        self.key: Any = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.key_name = name
        public = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        self.published = [{**public, "kid": name, "use": "sig"}]

    def configure(self, settings: Any, **changes: Any) -> None:
        """Let the product know this provider as `acme`."""
        provider = {
            "slug": "acme",
            "title": "Acme",
            "issuer": self.url,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "scope": "openid email profile",
            "trusts_addresses": False,
        }
        settings.OIDC_PROVIDERS = [provider | changes]

    def authorise(self, location: str) -> str:
        """Do what a browser sees there: take the person's consent, and return the address to go back to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        assert location.startswith(f"{self.url}/authorize?")
        assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT_ID)
        assert asked["code_challenge_method"] == "S256"
        assert {"openid", "email"} <= set(asked["scope"].split())
        assert asked["nonce"]
        code = f"code-{len(self._codes)}"
        self._codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def _discovered(self) -> dict[str, Any]:
        return _without_none(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                "userinfo_endpoint": f"{self.url}/userinfo",
                "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
            }
            | self.metadata
        )

    def _exchange(self, form: dict[str, str], headers: Any) -> Any:
        asked = self._codes.pop(form.get("code", ""), None)
        basic = b64decode(headers.get("Authorization", "Basic ").partition(" ")[2]).decode()
        if basic != f"{CLIENT_ID}:{CLIENT_SECRET}":
            return 401, b'{"error": "invalid_client"}'
        if (
            asked is None
            or form["redirect_uri"] != asked["redirect_uri"]
            or challenge_of(form.get("code_verifier", "")) != asked["code_challenge"]
        ):
            return 400, b'{"error": "invalid_grant"}'
        now = int(time.time())
        right = {"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 60, "nonce": asked["nonce"]}
        claims = _without_none(right | self.person | self.claims)
        token = jwt.encode(claims, self.key, self.algorithm, headers={"kid": self.key_name})
        return {"access_token": "access", "token_type": "Bearer", "expires_in": 60, "id_token": token}


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
