"""The second factor: setting it up, and signing in with it."""

import base64
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from accounts.mfa import totp
from accounts.mfa.models import BackupCode, MfaMethod
from accounts.mfa.tests.factories import App, forget_used_steps
from users.models import User
from users.tests.factories import PASSWORD, make_user

AUTH = "/api/v1/auth"
WRONG = {"error": "Invalid or expired code."}

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return make_user(email="ada+flags@example.org")


@pytest.fixture
def app(user) -> App:
    return App(user)


@pytest.fixture
def client(user, client_of) -> APIClient:
    return client_of(user)


def first_step(email: str) -> dict:
    return APIClient().post(f"{AUTH}/login/", {"email": email, "password": PASSWORD}).json()


def second_step(token: str, code: str):
    return APIClient().post(f"{AUTH}/login/code/", {"ephemeral_token": token, "code": code})


def sign_in(user: User, code: str):
    return second_step(first_step(user.email)["ephemeral_token"], code)


def test_setting_up_gives_what_an_app_reads(client, user):
    response = client.post(f"{AUTH}/app/activate/")

    link = urlsplit(response.json()["qr_link"])
    secret = response.json()["secret"]
    assert response.status_code == 200
    assert (link.scheme, link.netloc) == ("otpauth", "totp")
    assert unquote(link.path) == "/Burgee:ada+flags@example.org"
    assert parse_qs(link.query)["secret"] == [secret]
    assert parse_qs(link.query)["issuer"] == ["Burgee"]
    assert len(base64.b32decode(secret)) == 20


def test_until_it_is_confirmed_the_secret_stays_and_signing_in_asks_for_nothing(client, user):
    first = client.post(f"{AUTH}/app/activate/").json()

    assert client.post(f"{AUTH}/app/activate/").json() == first
    assert list(first_step(user.email)) == ["key"]
    assert client.get(f"{AUTH}/mfa/user-active-methods/").json() == []


def test_a_code_confirms_and_gives_backup_codes_once(client, user):
    secret = client.post(f"{AUTH}/app/activate/").json()["secret"]

    response = client.post(
        f"{AUTH}/app/activate/confirm/", {"code": totp.code_at(secret, totp.current_step())}
    )

    codes = response.json()["backup_codes"]
    assert response.status_code == 200
    assert len(set(codes)) == 5
    assert all(len(code) == 10 and code.isalnum() and code.isascii() for code in codes)
    assert client.get(f"{AUTH}/mfa/user-active-methods/").json() == [{"name": "app", "is_primary": True}]


def test_what_is_stored_is_no_secret(client, user, app):
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM accounts_mfamethod")
        stored = cursor.fetchone()[0]

    assert app.secret not in stored
    assert MfaMethod.objects.get().secret == app.secret
    assert not set(app.backup_codes) & set(BackupCode.objects.values_list("digest", flat=True))


def test_a_secret_is_still_read_after_the_secret_key_was_replaced(settings, user, app):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another" * 10, [settings.SECRET_KEY]

    assert sign_in(user, app.code()).status_code == 200
    assert sign_in(user, app.backup_codes[0]).status_code == 200


@pytest.mark.parametrize("path", ["sms/activate/confirm/", "app/activate/confirm/"])
def test_nothing_to_confirm_is_refused_by_field(path, client):
    response = client.post(f"{AUTH}/{path}", {"code": "123456"})

    assert (response.status_code, list(response.json())) == (400, ["code"])


@pytest.mark.parametrize("body", [{}, {"code": "x"}, {"code": ""}, {"code": ["1"]}, {"code": "１２３４５６"}])
def test_a_wrong_code_confirms_nothing(body, client, user):
    client.post(f"{AUTH}/app/activate/")

    response = client.post(f"{AUTH}/app/activate/confirm/", body)

    assert (response.status_code, list(response.json())) == (400, ["code"])
    assert not MfaMethod.objects.get().is_active


