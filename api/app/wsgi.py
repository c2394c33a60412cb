"""The WSGI entry point, for `runserver`, Elastic Beanstalk and other servers. Our own is `app.asgi`."""

import os

from django.core.wsgi import get_wsgi_application

from core.safety import refuse_unsafe_settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "app.settings.production")
refuse_unsafe_settings()

application = get_wsgi_application()
