"""What this installation is: its environment, its secret key, its hosts and its folder."""

from pathlib import Path

from app.settings.environment import env

API_DIR = Path(__file__).resolve().parent.parent.parent.parent
REPOSITORY_DIR = API_DIR.parent

ENV = env.text(
    "ENV", env.text("ENVIRONMENT", "local", help="Read when ENV is unset."), help="Name of this environment."
)
DEBUG = env.boolean("DEBUG", help="Django's debug mode. Never in production.")
SECRET_KEY = env.secret(
    "DJANGO_SECRET_KEY",
    env.secret("SECRET_KEY", help="Read when DJANGO_SECRET_KEY is unset."),
    help="Signs sessions and tokens; all instances share it. `python secret-key-gen.py` makes one.",
)
SECRET_KEY_FALLBACKS = env.secret_items(
    "DJANGO_SECRET_KEY_FALLBACKS",
    help="Earlier secret keys: what they signed or encrypted stays valid while they stand here.",
)
ALLOWED_HOSTS = env.items("DJANGO_ALLOWED_HOSTS", help="Host names that are served; `*` for all.")
CSRF_TRUSTED_ORIGINS = [
    origin
    for item in env.items("DJANGO_CSRF_TRUSTED_ORIGINS", help="Origins trusted for unsafe requests.")
    for origin in ([item] if "://" in item else [f"https://{item}", f"http://{item}"])
]
FLAGSMITH_DOMAIN = (
    env.text("FLAGSMITH_DOMAIN", help="Host, with its port if need be, that links in mails lead to.")
    .rpartition("://")[2]
    .strip("/ ")
)
# Whether serving and migrating are refused with an unsafe secret or without hosts.
REFUSE_UNSAFE_SETTINGS = False
SITE_ID = 1
DATA_DIR = Path(
    env.text(
        "DATA_DIR",
        str(REPOSITORY_DIR / ".data"),
        help="Folder of what a machine makes for itself: the secret key and database of local settings.",
    )
)
