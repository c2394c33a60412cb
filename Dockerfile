# The image of the API and of the task processor. How to use it: docs/deploying.md.
#
# The Python is the one that the tests run with; the digest names one build of it, for all platforms.
ARG PYTHON=python:3.11.16-slim-bookworm@sha256:2e32f7d302adc1c37428355c1e646897c0c53f4fd60b6a551245fb90ee129f91

# What the server needs of PyPI. All of it comes as wheels: nothing is compiled, so there is no compiler.
FROM ${PYTHON} AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /app
COPY requirements.txt ./
RUN python -m venv --without-pip /opt/venv \
    && python -m pip --python /opt/venv/bin/python install --only-binary :all: --require-hashes -r requirements.txt

# For docker-compose.dev.yml, which puts the checkout in place of /app.
FROM packages AS development
COPY requirements-dev.txt ./
RUN python -m pip --python /opt/venv/bin/python install --require-hashes -r requirements.txt -r requirements-dev.txt \
    && install -d -o 65534 -g 65534 /var/lib/burgee /run/burgee
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=app.settings.local \
    DATA_DIR=/var/lib/burgee
USER 65534:65534
EXPOSE 8000
ENTRYPOINT ["/app/docker/entrypoint.sh"]
CMD ["develop"]

# The code, and what its static files are collected from. No setting and no secret is needed for that.
FROM packages AS application
COPY api api
COPY docker docker
COPY LICENSE ./
RUN DJANGO_SETTINGS_MODULE=app.settings.production /opt/venv/bin/python api/manage.py collectstatic --noinput \
    && /opt/venv/bin/python -m compileall -q api

# The last stage is the one that `docker build .` makes.
FROM ${PYTHON} AS server
# Nobody, by number: Kubernetes can see then that it isn't root.
RUN install -d -o 65534 -g 65534 /var/lib/burgee /var/lib/burgee/snapshots /run/burgee
COPY --from=packages /opt/venv /opt/venv
COPY --from=application /app /app
ARG CI_COMMIT_SHA=unknown
RUN echo "$CI_COMMIT_SHA" > /app/CI_COMMIT_SHA
ARG ACCESS_LOG_LOCATION=/dev/null
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=app.settings.production \
    DATA_DIR=/var/lib/burgee \
    ACCESS_LOG_LOCATION=${ACCESS_LOG_LOCATION} \
    GUNICORN_WORKERS=3 \
    GUNICORN_THREADS=2 \
    PORT=8000
WORKDIR /app/api
USER 65534:65534
EXPOSE 8000
HEALTHCHECK --interval=2s --timeout=2s --start-period=20s --retries=3 \
    CMD ["python", "-I", "-S", "/app/docker/healthcheck.py", "http"]
ENTRYPOINT ["/app/docker/entrypoint.sh"]
CMD ["migrate-and-serve"]
