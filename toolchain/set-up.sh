#!/bin/sh
# Finds a Python and has set_up.py make an environment with it: set-up.sh STAGE [PYTHON], the stages being those of set_up.py.
# An environment keeps its Python until another is asked for. This is sh because there may be no Python at all.
set -u
here=$(CDPATH='' cd -- "${0%/*}" && pwd)
needed='Python 3.11 or newer'
asked=${2-}
old=

# Sets `version`, empty when it does not run, as a pyenv shim may not; fails when it does not or is too old.
fits() {
    version=$("$1" -E -s -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null </dev/null)
    case $version in '' | [12].* | 3.[0-9].* | 3.10.*) return 1 ;; esac
}

refuse() {
    printf '%s\n' "$@" >&2
    exit 2
}

if [ -n "$asked" ]; then
    another="Name one that does, PYTHON=/path/to/python3.12, or leave PYTHON out to have one found."
    fits "$asked" || {
        [ -n "$version" ] || refuse "PYTHON=$asked does not run, and this needs $needed." "$another"
        refuse "PYTHON=$asked is Python $version, and this needs $needed." "$another"
    }
    exec "$asked" -I "$here/set_up.py" "$1"
fi

for python in "$here/../.venv/bin/python" python3.11 python3.12 python3.13 python3 python; do
    fits "$python" && exec "$python" -I "$here/set_up.py" "$1"
    [ -z "$version" ] || old="$old
$python is Python $version."
done
refuse "This needs $needed, and there is none on the PATH.$old" \
    "Install one, or name one that is elsewhere: make demo PYTHON=/path/to/python3.12"
