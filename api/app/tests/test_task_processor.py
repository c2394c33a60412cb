"""`manage.py run-task-processor`, as it is started."""

import os
import signal
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from app.tests.commands import running
from core.tests.asgi.servers import wait_until
from tasks.models import Job, RecurringTask
from tasks.services import enqueue


@pytest.mark.django_db(transaction=True)
def test_it_runs_what_others_enqueue_and_ends_when_told_to(tmp_path):
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    environment = {"DATABASE_URL": database.geturl(), "DATA_DIR": str(tmp_path)}

    with running(tmp_path / "log", "run-task-processor", "--numthreads=2", **environment) as processor:
        processor.wait_for("Running jobs in 2 threads")
        enqueue("operations.answer_health_check")
        wait_until(lambda: not Job.objects.exists(), lambda: processor.output)
        wait_until(lambda: RecurringTask.objects.filter(name="tasks.delete_old_jobs").exists())

        assert processor.interrupt(signal.SIGTERM) == 0
    assert processor.output.splitlines()[-1] == "Stopped."


def test_numbers_that_mean_nothing_are_refused():
    with pytest.raises(CommandError, match="at least 1"):
        call_command("run-task-processor", numthreads=0)
