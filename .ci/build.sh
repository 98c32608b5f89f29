#!/usr/bin/env bash
# Brings build/ up to date: installs what is missing, configures once, builds the targets named.
#
#   .ci/build.sh [--tests] [TARGET...]     no target: everything
#
# With nothing to do it takes a second and uses no network. A build/ that was configured by hand keeps
# its settings. examples/quickstart.sh and tests/run.sh both go through here.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build="$root/build"
cache="$build/CMakeCache.txt"

tests=OFF
if [ "${1:-}" = --tests ]; then
  tests=ON
  shift
fi

if [ $tests = ON ]; then "$root/.ci/install.sh" --tests; else "$root/.ci/install.sh"; fi

is_configured() {
  { [ -e "$build/build.ninja" ] || [ -e "$build/Makefile" ]; } && [ -e "$cache" ] &&
    { [ $tests = OFF ] || grep -q '^TILEWRIGHT_BUILD_TESTS:BOOL=ON' "$cache"; }
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
logged() { "$@" >"$log" 2>&1 || { cat "$log" >&2 && exit 1; }; }

options=()
if [ -e "$cache" ] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$cache"; then
  echo "tilewright: build/ was made for another folder; configuring it anew"
  options+=(--fresh)
fi
if [ ${#options[@]} != 0 ] || ! is_configured; then
  if [ ${#options[@]} != 0 ] || [ ! -e "$cache" ]; then
    options+=(-G Ninja)
    ! command -v ccache >/dev/null || options+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  fi
  # Benchmarks come with the tests: both want more than a first run needs.
  options+=("-DTILEWRIGHT_BUILD_TESTS=$tests" "-DTILEWRIGHT_BUILD_BENCH=$tests")
  echo "tilewright: configuring build/"
  logged cmake -S "$root" -B "$build" "${options[@]}"
  echo "tilewright: building (the first time takes minutes)"
fi

targets=()
[ $# = 0 ] || targets=(--target "$@")
logged cmake --build "$build" --parallel "$(nproc)" "${targets[@]}"
