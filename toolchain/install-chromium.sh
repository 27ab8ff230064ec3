#!/bin/sh
# Installs Debian's Chromium, and a font: without one a page is made of empty boxes. Root runs it; it asks nothing.
set -u
export DEBIAN_FRONTEND=noninteractive

# Another apt-get may be at work: wait for it.
install() {
    apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 chromium fonts-dejavu-core
}

# Lists of packages are missing in a new container, or too old: only a failure says so.
install >/dev/null 2>&1 && exit
apt-get update -qq
install
