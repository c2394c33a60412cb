"""Signing up and in for a signed token."""

from datetime import timedelta
from functools import partial

import jwt
import pytest
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from accounts.mfa.tests.factories import App
from accounts.sessions import end_all_sessions
from accounts.tests.test_sign_in import set_rates
from core.tests.threads import at_once
from mails.tests.smtp import link_in
from users.models import User
from users.tests.factories import PASSWORD, make_user

USER = "/api/v1/user"
AUTHENTICATE = "/api/v1/authenticate"
LOGIN = "/api/v1/auth/login/"
ME = "/api/v1/auth/users/me/"
REFUSED = {"msg": "Unauthorized", "reason": "Unable to log in with provided credentials."}

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitor() -> APIClient:
    return APIClient()


@pytest.fixture
def ada() -> User:
    return make_user(email="ada@example.org")


def sign_up(client: APIClient, email: str = "ada@example.org", password: str = PASSWORD):
    return client.post(USER, {"email": email, "password": password})


def authenticate(client: APIClient, email: str = "ada@example.org", password: str = PASSWORD):
    return client.post(AUTHENTICATE, {"email": email, "password": password})


def token_of(user: User) -> str:
    return authenticate(APIClient(), user.email).json()["token"]


def with_header(value: str) -> APIClient:
    return APIClient(headers={"Authorization": value})


def aged(token: str, settings, **age: int) -> str:
    """Return the token as it would be had it been issued so long ago."""
    claims = jwt.decode(token, settings.SECRET_KEY, ["HS256"], options={"verify_aud": False})
    seconds = int(timedelta(**age).total_seconds())
    claims["iat"] -= seconds
    claims["exp"] -= seconds
    return jwt.encode(claims, settings.SECRET_KEY, "HS256")


def test_signing_up_makes_a_user_and_signs_them_in(visitor):
    response = sign_up(visitor, "Ada@Example.org")

    user = User.objects.get()
    answer = response.json()
    assert (response.status_code, set(answer), answer["id"]) == (201, {"id", "token"}, user.pk)
    assert (user.email, user.first_name, user.last_name) == ("ada@example.org", "", "")
    assert with_header(answer["token"]).get(USER).json() == {"id": user.pk, "email": "ada@example.org"}


@pytest.mark.parametrize("path", [USER, f"{USER}/"])
def test_a_slash_at_the_end_makes_no_difference_to_signing_up(path, visitor):
    assert visitor.post(path, {"email": "ada@example.org", "password": PASSWORD}).status_code == 201


@pytest.mark.parametrize("path", [AUTHENTICATE, f"{AUTHENTICATE}/"])
def test_a_slash_at_the_end_makes_no_difference_to_signing_in(path, ada, visitor):
    assert visitor.post(path, {"email": ada.email, "password": PASSWORD}).status_code == 200


@pytest.mark.parametrize("email", ["ada@example.org", "ADA@example.org"])
def test_an_address_in_use_is_a_conflict(email, ada, visitor):
    response = sign_up(visitor, email)

    assert response.status_code == 409
    assert response.json() == {
        "msg": "Conflict",
        "reason": "A user with that e-mail address already exists.",
    }
    assert User.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_sign_up_with_one_address_at_once_one_is_told_of_the_other():
    responses = at_once(partial(sign_up, APIClient()), partial(sign_up, APIClient()))

    assert sorted(each.status_code for each in responses) == [201, 409]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": "ada@example.org"}, "password"),
        ({"email": "ada@example.org", "password": "123456"}, "password"),
        ({"email": "ada@example.org", "password": "ada@example.org"}, "password"),
        ({"password": PASSWORD}, "email"),
        ({"email": "no address", "password": PASSWORD}, "email"),
        ({"email": ["ada@example.org"], "password": PASSWORD}, "email"),
    ],
)
def test_wrong_data_are_refused_by_the_fields_name(body, field, visitor):
    response = visitor.post(USER, body)

    answer = response.json()
    assert (response.status_code, answer["msg"]) == (400, "Bad Request")
    assert answer["reason"].startswith(f"{field}: ")
    assert list(answer["errors"]) == [field]
    assert not User.objects.exists()


@pytest.mark.parametrize("path", [USER, AUTHENTICATE])
@pytest.mark.parametrize("body", ['{"email": ', "[]", '"text"', ""])
def test_what_is_no_json_object_is_refused(path, body, visitor):
    response = visitor.generic("POST", path, body, content_type="application/json")

    assert response.status_code == 400
    assert {"msg", "reason"} <= set(response.json())


