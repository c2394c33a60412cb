"""Work in the background."""

from app.settings.environment import env

RUN_BY_PROCESSOR = env.boolean(
    "RUN_BY_PROCESSOR", help="Whether TASK_RUN_METHOD is TASK_PROCESSOR where it is unset."
)
TASK_RUN_METHOD = env.choice(
    "TASK_RUN_METHOD",
    "TASK_PROCESSOR" if RUN_BY_PROCESSOR else "SEPARATE_THREAD",
    ["SEPARATE_THREAD", "TASK_PROCESSOR", "SYNCHRONOUSLY"],
    help="Where jobs run: a thread of each server process, `manage.py run-task-processor`, or the request.",
)
TASK_PROCESSOR_NUM_THREADS = env.integer(
    "TASK_PROCESSOR_NUM_THREADS", 5, at_least=1, help="Jobs that a task processor runs at the same time."
)
TASK_PROCESSOR_SLEEP_INTERVAL_MS = env.integer(
    "TASK_PROCESSOR_SLEEP_INTERVAL_MS",
    500,
    at_least=10,
    help="Milliseconds between two looks for jobs that other processes enqueued.",
)
TASK_PROCESSOR_GRACE_PERIOD_MS = env.integer(
    "TASK_PROCESSOR_GRACE_PERIOD_MS",
    20_000,
    help="Milliseconds that jobs have to end when a task processor is told to; then others get them.",
)
TASK_PROCESSOR_QUEUE_POP_SIZE = env.integer(
    "TASK_PROCESSOR_QUEUE_POP_SIZE",
    10,
    at_least=1,
    help="Most jobs that are taken at once; never more than there are threads free.",
)
SCHEDULER_API_ENABLED = env.boolean(
    "SCHEDULER_API_ENABLED",
    help="Answer /scheduler/jobs/, for staff and whoever has AUTH_KEY: what recurs, and its last runs.",
)
COUNT_USERS_EVERY_SECONDS = env.integer(
    "COUNT_USERS_EVERY_SECONDS",
    3600,
    at_least=1,
    help="Seconds between two lines of the log that count users.",
)
TASK_BACKOFF_DEFAULT_DELAY_SECONDS = env.integer(
    "TASK_BACKOFF_DEFAULT_DELAY_SECONDS",
    5,
    help="Seconds before a job that failed is run again, doubled with each failure.",
)
ENABLE_TASK_PROCESSOR_HEALTH_CHECK = env.boolean(
    "ENABLE_TASK_PROCESSOR_HEALTH_CHECK", help="Have /health see whether a task processor runs a task."
)
ENABLE_CLEAN_UP_OLD_TASKS = env.boolean(
    "ENABLE_CLEAN_UP_OLD_TASKS", True, help="Delete jobs that were finished long ago."
)
TASK_DELETE_RETENTION_DAYS = env.integer(
    "TASK_DELETE_RETENTION_DAYS", 30, help="Days that a finished job stays to be looked at."
)
RECURRING_TASK_RUN_RETENTION_DAYS = env.integer(
    "RECURRING_TASK_RUN_RETENTION_DAYS", 30, help="The same for runs of recurring tasks."
)
TASK_DELETE_INCLUDE_FAILED_TASKS = env.boolean(
    "TASK_DELETE_INCLUDE_FAILED_TASKS", help="Delete jobs that died, too."
)
TASK_DELETE_BATCH_SIZE = env.integer(
    "TASK_DELETE_BATCH_SIZE", 2000, at_least=1, help="Jobs that one statement deletes."
)
TASK_DELETE_RUN_TIME = env.time_of_day(
    "TASK_DELETE_RUN_TIME", "01:00", help="When that begins, by the 24-hour clock, in UTC."
)
TASK_DELETE_RUN_EVERY = env.integer(
    "TASK_DELETE_RUN_EVERY", 86_400, at_least=1, help="Seconds between two times."
)
