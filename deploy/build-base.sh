#!/bin/sh
# Makes a base image for the Dockerfile where no registry can be reached: Debian by debootstrap, with Python, git
# and ssh, put together by buildah. As root, with the packages debootstrap and buildah.
#   IMAGE=...   the name to give it
#   SUITE=...   the Debian release: 12 (bookworm) or later, for its Python
#   MIRROR=...  where its packages are, where that is not where this machine's own come from
set -eu

image="${IMAGE:-localhost/lockstep-base:latest}"
suite="${SUITE:-bookworm}"
mirror="${MIRROR:-$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 2>/dev/null | awk -v suite="$suite" '$2 == suite {print $1; exit}')}"
# debootstrap does not know the proxy that apt is configured with.
eval "$(apt-config shell http_proxy Acquire::http::Proxy 2>/dev/null)"
[ -z "${http_proxy:-}" ] || export http_proxy

container=$(buildah from scratch)
trap 'buildah rm "$container" >/dev/null' EXIT
root=$(buildah mount "$container")

echo "Debian $suite by debootstrap, straight into the image"
debootstrap --foreign --variant=minbase --include=python3,git,openssh-client,ca-certificates \
  "$suite" "$root" "${mirror:-http://deb.debian.org/debian}" >"$root.log" 2>&1 || { tail -n 20 "$root.log" >&2; exit 1; }
# What nobody reads in a container is not unpacked, and a crash in here loses nothing that has to be on the disk.
mkdir -p "$root/etc/dpkg/dpkg.cfg.d"
cat >"$root/etc/dpkg/dpkg.cfg.d/image" <<'LEAN'
force-unsafe-io
path-exclude=/usr/share/doc/*
path-include=/usr/share/doc/*/copyright
path-exclude=/usr/share/info/*
path-exclude=/usr/share/locale/*
path-exclude=/usr/share/man/*
LEAN
# One pass over all packages instead of one for the required and one for the others: half the time.
cat "$root/debootstrap/base" "$root/debootstrap/required" | tr '\n' ' ' >"$root/debootstrap/all"
mv "$root/debootstrap/all" "$root/debootstrap/required"
: >"$root/debootstrap/base"
chroot "$root" /debootstrap/debootstrap --second-stage >"$root.log" 2>&1 || { tail -n 20 "$root.log" >&2; exit 1; }
rm -rf "$root.log" "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/* "$root/dev"/*

echo "Keeping it as $image"
buildah config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
buildah commit --quiet --format docker "$container" "$image"
