"""What would grow for ever is deleted when it is old."""

from datetime import timedelta

import pytest
from axes.models import AccessLog
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.models import MailKind, SentMail
from accounts.tasks import forget_sent_mails
from analytics.models import RequestBucket, Resource
from analytics.tasks import delete_old_counts
from app.tasks import delete_expired_sessions, delete_expired_throttle_counters, delete_old_sign_ins
from core.models import ThrottleCounter
from tasks import registry
from tasks.models import Job, State
from tasks.tasks import delete_old_jobs
from users.tests.factories import make_user

pytestmark = pytest.mark.django_db


def test_every_sweep_recurs_by_itself():
    assert {each.name for each in registry.recurring_tasks()}.issuperset(
        {
            "accounts.forget_sent_mails",
            "analytics.delete_old_counts",
            "app.delete_answers_to_expired_keys",
            "app.delete_expired_sessions",
            "app.delete_expired_throttle_counters",
            "app.delete_old_sign_ins",
            "operations.remember_table_sizes",
            "tasks.delete_old_jobs",
            "webhooks.forget_old_events",
            "webhooks.resume_sending",
        }
    )


def test_jobs_are_kept_for_a_while_dead_ones_longer_and_unfinished_ones_for_ever(settings):
    long_ago = timezone.now() - timedelta(days=31)
    settings.TASK_DELETE_BATCH_SIZE = 1
    settings.RECURRING_TASK_RUN_RETENTION_DAYS = 40
    for state in (*State, State.DONE):
        Job.objects.create(task="old", state=state, most_attempts=1, finished_at=long_ago)
    Job.objects.create(task="turn", state=State.DONE, most_attempts=1, finished_at=long_ago, due_at=long_ago)
    Job.objects.create(task="new", state=State.DONE, most_attempts=1, finished_at=timezone.now())

    delete_old_jobs()

    kept = [(each.task, each.state) for each in Job.objects.order_by("task", "state")]
    assert kept == [
        ("new", "done"),
        ("old", "dead"),
        ("old", "running"),
        ("old", "waiting"),
        ("turn", "done"),
    ]
    settings.TASK_DELETE_INCLUDE_FAILED_TASKS = True
    settings.ENABLE_CLEAN_UP_OLD_TASKS = False
    delete_old_jobs()
    assert Job.objects.filter(state=State.DEAD).exists()
    settings.ENABLE_CLEAN_UP_OLD_TASKS = True
    delete_old_jobs()
    assert not Job.objects.filter(state=State.DEAD).exists()


def test_what_ended_by_itself_is_deleted():
    now = timezone.now()
    user = make_user()
    for days in (0, 100):
        moment = now - timedelta(days=days)
        ThrottleCounter.objects.create(key=f"{days}", hits=[moment], expires_at=moment + timedelta(hours=1))
        Session.objects.create(session_key=f"{days}", expire_date=moment + timedelta(hours=1))
        log = AccessLog.objects.create(username="kim")
        AccessLog.objects.filter(pk=log.pk).update(attempt_time=moment)
        note = SentMail.objects.create(user=user, kind=MailKind.ACTIVATION)
        SentMail.objects.filter(pk=note.pk).update(sent_at=moment)
        RequestBucket.objects.create(
            environment_id=1, started_at=moment, resource=Resource.FLAGS, total_count=1
        )

    for sweep in (
        delete_expired_throttle_counters,
        delete_expired_sessions,
        delete_old_sign_ins,
        forget_sent_mails,
        delete_old_counts,
    ):
        sweep()

    kept = [model.objects.count() for model in (ThrottleCounter, Session, AccessLog, SentMail, RequestBucket)]
    assert kept == [1] * 5
