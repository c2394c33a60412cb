"""Counting tasks, in whichever process they are enqueued and run."""

from operations.metrics import families
from tasks import figures
from tasks.registry import Task


class TaskMetrics:
    def enqueued(self, task: str) -> None:
        families.tasks_enqueued.labels(task).inc()

    def finished(self, task: Task[...], *, succeeded: bool, seconds: float) -> None:
        kind = "standard" if task.every is None else "recurring"
        labels = (task.name, kind, "success" if succeeded else "failure")
        families.tasks_finished.labels(*labels).inc()
        families.task_durations.labels(*labels).observe(seconds)


figures.observe(TaskMetrics())
