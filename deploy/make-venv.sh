#!/bin/sh
# Make a virtual environment in the folder $1 with Python 3.11 or newer.
set -eu

if [ -x "$1/bin/python" ] && "$1/bin/python" -m pip --version >/dev/null 2>&1; then
    exit 0
fi

python=
for each in python3.11 python3.12 python3.13 python3; do
    if "$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$each
        break
    fi
done
if [ -z "$python" ]; then
    echo 'Python 3.11 or newer is needed: install python3' >&2
    exit 1
fi

# Debian keeps ensurepip in a package of its own
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if [ "$(id -u)" -ne 0 ]; then
        echo "this Python cannot make environments: install python$version-venv" >&2
        exit 1
    fi
    echo "installing python$version-venv" >&2
    apt-get -qq -o DPkg::Lock::Timeout=120 update
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=120 \
        install --no-install-recommends "python$version-venv" >/dev/null
fi

echo "making the environment $1 with $python" >&2
rm -rf "$1"
"$python" -m venv "$1"
