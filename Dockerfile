# Track Center in one image: `serve`, `worker` and every other command.
#
#   docker build -t track-center .
#
# Both stages stand on the same Python, because the environment made in the first names it. Pip's own
# settings (a mirror, say) are build arguments in the usual names: --build-arg PIP_INDEX_URL=…

FROM python:3.11-slim-bookworm AS build
ARG PIP_INDEX_URL
RUN useradd --uid 10002 --create-home build && install -d -o build -g build /build /opt/trackcenter
USER 10002
WORKDIR /build
# The packages first: they change seldom, and this step is the long one.
COPY --chown=build:build requirements/ requirements/
COPY --chown=build:build tools/ tools/
RUN python -m tools.image packages /opt/trackcenter
COPY --chown=build:build pyproject.toml hatch_build.py LICENSE README.md ./
COPY --chown=build:build web/ web/
COPY --chown=build:build src/ src/
RUN python -m tools.image project /opt/trackcenter

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --no-create-home --home-dir /data trackcenter \
    && install -d -m 700 -o trackcenter -g trackcenter /data
COPY --from=build --chown=root:root /opt/trackcenter /opt/trackcenter
ENV PATH=/opt/trackcenter/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TRACKCENTER_DATA=/data
USER 10001:10001
WORKDIR /data
# The only places that are written to: keys (and, without settings of their own, files and the
# embedded database) in /data, what passes through in /tmp. The rest may be mounted read-only.
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=12s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz', timeout=10)"]
ENTRYPOINT ["trackcenter"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
