#!/bin/sh
# Installs the programs that the tests need beside Python: on Debian, as root, by apt. Elsewhere it names what
# is missing; pytest then leaves out the tests that need it, by name (with CI=true that is a failure).
set -eu

packages="docker-registry skopeo git-lfs postgresql chromium chromium-driver buildah debootstrap openssh-server openssl"
missing=""
for package in $packages; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing for the tests:$missing"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update
  # shellcheck disable=SC2086 # a list of words is meant
  apt-get -qq install --yes --no-install-recommends $missing >/dev/null
else
  echo "These Debian packages are missing, and the tests that need them are left out:$missing" >&2
fi
