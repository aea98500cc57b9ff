# Sourced by the scripts beside it: makes .venv in the project's root, or reuses it.
#   make_environment EXTRAS     EXTRAS: "", "[test]" or "[fuzz]"
# The exact versions come from constraints.txt, so that a fresh machine gets a known-good set.

find_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3.13 python3.12 python3.11 python3; do
        [ -n "$candidate" ] || continue
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "Python 3.11 or newer is needed and none was found (tried \$PYTHON, python3.13 to python3.11, python3)." >&2
    return 1
}

make_environment() {
    local extras="$1" python stamp wanted
    python="$(find_python)" || return 1
    if [ ! -x .venv/bin/python ]; then
        echo "Making a virtual environment in .venv ($("$python" --version))" >&2
        if ! "$python" -m venv .venv; then
            echo "$python cannot make a virtual environment; on Debian: apt-get install python3-venv" >&2
            rm -rf .venv
            return 1
        fi
    fi
    stamp=".venv/installed$extras"
    wanted="$(cat pyproject.toml constraints.txt | sha256sum)"
    if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ]; then
        echo "Installing the project and what it needs (once)" >&2
        # Newer versions of pip show warnings of the build backend that say nothing about this project.
        PYTHONWARNINGS=ignore .venv/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
            --editable ".$extras" || return 1
        echo "$wanted" >"$stamp"
    fi
}
