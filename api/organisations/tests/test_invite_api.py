"""Invitations by e-mail over HTTP, and joining by one."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.tests.threads import at_once
from mails.tests.smtp import html_of, link_in, text_of
from organisations.models import Invite, MemberRole, Organisation
from organisations.services import accept_invite
from users.tests.factories import make_user

REFUSAL = {"detail": "User does not have sufficient privileges to perform this action"}


def path_of(organisation: Organisation, rest: str = "invites/") -> str:
    return f"/api/v1/organisations/{organisation.pk}/{rest}"


def join_path(invite: Invite) -> str:
    return f"/api/v1/users/join/{invite.hash}/"


@pytest.fixture
def group(organisation):
    return organisation.groups.create(name="Developers")


@pytest.fixture
def invite(organisation, admin) -> Invite:
    return organisation.invites.create(email="kim@example.org", invited_by=admin)


@pytest.fixture
def site(settings) -> str:
    settings.FLAGSMITH_DOMAIN = "flags.example.org"
    return "http://flags.example.org"


def test_an_invitation_is_a_mail_with_a_link(mailbox, site, admin_client, admin, organisation):
    response = admin_client.post(path_of(organisation), {"email": "Kim@example.org"})

    assert response.status_code == 201
    mail = mailbox.only()
    invite = Invite.objects.get()
    assert len(invite.hash) == 22
    assert mail["To"] == "Kim@example.org"
    assert mail["Subject"] == "Kim has invited you to join Acme"
    assert link_in(mail) == f"{site}/invite/{invite.hash}"
    assert "Acme" in text_of(mail)
    assert "<strong>Acme</strong>" in html_of(mail)


def test_a_mail_without_an_inviter_names_the_organisation_only(mailbox, admin_client, organisation, invite):
    Invite.objects.update(invited_by=None)

    admin_client.post(path_of(organisation, f"invites/{invite.pk}/resend/"))

    assert mailbox.only()["Subject"] == "You have been invited to join Acme"


def test_names_are_text_in_a_mail_whatever_they_look_like(mailbox, admin_client, organisation, invite):
    organisation.name = "<b>R&D</b>\r\nBcc: eve@example.org"
    organisation.save()

    admin_client.post(path_of(organisation, f"invites/{invite.pk}/resend/"))

    mail = mailbox.only()
    assert mail["Subject"] == "Kim has invited you to join <b>R&D</b> Bcc: eve@example.org"
    assert mail["Bcc"] is None
    assert "<b>" not in html_of(mail)


def test_the_answer_tells_who_is_invited_and_never_the_hash(admin_client, admin, organisation, group):
    body = {"email": "kim@example.org", "role": "ADMIN", "permission_groups": [group.pk]}

    made = admin_client.post(path_of(organisation), body)
    invite = Invite.objects.get()
    listed = admin_client.get(path_of(organisation))
    one = admin_client.get(path_of(organisation, f"invites/{invite.pk}/"))

    common = {
        "id": invite.pk,
        "email": "kim@example.org",
        "date_created": invite.date_created.isoformat().replace("+00:00", "Z"),
        "permission_groups": [group.pk],
    }
    by = {
        "id": admin.pk,
        "email": admin.email,
        "first_name": "Kim",
        "last_name": "",
        "last_login": None,
        "uuid": str(admin.uuid),
    }
    assert made.json() == {**common, "role": "ADMIN"}
    assert one.json() == {**common, "invited_by": by}
    assert listed.json() == {"count": 1, "next": None, "previous": None, "results": [one.json()]}
    assert not any(invite.hash in each.content.decode() for each in (made, listed, one))


def test_a_group_that_is_named_twice_is_one(admin_client, organisation, group):
    body = {"email": "kim@example.org", "permission_groups": [group.pk, group.pk]}

    assert admin_client.post(path_of(organisation), body).json()["permission_groups"] == [group.pk]


@pytest.mark.parametrize("groups", [None, []])
def test_groups_are_optional_and_the_role_is_user(groups, admin_client, organisation):
    response = admin_client.post(
        path_of(organisation), {"email": "kim@example.org", "permission_groups": groups}
    )

    assert (response.status_code, response.json()["role"]) == (201, "USER")
    assert response.json()["permission_groups"] == []


@pytest.mark.parametrize("email", ["kim@example.org", "KIM@Example.org"])
def test_an_address_is_invited_once_whatever_its_letter_case(email, admin_client, organisation, invite):
    response = admin_client.post(path_of(organisation), {"email": email})

    assert response.status_code == 400
    assert response.json() == {"email": [f"Invite for email {email} already exists"]}
    assert Invite.objects.count() == 1


def test_two_organisations_invite_the_same_address(client_of, stranger, invite):
    theirs = stranger.organisations.get()

    assert client_of(stranger).post(path_of(theirs), {"email": invite.email}).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_of_two_equal_invitations_at_once_one_is_refused(client_of, admin, organisation):
    def invite() -> int:
        return client_of(admin).post(path_of(organisation), {"email": "kim@example.org"}).status_code

    assert sorted(at_once(invite, invite)) == [201, 400]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "email"),
        ({"email": "kim"}, "email"),
        ({"email": None}, "email"),
        ({"email": f"{'k' * 250}@example.org"}, "email"),
        ({"email": "kim@example.org", "role": "OWNER"}, "role"),
        ({"email": "kim@example.org", "permission_groups": [999_999]}, "permission_groups"),
        ({"email": "kim@example.org", "permission_groups": "all"}, "permission_groups"),
    ],
)
def test_a_malformed_invitation_is_refused(body, field, mailbox, admin_client, organisation):
    response = admin_client.post(path_of(organisation), body)

    assert (response.status_code, list(response.json())) == (400, [field])
    assert (mailbox.mails, Invite.objects.count()) == ([], 0)


@pytest.mark.parametrize("rest", ["invites/", "invite/"])
def test_groups_of_another_organisation_are_out_of_reach(rest, admin_client, organisation, stranger):
    theirs = stranger.organisations.get().groups.create(name="Theirs")
    item = {"email": "kim@example.org", "permission_groups": [theirs.pk]}

    response = admin_client.post(
        path_of(organisation, rest), item if rest == "invites/" else {"invites": [item]}
    )

    reason = {"permission_groups": [f"This organisation has no group {theirs.pk}."]}
    assert response.status_code == 400
    assert response.json() == (reason if rest == "invites/" else {"invites": [reason]})
    assert not Invite.objects.exists()


def test_invitations_are_for_administrators(client_of, member, stranger, organisation, invite):
    for user in (member, stranger):
        client = client_of(user)
        responses = [
            client.get(path_of(organisation)),
            client.post(path_of(organisation), {"email": "eve@example.org"}),
            client.get(path_of(organisation, f"invites/{invite.pk}/")),
            client.delete(path_of(organisation, f"invites/{invite.pk}/")),
            client.post(path_of(organisation, f"invites/{invite.pk}/resend/")),
        ]
        assert [(each.status_code, each.json()) for each in responses] == [(403, REFUSAL)] * 5
        bulk = client.post(path_of(organisation, "invite/"), {"emails": ["eve@example.org"]})
        assert bulk.status_code == 403
    assert list(Invite.objects.all()) == [invite]


def test_another_organisations_invitation_is_hidden(admin_client, organisation, stranger):
    theirs = stranger.organisations.get().invites.create(email="kim@example.org")
    path = path_of(organisation, f"invites/{theirs.pk}/")

    responses = [admin_client.get(path), admin_client.delete(path), admin_client.post(f"{path}resend/")]

    assert [each.status_code for each in responses] == [404] * 3
    assert list(Invite.objects.all()) == [theirs]


def test_an_invitation_is_not_changed(admin_client, organisation, invite):
    path = path_of(organisation, f"invites/{invite.pk}/")

    assert [admin_client.put(path, {}).status_code, admin_client.patch(path, {}).status_code] == [405, 405]


def test_resending_sends_the_same_link_again(mailbox, site, admin_client, organisation, invite):
    response = admin_client.post(path_of(organisation, f"invites/{invite.pk}/resend/"))

    assert (response.status_code, response.content) == (200, b"")
    assert link_in(mailbox.only()) == f"{site}/invite/{invite.hash}"


def test_a_withdrawn_invitation_lets_nobody_in(admin_client, client_of, organisation, invite):
    response = admin_client.delete(path_of(organisation, f"invites/{invite.pk}/"))

    joining = client_of(make_user(email="kim@example.org")).post(join_path(invite))
    assert (response.status_code, joining.status_code) == (204, 404)


def test_several_are_invited_at_once(mailbox, admin_client, admin, organisation, group):
    body = {
        "invites": [
            {"email": "kim@example.org", "role": "ADMIN", "permission_groups": [group.pk]},
            {"email": "ada@example.org"},
        ],
        "emails": ["bob@example.org"],
        "frontend_base_url": "https://elsewhere.example.org/",
        "something": "else",
    }

    response = admin_client.post(path_of(organisation, "invite/"), body)

    assert response.status_code == 201
    kim, ada, bob = response.json()
    assert kim == {
        "id": kim["id"],
        "email": "kim@example.org",
        "role": "ADMIN",
        "date_created": kim["date_created"],
        "invited_by": {"id": admin.pk, "email": admin.email, "first_name": "Kim", "last_name": ""},
        "permission_groups": [group.pk],
    }
    assert [(each["email"], each["role"]) for each in (ada, bob)] == [
        ("ada@example.org", "USER"),
        ("bob@example.org", "USER"),
    ]
    assert sorted(mail["To"] for mail in mailbox.mails) == [
        "ada@example.org",
        "bob@example.org",
        "kim@example.org",
    ]
    assert not any("elsewhere.example.org" in text_of(mail) for mail in mailbox.mails)


TAKEN = ["Invite for email Kim@example.org already exists"]


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        (
            {"invites": [{"email": "ada@example.org"}, {"email": "Kim@example.org"}]},
            {"invites": [{}, {"email": TAKEN}]},
        ),
        (
            {"invites": [{"email": "ada@example.org"}, {"email": "ADA@example.org"}]},
            {"invites": [{}, {"email": ["Invite for email ADA@example.org already exists"]}]},
        ),
        ({"emails": ["ada@example.org", "Kim@example.org"]}, {"emails": TAKEN}),
        (
            {"invites": [{"email": "ada@example.org"}], "emails": ["Ada@example.org"]},
            {"emails": ["Invite for email Ada@example.org already exists"]},
        ),
        ({}, {"invites": ["This field is required."]}),
        ({"invites": [{"role": "USER"}]}, {"invites": [{"email": ["This field is required."]}]}),
        ({"emails": ["kim"]}, {"emails": [["Enter a valid email address."]]}),
    ],
)
def test_one_that_is_wrong_and_nobody_is_invited(body, errors, mailbox, admin_client, organisation, invite):
    response = admin_client.post(path_of(organisation, "invite/"), body)

    assert (response.status_code, response.json()) == (400, errors)
    assert (mailbox.mails, list(Invite.objects.all())) == ([], [invite])


def test_there_is_an_end_to_how_many_are_invited_at_once(admin_client, organisation):
    emails = [f"user{number}@example.org" for number in range(501)]

    response = admin_client.post(path_of(organisation, "invite/"), {"emails": emails})

    assert (response.status_code, list(response.json())) == (400, ["emails"])


def test_more_invitations_and_longer_lists_take_no_more_reading(admin_client, organisation, group):
    def reads(request) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert request().status_code < 300
        # Before what writes stands who does.
        return sum(
            each["sql"].startswith("SELECT") and "set_config" not in each["sql"]
            for each in captured.captured_queries
        )

    def invite(first: int, last: int):
        items = [
            {"email": f"user{number}@example.org", "permission_groups": [group.pk]}
            for number in range(first, last)
        ]
        return lambda: admin_client.post(path_of(organisation, "invite/"), {"invites": items})

    def list_them():
        return admin_client.get(path_of(organisation))

    one, listed_one = reads(invite(0, 1)), reads(list_them)
    ten, listed_more = reads(invite(1, 11)), reads(list_them)

    assert (ten, listed_more) == (one, listed_one)


@pytest.mark.parametrize("rest", ["invite/", "invites/{}/resend/"])
def test_mails_are_limited_to_ten_a_minute(rest, settings, admin_client, organisation, invite):
    rates = {**settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "invite": "10/min"}
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}
    path = path_of(organisation, rest.format(invite.pk))

    responses = [admin_client.post(path, {"emails": [f"u{number}@example.org"]}) for number in range(11)]

    assert all(each.status_code < 300 for each in responses[:10])
    assert (responses[10].status_code, int(responses[10]["Retry-After"]) > 0) == (429, True)


def test_who_is_invited_joins_as_the_invitation_says(client_of, organisation, group, invite):
    everybody = organisation.groups.create(name="Everybody", is_default=True)
    invite.role = MemberRole.ADMIN
    invite.save()
    invite.permission_groups.add(group)
    user = make_user(email="kim@example.org")

    response = client_of(user).post(join_path(invite))

    assert response.status_code == 200
    assert (response.json()["id"], response.json()["role"]) == (organisation.pk, "ADMIN")
    assert response.json()["num_seats"] == 2
    assert set(user.permission_groups.all()) == {group, everybody}
    assert client_of(user).post(join_path(invite)).status_code == 404
    assert not Invite.objects.exists()


def test_the_letter_case_of_an_invited_address_makes_no_difference(client_of, organisation, invite):
    Invite.objects.update(email="KIM@Example.org")

    assert client_of(make_user(email="kim@example.org")).post(join_path(invite)).status_code == 200


def test_an_invitation_is_for_its_address_only(client_of, stranger, organisation, invite):
    response = client_of(stranger).post(join_path(invite))

    assert response.status_code == 400
    assert response.json()["detail"] == "Registered email does not match invited email"
    assert not organisation.memberships.filter(user=stranger).exists()
    assert Invite.objects.exists()


def test_a_member_does_not_join_again(client_of, member, organisation, invite):
    Invite.objects.update(email=member.email, role=MemberRole.ADMIN)

    response = client_of(member).post(join_path(invite))

    assert (response.status_code, response.json()["code"]) == (400, "already_member")
    assert organisation.memberships.get(user=member).role == MemberRole.USER


@pytest.mark.django_db(transaction=True)
def test_an_invitation_is_used_once_even_at_once(client_of, organisation, invite):
    user = make_user(email="kim@example.org")

    statuses = at_once(*[lambda: client_of(user).post(join_path(invite)).status_code] * 2)

    assert sorted(statuses) == [200, 404]


@pytest.mark.parametrize("hash", ["nothing", "%00", "a" * 500, "link"])
def test_an_unknown_hash_leads_nowhere(hash, client_of, stranger):
    assert client_of(stranger).post(f"/api/v1/users/join/{hash}/").status_code == 404


def test_nobody_joins_a_deleted_organisation(client_of, organisation, invite):
    link = organisation.invite_links.create()
    organisation.delete()
    client = client_of(make_user(email="kim@example.org"))

    responses = [client.post(join_path(invite)), client.post(f"/api/v1/users/join/link/{link.hash}/")]

    assert [each.status_code for each in responses] == [404, 404]


def test_joining_needs_an_account(client, organisation, invite):
    link = organisation.invite_links.create()

    for path in (join_path(invite), f"/api/v1/users/join/link/{link.hash}/"):
        assert client.post(path).status_code == 401


@pytest.mark.django_db(transaction=True)
def test_an_invitation_withdrawn_meanwhile_is_unknown(organisation, invite):
    user = make_user(email="kim@example.org")

    outcomes = at_once(lambda: accept_invite(invite.hash, user), lambda: Invite.objects.all().delete())

    assert not Invite.objects.exists()
    joined = organisation.memberships.filter(user=user).exists()
    assert joined is (type(outcomes[0]).__name__ == "OrganisationMembership")


def test_links_are_listed_made_and_deleted(admin_client, organisation):
    path = path_of(organisation, "invite-links/")
    expires_at = timezone.now() + timedelta(days=1)

    for_users = admin_client.post(path)
    for_admins = admin_client.post(
        path, {"role": "ADMIN", "expires_at": expires_at, "hash": "mine", "date_created": None}
    )
    listed = admin_client.get(path)
    deleted = admin_client.delete(f"{path}{for_users.json()['id']}/")

    assert [each.status_code for each in (for_users, for_admins, deleted)] == [201, 201, 204]
    assert listed.json() == [for_users.json(), for_admins.json()]
    link = organisation.invite_links.get()
    assert for_admins.json() == {
        "id": link.pk,
        "hash": link.hash,
        "date_created": link.date_created.isoformat().replace("+00:00", "Z"),
        "role": "ADMIN",
        "expires_at": expires_at.isoformat().replace("+00:00", "Z"),
    }
    assert len(link.hash) == 22
    assert (for_users.json()["role"], for_users.json()["expires_at"]) == ("USER", None)


def test_links_are_made_anew_and_not_changed(admin_client, organisation):
    path = path_of(organisation, f"invite-links/{organisation.invite_links.create().pk}/")

    responses = [admin_client.get(path), admin_client.put(path, {}), admin_client.patch(path, {})]

    assert [each.status_code for each in responses] == [405] * 3


def test_links_are_for_administrators(client_of, admin_client, member, stranger, organisation):
    link = organisation.invite_links.create()
    theirs = stranger.organisations.get().invite_links.create()
    path = path_of(organisation, "invite-links/")

    for user in (member, stranger):
        client = client_of(user)
        responses = [client.get(path), client.post(path), client.delete(f"{path}{link.pk}/")]
        assert [each.status_code for each in responses] == [403] * 3
    assert admin_client.delete(f"{path}{theirs.pk}/").status_code == 404
    assert set(organisation.invite_links.all()) == {link}


def test_whoever_has_a_link_joins_by_it(client_of, organisation, admin):
    link = organisation.invite_links.create(role=MemberRole.ADMIN)

    for _ in range(2):
        response = client_of(make_user()).post(f"/api/v1/users/join/link/{link.hash}/")
        assert (response.status_code, response.json()["role"]) == (200, "ADMIN")
    assert organisation.memberships.count() == 3


def test_nobody_joins_by_a_link_twice(client_of, organisation, member, admin):
    link = organisation.invite_links.create(role=MemberRole.ADMIN)

    response = client_of(member).post(f"/api/v1/users/join/link/{link.hash}/")

    assert (response.status_code, response.json()["code"]) == (400, "already_member")
    assert organisation.memberships.get(user=member).role == MemberRole.USER


@pytest.mark.parametrize("hash", ["nothing", "%00", "a" * 500])
def test_an_unknown_link_leads_nowhere(hash, client_of, stranger):
    assert client_of(stranger).post(f"/api/v1/users/join/link/{hash}/").status_code == 404


def test_an_expired_link_says_so(client_of, stranger, organisation, admin):
    link = organisation.invite_links.create(expires_at=timezone.now())

    response = client_of(stranger).post(f"/api/v1/users/join/link/{link.hash}/")

    assert (response.status_code, response.json()["detail"]) == (400, "Invite has expired")


def test_links_can_be_turned_off(settings, admin_client, client_of, stranger, member, organisation):
    link = organisation.invite_links.create()
    settings.DISABLE_INVITE_LINKS = True
    path = path_of(organisation, "invite-links/")

    managing = [admin_client.get(path), admin_client.post(path), admin_client.delete(f"{path}{link.pk}/")]
    joining = client_of(stranger).post(f"/api/v1/users/join/link/{link.hash}/")

    answers = [(each.status_code, each.json()["detail"]) for each in (*managing, joining)]
    assert answers == [(400, "Invite links are disabled.")] * 3 + [(403, "Invite links are disabled.")]
    assert client_of(member).get(path).status_code == 403
