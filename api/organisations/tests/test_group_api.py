"""Groups over HTTP."""

import pytest

from core.tests.threads import at_once
from organisations.exceptions import GroupGoneError
from organisations.models import Group, GroupMembership, MemberRole, Organisation
from organisations.services import add_to_group, delete_group, leave, remove_from_group, update_group
from permissions.tests.factories import grant
from users.tests.factories import make_user


def path_of(organisation: Organisation, rest: str = "") -> str:
    return f"/api/v1/organisations/{organisation.pk}/groups/{rest}"


def ids_in(group: Group) -> set[int]:
    return set(group.memberships.values_list("user_id", flat=True))


@pytest.fixture
def group(organisation) -> Group:
    return organisation.groups.create(name="Developers")


@pytest.fixture
def theirs(stranger) -> Group:
    """A group of another organisation."""
    return stranger.organisations.get().groups.create(name="Theirs", is_default=True)


@pytest.fixture
def manager(organisation):
    """A member who may manage groups."""
    user = make_user()
    organisation.memberships.create(user=user)
    grant(user, organisation, "MANAGE_USER_GROUPS")
    return user


@pytest.fixture
def group_admin(organisation, group):
    """A member who administers `group`."""
    user = make_user()
    organisation.memberships.create(user=user)
    group.memberships.create(user=user, is_admin=True)
    return user


def test_a_group_in_full(admin_client, organisation, group, group_admin, member):
    group.memberships.create(user=member)

    response = admin_client.get(path_of(organisation, f"{group.pk}/"))

    assert response.status_code == 200
    assert response.json() == {
        "id": group.pk,
        "name": "Developers",
        "users": [
            {
                "id": user.pk,
                "email": user.email,
                "first_name": "Kim",
                "last_name": "",
                "last_login": None,
                "group_admin": is_admin,
            }
            for user, is_admin in [(group_admin, True), (member, False)]
        ],
        "is_default": False,
        "external_id": None,
    }


def test_a_group_is_made_changed_and_deleted(client_of, manager, organisation, member):
    client = client_of(manager)

    made = client.post(path_of(organisation), {"name": "QA", "users": [{"id": member.pk}]})
    path = path_of(organisation, f"{made.json()['id']}/")
    changed = client.put(path, {"name": "Testers", "external_id": "crm-7", "users": [{"id": member.pk}]})
    patched = client.patch(path, {"is_default": True})
    deleted = client.delete(path)

    assert [each.status_code for each in (made, changed, patched, deleted)] == [201, 200, 200, 204]
    assert patched.json() == {
        "id": made.json()["id"],
        "name": "Testers",
        "users": [],
        "is_default": True,
        "external_id": "crm-7",
    }
    assert not organisation.groups.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "QA", "external_id": "x" * 256}, "external_id"),
        ({"name": "QA", "external_id": "taken"}, "external_id"),
        ({"name": "QA", "is_default": None}, "is_default"),
    ],
)
def test_a_malformed_group_is_refused(body, field, admin_client, organisation):
    organisation.groups.create(name="Developers", external_id="taken")

    response = admin_client.post(path_of(organisation), body)

    assert (response.status_code, list(response.json())) == (400, [field])
    assert organisation.groups.count() == 1


def test_an_external_id_is_taken_in_its_own_organisation_only(admin_client, organisation, theirs):
    theirs.external_id = "crm-7"
    theirs.save()

    made = admin_client.post(path_of(organisation), {"name": "QA", "external_id": "crm-7"})
    same = admin_client.patch(path_of(organisation, f"{made.json()['id']}/"), {"external_id": "crm-7"})
    none = [admin_client.post(path_of(organisation), {"name": "QA", "external_id": ""}) for _ in range(2)]

    assert [each.status_code for each in (made, same, *none)] == [201, 200, 201, 201]
    assert none[0].json()["external_id"] is None


