"""Settings that hold everywhere: a module for each subject. These alone read the process environment.

The modules beside this package say only what is different: `local` (a developer's machine), `develop` (a
shared test installation), `production`, and `test`.
"""

from app.settings.common.admin import *  # noqa: F403
from app.settings.common.applications import *  # noqa: F403
from app.settings.common.audit import *  # noqa: F403
from app.settings.common.background import *  # noqa: F403
from app.settings.common.caches import *  # noqa: F403
from app.settings.common.cookies import *  # noqa: F403
from app.settings.common.counts import *  # noqa: F403
from app.settings.common.dashboards import *  # noqa: F403
from app.settings.common.databases import *  # noqa: F403
from app.settings.common.error_reports import *  # noqa: F403
from app.settings.common.gone import *  # noqa: F403
from app.settings.common.http import *  # noqa: F403
from app.settings.common.identities import *  # noqa: F403
from app.settings.common.initialisation import *  # noqa: F403
from app.settings.common.installation import *  # noqa: F403
from app.settings.common.limits import *  # noqa: F403
from app.settings.common.logs import *  # noqa: F403
from app.settings.common.mail import *  # noqa: F403
from app.settings.common.migrations import *  # noqa: F403
from app.settings.common.monitoring import *  # noqa: F403
from app.settings.common.ofrep import *  # noqa: F403
from app.settings.common.rest_framework import *  # noqa: F403
from app.settings.common.server import *  # noqa: F403
from app.settings.common.service_routes import *  # noqa: F403
from app.settings.common.signing_in import *  # noqa: F403
from app.settings.common.snapshots import *  # noqa: F403
from app.settings.common.static_files import *  # noqa: F403
from app.settings.common.telemetry import *  # noqa: F403
from app.settings.common.tls import *  # noqa: F403
from app.settings.common.traces import *  # noqa: F403