def test_what_is_active_is_not_set_up_again(client, user, app):
    again = client.post(f"{AUTH}/app/activate/")
    confirmed = client.post(f"{AUTH}/app/activate/confirm/", {"code": app.code()})

    assert (again.status_code, list(again.json())) == (400, ["error"])
    assert (confirmed.status_code, list(confirmed.json())) == (400, ["code"])


def test_no_other_method_can_be_set_up(client):
    response = client.post(f"{AUTH}/sms/activate/")

    assert (response.status_code, response.content) == (404, b"")


def test_switching_off(client, user, app):
    response = client.post(f"{AUTH}/app/deactivate/")
    again = client.post(f"{AUTH}/app/deactivate/")

    assert (response.status_code, response.content) == (204, b"")
    assert (again.status_code, list(again.json())) == (400, ["error"])
    assert list(first_step(user.email)) == ["key"]


def test_nobody_switches_another_users_factor_off(client_of, user, app):
    response = client_of(make_user()).post(f"{AUTH}/app/deactivate/")

    assert response.status_code == 400
    assert MfaMethod.objects.filter(user=user, is_active=True).exists()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "app/activate/"),
        ("post", "app/activate/confirm/"),
        ("post", "app/deactivate/"),
        ("get", "mfa/user-active-methods/"),
    ],
)
def test_visitors_have_no_second_factor(method, path):
    assert getattr(APIClient(), method)(f"{AUTH}/{path}").status_code == 401


def test_signing_in_asks_for_a_code_and_gives_the_token_for_it(user, app):
    first = first_step(user.email)
    assert not Token.objects.filter(user=user).exists()

    second = second_step(first["ephemeral_token"], app.code())

    user_id, time, signature = first["ephemeral_token"].split("-")
    assert first["method"] == "app"
    assert (user_id, len(signature)) == (str(user.pk), 40)
    assert time.isalnum()
    assert (second.status_code, second.json()) == (200, {"key": Token.objects.get(user=user).key})


@pytest.mark.parametrize(("steps", "status"), [(-2, 401), (-1, 200), (0, 200), (1, 200), (2, 401)])
def test_one_step_of_difference_between_clocks_is_tolerated(steps, status, user, app, monkeypatch):
    monkeypatch.setattr(totp, "current_step", lambda: 60_000_000)
    forget_used_steps()

    assert sign_in(user, app.code(steps=steps)).status_code == status


def test_a_code_works_once(user, app):
    code = app.code()

    statuses = [sign_in(user, code).status_code for _ in range(2)]

    assert statuses == [200, 401]


def test_a_code_from_before_the_last_one_does_not_count_any_more(user, app):
    forget_used_steps()

    assert sign_in(user, app.code()).status_code == 200
    assert sign_in(user, app.code(steps=-1)).status_code == 401


def test_the_code_that_set_it_up_does_not_sign_in(user):
    app = App(user)

    assert sign_in(user, app.code(steps=-1)).status_code == 401


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["code of the app", "backup code"])
def test_of_many_who_bring_the_same_code_at_once_one_gets_in(kind):
    user = make_user()
    app = App(user)
    code = app.code() if kind == "code of the app" else app.backup_codes[0]
    token, together = first_step(user.email)["ephemeral_token"], threading.Barrier(6)

    def bring(number: int) -> int:
        together.wait(10)
        try:
            return second_step(token, code).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(bring, range(6)))

    assert sorted(statuses) == [200] + [401] * 5


def test_a_backup_code_signs_in_once(user, app):
    statuses = [sign_in(user, app.backup_codes[0]).status_code for _ in range(2)]

    assert statuses == [200, 401]
    assert sign_in(user, app.backup_codes[1]).status_code == 200


def test_setting_up_anew_replaces_the_backup_codes(client, user, app):
    client.post(f"{AUTH}/app/deactivate/")
    App(user)

    assert sign_in(user, app.backup_codes[0]).status_code == 401
    assert BackupCode.objects.count() == 5


