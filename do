#!/usr/bin/env bash
# Everything one does with this repository, from a fresh clone:
#   ./do setup [core|full]   a virtual environment in .venv (full: with torch and the tests' tools)
#   ./do demo                hear the example street
#   ./do test [ARGS]         lint, types, tests; ARGS go to pytest
#   ./do bench NAME [ARGS]   run bench/NAME.py
# PYTHON chooses the interpreter (3.11 or newer), VENV another place than .venv.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
VENV="${VENV:-.venv}"
export PIP_DISABLE_PIP_VERSION_CHECK=1

if [[ -z "${ECHOIC_DATA:-}" && -d ../shared/data ]]; then
    ECHOIC_DATA="$(cd ../shared/data && pwd)"
    export ECHOIC_DATA
fi

die() { echo "do: $*" >&2; exit 1; }

usage() { sed -n '2,7s/^# \{0,1\}//p' do; }

recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

choose_python() {
    local candidate
    if [[ -n "${PYTHON:-}" ]]; then
        recent "$PYTHON" || die "PYTHON=$PYTHON is not a Python of 3.11 or newer"
        echo "$PYTHON"
        return
    fi
    for candidate in python3 python3.13 python3.12 python3.11 python3.14 python; do
        if recent "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    die "no Python of 3.11 or newer found (python3 is $(python3 --version 2>&1 || echo missing));" \
        "name one: PYTHON=/path/to/python ./do ..."
}

hint() { command -v "$1" >/dev/null || echo "do: hint: $1 is not here ($2); Debian: apt-get install $1" >&2; }

pip_install() { "$VENV/bin/python" -m pip install --quiet -c constraints.txt "$@"; }

# torch is asked for by its exact version and first: left to itself, pip could take any build of it.
install_torch() {
    pip_install torch==2.13.0 ||
        pip_install torch==2.13.0 --extra-index-url https://download.pytorch.org/whl/cpu
}

setup() {
    local level="$1" stamp python want
    case "$level" in core | full) ;; *) die "setup $level: core or full" ;; esac
    want="$(cat pyproject.toml constraints.txt | sha256sum | cut -d' ' -f1)"
    for stamp in "$VENV/.echoic-$level" "$VENV/.echoic-full"; do
        [[ -f "$stamp" && "$(<"$stamp")" == "$want" ]] && return
    done
    if [[ ! -x "$VENV/bin/python" ]]; then
        python="$(choose_python)"
        echo "do: making $VENV with $("$python" --version)" >&2
        "$python" -m venv "$VENV" || die "venv failed; Debian: apt-get install python3-venv"
    fi
    recent "$VENV/bin/python" || die "$VENV has a Python older than 3.11; remove $VENV"
    echo "do: installing ($level); the first time takes minutes" >&2
    if [[ "$level" == full ]]; then
        install_torch
        pip_install -e '.[train,dev]'
    else
        pip_install -e .
    fi
    echo "$want" > "$VENV/.echoic-$level"
}

demo() {
    setup core
    "$VENV/bin/echoic" hear examples/street.wav -o street.hearing --force
    echo "do: open $PWD/street.hearing/report.html" >&2
}

# numba looks at a loop's own file only: a change in one that it calls would go unnoticed.
kernels_of_these_sources() {
    local sources
    sources="$(cat src/echoic/{jit,streaming}.py src/echoic/{ear,nn,training}/*.py | sha256sum)"
    export NUMBA_CACHE_DIR="$PWD/.cache/numba-${sources:0:12}"
}

run_tests() {
    setup full
    "$VENV/bin/ruff" check .
    "$VENV/bin/ruff" format --check .
    "$VENV/bin/mypy"
    kernels_of_these_sources
    "$VENV/bin/python" -m pytest -n 2 "$@"
}

# The files in bench/ that can be run; the others are parts of them.
benches() { grep -l '^if __name__ == "__main__"' bench/*.py | sed 's|^bench/||; s|\.py$||'; }

bench() {
    local name="${1:-}" names
    names="$(benches)"
    grep -qxF -e "$name" <<< "$names" || die "bench: name one of: $(xargs <<< "$names")"
    shift
    setup full
    kernels_of_these_sources
    hint espeak-ng "some benches speak with it"
    hint fluidsynth "some benches play with it"
    "$VENV/bin/python" "bench/$name.py" "$@"
}

verb="${1:-help}"
[[ $# -gt 0 ]] && shift
case "$verb" in
    setup) setup "${1:-full}" ;;
    demo) demo ;;
    test) run_tests "$@" ;;
    bench) bench "$@" ;;
    help | -h | --help) usage ;;
    *) usage >&2; exit 2 ;;
esac
