# Switchover as one image: `up` (everything, with its own store), `serve` or `worker`.
#
#   docker build -t switchover .
#   docker run --init --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
#     -v switchover-state:/var/lib/switchover -v "$PWD/my.yaml:/etc/switchover/switchover.yaml:ro" \
#     --env-file .env -p 127.0.0.1:8080:8080 switchover
#
# Only two places are written to: /var/lib/switchover (the embedded store; a volume, or a tmpfs where
# redis.url names another store) and /tmp. The configuration has to say `server.host: 0.0.0.0`, or read it
# from SWITCHOVER_HOST as config/switchover.yaml does.

# The version that the test suite runs with.
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY requirements.lock requirements-dev.lock ./
# The environment gets no pip of its own; the build tools stay behind in this stage.
RUN python -m venv --without-pip /opt/switchover \
    && pip --python /opt/switchover/bin/python install --require-hashes --only-binary=:all: -r requirements.lock \
    && pip install --require-hashes --only-binary=:all: -r requirements-dev.lock
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY workers workers
COPY config config
COPY sandbox sandbox
RUN python -m hatchling build -t wheel -d /dist \
    && pip --python /opt/switchover/bin/python install --no-index --no-deps /dist/*.whl

FROM python:${PYTHON}
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /var/lib/switchover switchover \
    && install -d -o switchover -g switchover -m 0700 /var/lib/switchover \
    && install -d /etc/switchover
COPY --from=build /opt/switchover /opt/switchover
ENV PATH=/opt/switchover/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1 \
    SWITCHOVER_CONFIG=/etc/switchover/switchover.yaml \
    SWITCHOVER_HOST=0.0.0.0
# By number, so that an orchestrator can see that it is not root.
USER 10001:10001
WORKDIR /var/lib/switchover
VOLUME ["/var/lib/switchover"]
EXPOSE 8080
STOPSIGNAL SIGTERM
# For `up` and `serve` on port 8080; `worker` listens nowhere: turn the check off there.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-I", "-c", "import http.client, sys; c = http.client.HTTPConnection('127.0.0.1', 8080, timeout=4); c.request('GET', '/livez'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["switchover"]
CMD ["up"]
