"""Beginning a new installation."""

from app.settings.environment import env

ALLOW_ADMIN_INITIATION_VIA_URL = env.boolean(
    "ALLOW_ADMIN_INITIATION_VIA_URL",
    True,
    help="Let a GET of /api/v1/users/init/ create the first superuser.",
)
ALLOW_ADMIN_INITIATION_VIA_CLI = env.boolean(
    "ALLOW_ADMIN_INITIATION_VIA_CLI", help="Let `manage.py bootstrap` and its single steps create anything."
)
ADMIN_USERNAME = env.text("ADMIN_USERNAME", help="User name of the superuser that those two create.")
ADMIN_EMAIL = env.text("ADMIN_EMAIL", "admin@example.com", help="E-mail address of that superuser.")
ADMIN_INITIAL_PASSWORD = env.secret(
    "ADMIN_INITIAL_PASSWORD", help="Password of that superuser; unset: they choose one by a link."
)
ORGANISATION_NAME = env.text(
    "ORGANISATION_NAME", "Default Organisation", help="Name of the organisation that bootstrap creates."
)
PROJECT_NAME = env.text("PROJECT_NAME", "Default Project", help="Name of the project that bootstrap creates.")