@pytest.mark.parametrize("setting", [("PREVENT_SIGNUP", True), ("ALLOW_REGISTRATION_WITHOUT_INVITE", False)])
def test_the_gates_of_signing_up_hold_here_too(setting, settings, ada, visitor):
    setattr(settings, *setting)

    responses = [sign_up(visitor, "new@example.org"), sign_up(visitor, ada.email)]

    assert [each.status_code for each in responses] == [403, 403]
    assert [set(each.json()) for each in responses] == [{"msg", "reason"}] * 2
    assert User.objects.count() == 1


def test_an_account_that_waits_for_activation_has_a_token_that_waits_with_it(settings, mailbox, visitor):
    settings.ENABLE_EMAIL_ACTIVATION = True
    settings.FLAGSMITH_DOMAIN = "flags.example.org"
    token = sign_up(visitor).json()["token"]
    before = with_header(token).get(USER).status_code
    *_, uid, secret = link_in(mailbox.only()).split("/")

    visitor.post("/api/v1/auth/users/activation/", {"uid": uid, "token": secret})

    assert before == 401
    assert with_header(token).get(USER).status_code == 200


def test_who_has_to_sign_in_otherwise_is_refused(settings, ada, visitor):
    settings.SIGN_IN_METHODS_BY_DOMAIN = {"example.org": ["google"]}

    responses = [sign_up(visitor, "new@example.org"), authenticate(visitor)]

    assert [each.status_code for each in responses] == [403, 403]
    assert {each.json()["reason"] for each in responses} == {"Addresses at example.org sign in with: google."}


def test_nobody_becomes_a_superuser_by_this_door(visitor):
    visitor.post(
        USER, {"email": "ada@example.org", "password": PASSWORD, "superuser": True, "is_staff": True, "id": 7}
    )

    user = User.objects.get()
    assert (user.is_superuser, user.is_staff) == (False, False)


def test_a_stale_token_does_no_harm_to_signing_up_or_in():
    stale = with_header("Token " + "0" * 40)

    assert sign_up(stale).status_code == 201
    assert authenticate(stale).status_code == 200


@pytest.mark.parametrize("email", ["ada@example.org", "ADA@example.org", " ada@example.org "])
def test_signing_in_gives_the_id_and_a_token(email, ada, visitor):
    response = authenticate(visitor, email)

    answer = response.json()
    assert (response.status_code, set(answer), answer["id"]) == (200, {"id", "token"}, ada.pk)
    assert with_header(f"Token {answer['token']}").get(ME).json()["email"] == "ada@example.org"


def test_signing_in_is_seen_in_last_login(ada, visitor):
    authenticate(visitor)

    ada.refresh_from_db()
    assert ada.last_login is not None


def test_a_wrong_password_an_unknown_and_a_disabled_account_look_the_same(ada, visitor):
    disabled = make_user(is_active=False)

    responses = [
        authenticate(visitor, ada.email, "wrong"),
        authenticate(visitor, "nobody@example.org"),
        authenticate(visitor, disabled.email),
    ]

    assert [(each.status_code, each.json()) for each in responses] == [(401, REFUSED)] * 3


def test_a_locked_account_is_refused_and_locked_for_every_door(settings, ada, visitor):
    settings.AXES_FAILURE_LIMIT = 3
    for _ in range(3):
        authenticate(visitor, "ADA@example.org", "wrong")

    locked = authenticate(visitor)

    assert (locked.status_code, locked.json()) == (401, REFUSED)
    assert visitor.post(LOGIN, {"email": ada.email, "password": PASSWORD}).status_code == 400


def test_who_has_a_second_factor_gets_no_token_here(ada, visitor):
    App(ada)

    responses = [authenticate(visitor), authenticate(visitor, password="wrong")]

    assert [each.status_code for each in responses] == [401, 401]
    assert responses[0].json()["reason"] == "This account has a second factor: sign in at auth/login/."
    assert responses[1].json() == REFUSED


def test_the_limit_of_logins_is_one_for_both_doors(settings, ada, visitor):
    set_rates(settings, login="2/min")

    first = authenticate(visitor)
    second = visitor.post(LOGIN, {"email": ada.email, "password": PASSWORD})
    third = authenticate(visitor)

    assert [each.status_code for each in (first, second, third)] == [200, 200, 429]
    assert set(third.json()) == {"msg", "reason"}
    assert int(third["Retry-After"]) > 0


