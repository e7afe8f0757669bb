#!/bin/sh
# Builds the image with whichever of docker, podman and buildah is there.
#   BASE=...      the base image, where the default cannot be reached (build-base.sh makes one)
#   WHEELS=DIR    a folder of wheels, where no package index can be reached (podman and buildah)
#   PIP_ARGS=...  more arguments for pip, such as the address of an index of your own
#   BUILDER=...   docker, podman or buildah, where another than the first that works is meant
#   IMAGE=...     the name to give it
set -eu
cd "$(dirname "$0")/.."

image="${IMAGE:-localhost/lockstep:latest}"
pip_args="${PIP_ARGS:-}"
set --
[ -z "${BASE:-}" ] || set -- "$@" --build-arg "BASE=$BASE"
if [ -n "${WHEELS:-}" ]; then
  set -- "$@" --volume "$(cd "$WHEELS" && pwd):/wheels:ro"
  pip_args="--no-index --find-links /wheels $pip_args"
fi
[ -z "$pip_args" ] || set -- "$@" --build-arg "PIP_ARGS=$pip_args"

works() {
  # docker may be there without a service to speak to.
  command -v "$1" >/dev/null && { [ "$1" != docker ] || docker info >/dev/null 2>&1; }
}
for builder in ${BUILDER:-docker podman buildah}; do
  if works "$builder"; then break; else builder=none; fi
done

case "$builder" in
  docker)
    if [ -n "${WHEELS:-}" ]; then
      echo "docker build mounts no folder: build with podman or buildah, or name an index with PIP_ARGS." >&2
      exit 1
    fi
    exec docker build "$@" --tag "$image" .
    ;;
  podman)
    exec podman build --format docker "$@" --tag "$image" .
    ;;
  buildah)
    # chroot needs no privileges that a CI machine lacks; the docker format keeps the health check.
    exec buildah build --isolation "${BUILDAH_ISOLATION:-chroot}" --format docker "$@" --tag "$image" .
    ;;
esac
echo "To build the image, install docker, podman or buildah." >&2
exit 1
