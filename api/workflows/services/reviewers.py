"""Who is asked to approve a request."""

from collections.abc import Collection
from typing import TypedDict

from django.db.models import Q

from core.errors import InvalidInput
from organisations.models import Group
from users.models import User
from workflows import mails
from workflows.models import Approval, ChangeRequest


class Reviewers(TypedDict, total=False):
    """Who is asked to approve. What is left out stays as it is."""

    user_ids: Collection[int]
    group_ids: Collection[int]


def ask(request: ChangeRequest, reviewers: Reviewers) -> None:
    """Make these all who are asked to approve, and tell those who are new.

    Raises:
        InvalidInput: somebody isn't of the organisation.
    """
    organisation_id = request.project.organisation_id
    if "user_ids" in reviewers:
        wanted = set(reviewers["user_ids"])
        users = User.objects.filter(pk__in=wanted, memberships__organisation=organisation_id)
        if users.count() < len(wanted):
            raise InvalidInput({"approvals": ["User is not a member of the organisation."]})
        approvals = Approval.objects.filter(change_request=request)
        approvals.exclude(user__in=wanted).filter(Q(is_requested=True) | Q(approved_at=None)).delete()
        new = wanted.difference(approvals.values_list("user", flat=True))
        Approval.objects.bulk_create(Approval(change_request=request, user_id=each) for each in sorted(new))
        mails.ask_to_approve(request, users.filter(pk__in=new).order_by("pk"))
    if "group_ids" in reviewers:
        wanted = set(reviewers["group_ids"])
        groups = Group.objects.filter(pk__in=wanted, organisation=organisation_id)
        if groups.count() < len(wanted):
            raise InvalidInput({"group_assignments": ["Group does not belong to the organisation."]})
        assignments = request.group_assignments.all()
        assignments.exclude(group__in=wanted).delete()
        new = wanted.difference(assignments.values_list("group", flat=True))
        for group_id in sorted(new):
            request.group_assignments.create(group_id=group_id)
        members = User.objects.filter(permission_groups__in=new).exclude(pk=request.user_id or 0)
        mails.ask_to_approve(request, members.distinct().order_by("pk"))
