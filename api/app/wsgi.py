"""The WSGI entry point, for `runserver`, Elastic Beanstalk and other servers. Our own is `app.asgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "app.settings.production")

application = get_wsgi_application()