def test_the_limit_of_new_accounts_holds_here_too(settings, visitor):
    set_rates(settings, signup="2/min")

    statuses = [sign_up(visitor, f"{name}@example.org").status_code for name in ("ada", "eve", "kim")]

    assert statuses == [201, 201, 429]


def test_signing_in_can_be_switched_off(settings, ada, visitor):
    settings.PREVENT_EMAIL_PASSWORD = True

    assert authenticate(visitor).status_code == 403


@pytest.mark.parametrize("scheme", ["", "Token ", "token ", "Bearer ", "bearer "])
def test_a_token_is_taken_after_either_word_or_alone(scheme, ada):
    for token in (token_of(ada), Token.objects.create(user=ada).key):
        response = with_header(scheme + token).get(USER)

        assert (response.status_code, response.json()) == (200, {"id": ada.pk, "email": ada.email})


@pytest.mark.parametrize(
    "value",
    [None, "rubbish", "Token", "Token a b", "a b c d", "Basic YTpi", "é", "a.b.c", "..", "Token a.b.c"],
)
def test_without_a_valid_token_nobody_is_told_who_they_are(value):
    response = (with_header(value) if value else APIClient()).get(USER)

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'
    assert set(response.json()) == {"msg", "reason"}


def test_a_token_lasts_fourteen_days(ada, settings):
    token = token_of(ada)

    claims = jwt.decode(token, settings.SECRET_KEY, ["HS256"], options={"verify_aud": False})
    statuses = [
        with_header(aged(token, settings, days=days)).get(USER).status_code for days in (0, 13, 14, 15)
    ]

    assert jwt.get_unverified_header(token)["alg"] == "HS256"
    assert claims["exp"] - claims["iat"] == 1_209_600
    assert statuses == [200, 200, 401, 401]


def test_a_token_with_one_letter_changed_is_refused(ada):
    token = token_of(ada)

    statuses = {
        with_header(token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :])
        .get(USER)
        .status_code
        for place in range(0, len(token) - 1, 17)  # the last letter has bits that count for nothing
    }

    assert statuses == {401}


@pytest.mark.parametrize(
    ("algorithm", "key"), [("none", None), ("HS256", "another key of a length that is long enough")]
)
def test_a_token_that_somebody_else_has_signed_is_refused(algorithm, key, ada, settings):
    claims = jwt.decode(token_of(ada), settings.SECRET_KEY, ["HS256"], options={"verify_aud": False})

    forged = jwt.encode(claims, key, algorithm)

    assert with_header(forged).get(USER).status_code == 401


@pytest.mark.parametrize("claim", ["aud", "sub", "session", "exp", "iat"])
def test_a_token_for_something_else_is_refused(claim, ada, settings):
    claims = jwt.decode(token_of(ada), settings.SECRET_KEY, ["HS256"], options={"verify_aud": False})
    del claims[claim]

    other = jwt.encode(claims, settings.SECRET_KEY, "HS256")

    assert with_header(other).get(USER).status_code == 401


def change_password(user: User) -> None:
    user.set_password("another long password")
    user.save()


def deactivate(user: User) -> None:
    user.is_active = False
    user.save()


def sign_out(user: User) -> None:
    with_header(f"Token {token_of(user)}").post("/api/v1/auth/logout/")


@pytest.mark.parametrize(
    "end",
    [change_password, deactivate, sign_out, end_all_sessions, User.delete],
    ids=lambda end: end.__name__,
)
def test_a_token_ends_at_once(end, ada):
    token = token_of(ada)
    before = with_header(token).get(USER).status_code

    end(ada)

    assert before == 200
    assert with_header(token).get(USER).status_code == 401
    assert with_header(f"Token {token}").get(ME).status_code == 401


def test_a_token_is_good_for_the_whole_api_after_the_word_token_only(admin):
    token = token_of(admin)

    assert with_header(f"Token {token}").get("/api/v1/organisations/").json()["count"] == 1
    for value in (token, f"Bearer {token}"):
        assert with_header(value).get("/api/v1/organisations/").status_code == 401


def test_signing_in_twice_gives_tokens_that_both_work(ada):
    tokens = [token_of(ada), token_of(ada)]

    assert [with_header(token).get(USER).status_code for token in tokens] == [200, 200]


@pytest.mark.parametrize("path", [USER, AUTHENTICATE])
def test_a_method_that_is_not_offered_is_told_in_the_same_shape(path, visitor, ada):
    response = with_header(token_of(ada)).delete(path)

    assert response.status_code == 405
    assert set(response.json()) == {"msg", "reason"}
