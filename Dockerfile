# Lockstep in an image: slim, not root, no build tools left inside.
#
#   make image                          with docker, podman or buildah, whichever is there
#   make image BASE=registry.example/python:3.13-slim
#
# BASE is any Debian-like image with Python 3.11 or later. Where no package index can be reached, mount a folder
# of wheels at /wheels and set PIP_ARGS to "--no-index --find-links /wheels".
ARG BASE=docker.io/library/python:3.13-slim

FROM ${BASE} AS build
ARG PIP_ARGS=""
WORKDIR /src
COPY requirements/ requirements/
# pip runs from the base where it has one, else from its own wheel: neither stays in the final image.
RUN python3 -m venv --without-pip /opt/lockstep \
 && if python3 -m pip --version >/dev/null 2>&1; then pip="python3 -m pip"; else pip="python3 $(ls /wheels/pip-*.whl)/pip"; fi \
 && printf '#!/bin/sh\nexec %s --python /opt/lockstep/bin/python --disable-pip-version-check --no-cache-dir "$@"\n' "$pip" > /usr/local/bin/install-into \
 && chmod +x /usr/local/bin/install-into \
 && install-into install ${PIP_ARGS} --require-hashes -r requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY console/ console/
COPY drift/ drift/
COPY lockstep/ lockstep/
COPY pipelines/ pipelines/
COPY sync/ sync/
COPY webhooks/ webhooks/
COPY examples/ examples/
RUN python3 -m venv --without-pip /opt/build \
 && sed -i 's#/opt/lockstep/bin/python#${INTO:-/opt/lockstep}/bin/python#' /usr/local/bin/install-into \
 && INTO=/opt/build install-into install ${PIP_ARGS} --require-hashes -r requirements/build.txt \
 && /opt/build/bin/hatchling build -t wheel -d /dist \
 && install-into install --no-deps --no-index /dist/*.whl

FROM ${BASE}
# git and ssh do the mirroring; everything else is in the virtual environment.
RUN command -v git >/dev/null && command -v ssh >/dev/null || { \
      apt-get update && apt-get install --yes --no-install-recommends git git-lfs openssh-client ca-certificates \
      && rm -rf /var/lib/apt/lists/*; }
RUN groupadd --gid 10001 lockstep \
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