def set_another_password(user: User) -> None:
    user.set_password("0123-quagga-JUMPS")
    user.save()


def sign_in_elsewhere(user: User) -> None:
    User.objects.filter(pk=user.pk).update(last_login=timezone.now())


def wait_a_quarter_of_an_hour(user: User, monkeypatch) -> None:
    later = timezone.now() + timedelta(minutes=15, seconds=1)
    monkeypatch.setattr("time.time", later.timestamp)


@pytest.mark.parametrize(
    "happens",
    [
        set_another_password,
        sign_in_elsewhere,
        lambda user: user.end_sessions(),
        lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
    ],
)
def test_the_token_of_the_first_step_becomes_void(happens, user, app):
    token = first_step(user.email)["ephemeral_token"]

    happens(user)

    response = second_step(token, app.code())
    assert (response.status_code, response.json()) == (401, WRONG)


def test_the_token_of_the_first_step_lasts_a_quarter_of_an_hour(user, app, monkeypatch):
    token = first_step(user.email)["ephemeral_token"]
    code, step = app.code(), totp.current_step()

    monkeypatch.setattr(totp, "current_step", lambda: step)
    wait_a_quarter_of_an_hour(user, monkeypatch)

    assert second_step(token, code).status_code == 401


@pytest.mark.parametrize(
    "forge",
    [
        lambda token: token[:-1] + ("0" if token[-1] != "0" else "1"),
        lambda token: "1" + token,
        lambda token: token.partition("-")[2],
        lambda token: "99999999999999999999-x-y",
        lambda token: "é-ß-x",
        lambda token: "--",
    ],
)
def test_a_forged_token_of_the_first_step_is_worth_nothing(forge, user, app):
    token = forge(first_step(user.email)["ephemeral_token"])

    response = second_step(token, app.code())

    assert (response.status_code, response.json()) == (401, WRONG)


@pytest.mark.parametrize("missing", ["code", "ephemeral_token"])
def test_what_is_missing_is_named(missing):
    body = {"code": "123456", "ephemeral_token": "1-x-y"}
    del body[missing]

    response = APIClient().post(f"{AUTH}/login/code/", body)

    assert (response.status_code, list(response.json())) == (400, [missing])


def test_wrong_codes_lock_the_account_like_wrong_passwords(settings, user, app):
    settings.AXES_FAILURE_LIMIT = 3
    token = first_step(user.email)["ephemeral_token"]
    for _ in range(3):
        second_step(token, "000000x")

    response = second_step(token, app.code())

    assert (response.status_code, response.json()) == (401, WRONG)
    assert list(first_step(user.email)) == ["non_field_errors"]
    forget_used_steps()
    assert second_step(token, app.code()).status_code == 401


def test_codes_are_limited_for_an_account_however_many_addresses_try(settings, user, app):
    rest_framework = settings.REST_FRAMEWORK
    rates = {**rest_framework["DEFAULT_THROTTLE_RATES"], "mfa_code": "5/min"}
    settings.REST_FRAMEWORK = {**rest_framework, "DEFAULT_THROTTLE_RATES": rates}
    token = first_step(user.email)["ephemeral_token"]

    responses = [
        APIClient(headers={"X-Forwarded-For": f"198.51.100.{number}"}).post(
            f"{AUTH}/login/code/", {"ephemeral_token": token, "code": "000000"}
        )
        for number in range(6)
    ]

    assert [each.status_code for each in responses] == [401] * 5 + [429]
    assert int(responses[-1]["Retry-After"]) > 0


def test_a_superuser_sees_a_users_factors_and_may_remove_one_and_never_sees_the_secret(
    superuser_client, user, app
):
    path = f"/admin/users/user/{user.pk}/change/"

    page = superuser_client.get(path).content.decode()

    assert "second factor" in page.lower()
    assert app.secret not in page
    assert 'name="mfa_methods-0-DELETE"' in page
    assert 'name="mfa_methods-0-secret"' not in page
