#!/bin/sh
# Installs the named Debian packages that are missing, where that is possible; says so and goes on where it is not:
# the tests that need them then skip with their reason.
command -v dpkg-query >/dev/null 2>&1 || exit 0
missing=""
for p in "$@"; do
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q "ok installed" || missing="$missing $p"
done
[ -z "$missing" ] && exit 0
as=""
[ "$(id -u)" = 0 ] || as="sudo -n"
export DEBIAN_FRONTEND=noninteractive
if $as apt-get update -qq >/dev/null 2>&1; $as apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1; then
    echo "installed:$missing"
else
    echo "not installed (no right or no network):$missing; tests that need them will skip"
fi
