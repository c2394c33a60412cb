"""Jobs as an operator sees them."""

from datetime import timedelta

import pytest
from django.urls import reverse

from tasks import queue
from tasks.models import Job, RecurringTask, State
from tasks.registry import GiveUp, recurring, task
from tasks.services import enqueue, run_due

pytestmark = pytest.mark.django_db


def test_a_dead_job_is_seen_with_its_error_and_run_again_or_discarded(superuser_client):
    @task(name="tests.hopeless", is_sealed=True)
    def hopeless(*, link: str) -> None:
        raise GiveUp("nobody lives there")

    job_id = enqueue(hopeless, arguments={"link": "https://example.org/s3cret"})
    run_due()
    jobs = reverse("admin:tasks_job_changelist")

    listed = superuser_client.get(jobs).content.decode()
    shown = superuser_client.get(reverse("admin:tasks_job_change", args=[job_id])).content.decode()

    assert "nobody lives there" in listed
    assert "1 of 3" in listed
    assert "sealed" in shown
    assert str(Job.objects.get().arguments["sealed"]) not in shown
    for action, state in (("run_again", State.WAITING), ("discard", State.DISCARDED)):
        superuser_client.post(jobs, {"action": action, "_selected_action": job_id})
        assert Job.objects.get().state == state


def test_a_recurring_task_that_was_switched_off_is_switched_on(superuser_client):
    @recurring(name="tests.tidy", every=timedelta(hours=1))
    def tidy() -> None: ...

    queue.see([tidy])
    RecurringTask.objects.update(is_enabled=False, failures_in_a_row=4)

    page = reverse("admin:tasks_recurringtask_changelist")
    superuser_client.post(page, {"action": "switch_on", "_selected_action": "tests.tidy"})

    known = RecurringTask.objects.get()
    assert (known.is_enabled, known.failures_in_a_row) == (True, 0)
    assert queue.enqueue_turns([tidy]) == ["tests.tidy"]
