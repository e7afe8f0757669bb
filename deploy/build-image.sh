#!/bin/sh
# Builds the image with whichever of docker, podman and buildah is there.
#   BASE=...    the base image, where the default cannot be reached
#   WHEELS=DIR  a folder of wheels, where no package index can be reached (podman and buildah)
#   IMAGE=...   the name to give it
set -eu
cd "$(dirname "$0")/.."

image="${IMAGE:-localhost/lockstep:latest}"
set --
[ -z "${BASE:-}" ] || set -- "$@" --build-arg "BASE=$BASE"
[ -z "${WHEELS:-}" ] || set -- "$@" --volume "$WHEELS:/wheels:ro" --build-arg "PIP_ARGS=--no-index --find-links /wheels"

if command -v docker >/dev/null && docker info >/dev/null 2>&1; then
  exec docker build "$@" --tag "$image" .
elif command -v podman >/dev/null; then
  exec podman build --format docker "$@" --tag "$image" .
elif command -v buildah >/dev/null; then
  # chroot needs no privileges that a CI machine lacks; the docker format keeps the health check.
  exec buildah build --isolation "${BUILDAH_ISOLATION:-chroot}" --format docker "$@" --tag "$image" .
fi
echo "To build the image, install docker, podman or buildah." >&2
exit 1