def test_who_manages_no_group_sees_none_and_makes_none(client_of, organisation, group, member):
    group.memberships.create(user=member)
    client, path = client_of(member), path_of(organisation, f"{group.pk}/")

    listed = client.get(path_of(organisation)).json()
    hidden = [
        client.get(path),
        client.put(path, {"name": "Mine"}),
        client.patch(path, {"name": "Mine"}),
        client.delete(path),
        client.post(f"{path}add-users/", {"user_ids": [member.pk]}),
        client.post(f"{path}remove-users/", {"user_ids": [member.pk]}),
    ]
    forbidden = [
        client.post(path_of(organisation), {"name": "Mine"}),
        client.post(f"{path}users/{member.pk}/make-admin"),
        client.post(f"{path}users/{member.pk}/remove-admin"),
    ]

    assert (listed["count"], listed["results"]) == (0, [])
    assert {each.status_code for each in hidden} == {404}
    assert {each.status_code for each in forbidden} == {403}
    group.refresh_from_db()
    assert group.name == "Developers"


def test_a_group_admin_manages_that_group_and_no_other(client_of, organisation, group, group_admin, member):
    other = organisation.groups.create(name="Other")
    other.memberships.create(user=group_admin)
    client = client_of(group_admin)

    listed = client.get(path_of(organisation)).json()["results"]
    added = client.post(path_of(organisation, f"{group.pk}/add-users/"), {"user_ids": [member.pk]})
    elsewhere = client.post(path_of(organisation, f"{other.pk}/add-users/"), {"user_ids": [member.pk]})
    promoted = client.post(path_of(organisation, f"{group.pk}/users/{member.pk}/make-admin"))

    assert [each["name"] for each in listed] == ["Developers"]
    assert [each.status_code for each in (added, elsewhere, promoted)] == [200, 404, 403]
    assert [each["id"] for each in added.json()["users"]] == [group_admin.pk, member.pk]


def test_everyone_sees_their_own_groups_and_the_names_of_all(client_of, organisation, group, member, theirs):
    organisation.groups.create(name="Other")
    group.memberships.create(user=member)
    client = client_of(member)

    mine = client.get(path_of(organisation, "my-groups/")).json()
    summaries = client.get(path_of(organisation, "summaries/")).json()

    assert mine == {
        "count": 1,
        "next": None,
        "previous": None,
        "results": [{"id": group.pk, "name": "Developers"}],
    }
    assert [each["name"] for each in summaries] == ["Developers", "Other"]
    assert list(summaries[0]) == ["id", "name"]


def test_adding_is_once_and_removing_who_is_not_there_does_nothing(
    admin_client, organisation, group, member, stranger
):
    path = path_of(organisation, f"{group.pk}/")

    for _ in range(2):
        added = admin_client.post(f"{path}add-users/", {"user_ids": [member.pk, member.pk]})
    removed = [
        admin_client.post(f"{path}remove-users/", {"user_ids": ids})
        for ids in ([stranger.pk, 999_999], [member.pk], [member.pk], [])
    ]

    assert [each["id"] for each in added.json()["users"]] == [member.pk]
    assert [each.status_code for each in (added, *removed)] == [200] * 5
    assert removed[0].json()["users"] != []
    assert removed[1].json()["users"] == []


def test_one_stranger_among_members_and_nobody_is_added(admin_client, organisation, group, member, stranger):
    response = admin_client.post(
        path_of(organisation, f"{group.pk}/add-users/"), {"user_ids": [member.pk, stranger.pk]}
    )

    assert response.status_code == 400
    assert response.json()["detail"] == f"These users do not belong to the organisation: {stranger.pk}."
    assert ids_in(group) == set()


