#!/bin/sh
# Install what the tests need beside Python: Mosquitto, Chromium, Chinese fonts.
set -eu

# a user's path often lacks the folder where Debian puts mosquitto
PATH=$PATH:/usr/sbin
missing=
command -v mosquitto >/dev/null || missing="$missing mosquitto"
command -v chromium >/dev/null || missing="$missing chromium"
dpkg -s fonts-noto-cjk 2>/dev/null | grep -q 'ok installed' || missing="$missing fonts-noto-cjk"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
    echo "the tests need these packages:$missing" >&2
    exit 1
fi
echo "installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get -qq -o DPkg::Lock::Timeout=120 update
# shellcheck disable=SC2086  # a list of names
apt-get -qq -y -o DPkg::Lock::Timeout=120 install --no-install-recommends $missing >/dev/null
