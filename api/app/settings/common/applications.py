"""Django: its applications, middleware and templates."""

from app.settings.environment import env

INSTALLED_APPS = [
    "accounts.admin_site.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.sites",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "axes",
    "corsheaders",
    "djoser",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "pgtrigger",
    "rest_framework",
    "rest_framework.authtoken",
    "core",
    "tasks",
    "mails",
    "webhooks",
    "users",
    "permissions",
    "audit",
    "organisations",
    "projects",
    "accounts",
    "metadata",
    "environments",
    "segments",
    "identities",
    "features",
    "analytics",
    "health",
    "integrations",
    "audit_log",
    "workflows",
    "documents",
    "releases",
    "moving",
    "sdk",
    "operations",
    "app",
]
ENABLE_GZIP_COMPRESSION = env.boolean(
    "ENABLE_GZIP_COMPRESSION", help="Compress answers for clients that take gzip."
)
MIDDLEWARE = [
    "core.logs.middleware.RequestIdMiddleware",
    "core.middleware.ResponseHeadersMiddleware",
    *(["django.middleware.gzip.GZipMiddleware"] if ENABLE_GZIP_COMPRESSION else []),
    "operations.middleware.RouteMiddleware",
    "operations.middleware.ProbesMiddleware",
    "core.middleware.OptionalSlashMiddleware",
    "core.middleware.AdminAddressesMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "core.middleware.BodyLimitMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "audit.middleware.CauseMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "environments.middleware.PublishedRevisionsMiddleware",
    "core.middleware.ServiceKeyMiddleware",
    "core.middleware.RehearsalMiddleware",
    "app.front_end.FrontEndMiddleware",
]
ROOT_URLCONF = "app.urls"
WSGI_APPLICATION = "app.wsgi.application"  # runserver
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