@pytest.mark.parametrize("body", [{}, {"user_ids": None}, {"user_ids": 1}, {"user_ids": ["a"]}, []])
@pytest.mark.parametrize("action", ["add-users/", "remove-users/"])
def test_malformed_user_ids_are_refused(body, action, admin_client, organisation, group):
    response = admin_client.post(path_of(organisation, f"{group.pk}/{action}"), body)

    assert response.status_code == 400


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ("add-users/", "Non-admin users cannot add themselves to a group."),
        ("remove-users/", "Non-admin users cannot remove themselves from a group."),
    ],
)
def test_only_administrators_decide_about_themselves(
    action, reason, client_of, admin, manager, group_admin, organisation, group
):
    path = path_of(organisation, f"{group.pk}/{action}")
    before = ids_in(group)

    refused = [client_of(user).post(path, {"user_ids": [user.pk]}) for user in (manager, group_admin)]
    unchanged = ids_in(group)
    allowed = client_of(admin).post(path, {"user_ids": [admin.pk]})

    assert [(each.status_code, each.json()["detail"]) for each in refused] == [(403, reason)] * 2
    assert unchanged == before
    assert allowed.status_code == 200


@pytest.mark.parametrize("slash", ["", "/"])
def test_administrators_make_group_admins_and_take_it_back(slash, admin_client, organisation, group, member):
    membership = group.memberships.create(user=member)
    path = path_of(organisation, f"{group.pk}/users/{member.pk}/")

    made = admin_client.post(f"{path}make-admin{slash}")
    membership.refresh_from_db()
    was_admin = membership.is_admin
    removed = admin_client.post(f"{path}remove-admin{slash}")
    membership.refresh_from_db()

    assert [(each.status_code, each.content) for each in (made, removed)] == [(200, b"")] * 2
    assert (was_admin, membership.is_admin) == (True, False)


def test_who_is_not_in_the_group_is_no_admin_of_it(admin_client, organisation, group, member, stranger):
    statuses = {
        admin_client.post(path_of(organisation, f"{group.pk}/users/{user_id}/{action}")).status_code
        for user_id in (member.pk, stranger.pk, 999_999)
        for action in ("make-admin", "remove-admin")
    }

    assert statuses == {404}


def test_groups_of_another_organisation_are_out_of_reach(admin_client, organisation, theirs, stranger, admin):
    theirs.memberships.create(user=stranger)
    path = path_of(organisation, f"{theirs.pk}/")

    responses = [
        admin_client.get(path),
        admin_client.put(path, {"name": "Mine"}),
        admin_client.delete(path),
        admin_client.post(f"{path}add-users/", {"user_ids": [admin.pk]}),
        admin_client.post(f"{path}remove-users/", {"user_ids": [stranger.pk]}),
        admin_client.post(f"{path}users/{stranger.pk}/make-admin"),
    ]

    assert {each.status_code for each in responses} == {404}
    assert ids_in(theirs) == {stranger.pk}
    assert admin_client.get(path_of(stranger.organisations.get())).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_who_leaves_while_being_added_is_in_no_group(organisation, admin, group, member):
    for _ in range(5):
        at_once(lambda: leave(organisation, member), lambda: add_to_group(group, [member.pk], actor=admin))

        assert not group.memberships.exists()
        organisation.memberships.create(user=member, role=MemberRole.USER)


def test_a_group_that_was_deleted_meanwhile_is_neither_changed_nor_filled(organisation, admin, group):
    deleted = Group.objects.get(pk=group.pk)
    delete_group(group)

    for change in (
        lambda: update_group(deleted, name="Renamed"),
        lambda: add_to_group(deleted, [admin.pk], actor=admin),
        lambda: remove_from_group(deleted, [], actor=admin),
        lambda: delete_group(deleted),
    ):
        with pytest.raises(GroupGoneError):
            change()


@pytest.mark.django_db(transaction=True)
def test_a_group_that_is_deleted_while_somebody_is_added_is_gone(organisation, admin, group, member):
    group.memberships.create(user=member)

    outcomes = at_once(
        lambda: delete_group(Group.objects.get(pk=group.pk)),
        lambda: add_to_group(group, [member.pk], actor=admin),
    )

    assert {type(each).__name__ for each in outcomes} <= {"NoneType", "GroupGoneError"}
    assert not GroupMembership.objects.exists()
