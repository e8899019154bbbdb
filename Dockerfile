# One image for the three processes: docker run IMAGE api | watcher | worker (docs/deploy.md).
# Its root may be read-only: what is written goes to /data, /home/supportapi and /tmp.
FROM python:3.13-slim-trixie AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
COPY requirements.lock .
RUN python -m venv --without-pip /venv \
    && python -m pip --python /venv/bin/python install --no-compile --require-hashes -r requirements.lock \
    && find /venv -type d -name tests -prune -exec rm -rf {} +
COPY src /build/src
# A path file does what an installation does, and needs no build tool to be downloaded without a hash (as the Makefile).
RUN mv /build/src /venv/src \
    && echo /venv/src > "$(/venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/supportapi.pth" \
    && printf '#!/bin/sh\nexec /venv/bin/python -m supportapi.cli "$@"\n' > /venv/bin/supportapi \
    && chmod 0755 /venv/bin/supportapi \
    && /venv/bin/python -m compileall -q /venv

FROM python:3.13-slim-trixie
RUN useradd --uid 10001 --user-group --create-home --home-dir /home/supportapi --shell /usr/sbin/nologin supportapi \
    && install -d -o supportapi -g supportapi /data
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 \
    MANIFEST_PATH=/data/manifest.json \
    SUPPORTAPI_HOME=/home/supportapi/home
WORKDIR /home/supportapi
USER 10001:10001
VOLUME ["/data", "/home/supportapi"]
EXPOSE 8000
# Of the API; for watcher and worker it is switched off where they are started: they have no port.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.getenv(\"PORT\", \"8000\")}/api/healthz', timeout=2)"]
ENTRYPOINT ["supportapi"]
CMD ["api"]
