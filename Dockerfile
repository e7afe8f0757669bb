# Lockstep in an image: slim, not root, no build tools left inside.
#
#   make image                                     with docker, podman or buildah, whichever is there
#   make image BASE=registry.example/python:3.13-slim
#
# BASE is any Debian-like image with Python 3.11 or later. One that has git and ssh is used as it is; else they are
# installed by apt. docs/image.md says how to build it where no registry or no package index can be reached.
ARG BASE=docker.io/library/python:3.13-slim

FROM ${BASE} AS build
ARG PIP_ARGS=""
# Where the base has no pip, it runs from its own wheel; neither stays in the final image. Bytecode is written at the end.
ENV PYTHONPATH=/opt/pip PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements/ requirements/
RUN python3 -m pip --version 2>/dev/null || python3 -m zipfile -e /wheels/pip-*.whl /opt/pip; \
    python3 -m venv --without-pip /opt/lockstep && python3 -m venv --without-pip /opt/build \
 && python3 -m pip --python /opt/lockstep/bin/python install --no-compile --no-deps --require-hashes ${PIP_ARGS} \
      -r requirements/runtime.txt \
 && python3 -m pip --python /opt/build/bin/python install --no-compile --no-deps --require-hashes ${PIP_ARGS} \
      -r requirements/build.txt
COPY . .
# What running imports is compiled, as nobody may write beside it later. Most of what the dependencies bring is never
# imported; leaving that uncompiled halves the time that the build takes.
RUN env -u PYTHONPATH /opt/build/bin/hatchling build -t wheel -d /dist \
 && python3 -m pip --python /opt/lockstep/bin/python install --no-compile --no-deps --no-index /dist/*.whl \
 && cd /opt/lockstep/lib/python3*/site-packages \
 && ../../../bin/python -m compileall -q console drift lockstep pipelines sync webhooks \
 && env -u PYTHONPATH ../../../bin/python -c "import importlib, pkgutil, git.cmd, console.cli, console.service, console.wiring; \
[importlib.import_module('console.cli.' + module.name) for module in pkgutil.iter_modules(console.cli.__path__)]"

FROM ${BASE}
# git and ssh do the mirroring; everything else is in the virtual environment. What the base brings to build with goes.
RUN command -v git >/dev/null && command -v ssh >/dev/null || { \
      apt-get update && apt-get install --yes --no-install-recommends git openssh-client ca-certificates \
      && rm -rf /var/lib/apt/lists/*; } \
 && rm -rf /usr/local/lib/python3*/ensurepip /usr/local/lib/python3*/site-packages/* /usr/local/bin/pip* \
 && groupadd --gid 10001 lockstep \
 && useradd --no-log-init --uid 10001 --gid lockstep --shell /usr/sbin/nologin --home-dir /var/lib/lockstep --create-home lockstep \
 && mkdir -p /etc/lockstep
COPY --from=build /opt/lockstep /opt/lockstep
ENV PATH=/opt/lockstep/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    LOCKSTEP_CONFIG=/etc/lockstep \
    LOCKSTEP_STATE=/var/lib/lockstep
USER lockstep
WORKDIR /var/lib/lockstep
VOLUME /var/lib/lockstep
EXPOSE 8484
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["python3", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8484/healthz', timeout=4)"]
ENTRYPOINT ["lockstep"]
CMD ["serve", "--listen", "0.0.0.0:8484"]
