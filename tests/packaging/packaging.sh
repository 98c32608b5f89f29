#!/usr/bin/env bash
# packaging.sh SOURCE BUILD WORK: other projects use Tilewright, installed and as a folder of theirs.
#
# Installs what BUILD has built, moves the prefix, and then: no installed file names the build folder or
# the place it was installed to; a blank project finds the package, builds, and runs a kernel of its own
# and a bundled one on the emulator; pkg-config serves a compiler line; another minor version is refused;
# the command runs. Then add_subdirectory and FetchContent.
set -euo pipefail
source=$1 build=$2 work=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
rm -rf "$work" && mkdir -p "$work"
quietly() { "$@" >"$work/log" 2>&1 || { cat "$work/log" && echo "FAILED: $*" && exit 1; }; }
fail() { echo "FAILED: $*" && exit 1; }
export TILEWRIGHT_DEVICE=emulator:sm_80 TILEWRIGHT_CACHE_DIR="$work/cache"

quietly cmake --install "$build" --prefix "$work/first"
mv "$work/first" "$work/moved"
prefix="$work/moved"
for place in "$build" "$work/first"; do
  found=$(grep -rlF "$place" "$prefix" || true)
  [ -z "$found" ] || fail "installed files name $place:" $found
done

quietly cmake -S "$here/installed" -B "$work/blank" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_BUILD_TYPE=Release
quietly cmake --build "$work/blank"
for program in main call; do "$work/blank/blank_$program" || fail "the blank project's $program.cpp"; done

sed 's/Tilewright 0.1/Tilewright 0.2/' "$here/installed/CMakeLists.txt" >"$work/CMakeLists.txt"
if cmake -S "$work" -B "$work/newer" -DCMAKE_PREFIX_PATH="$prefix" >"$work/log" 2>&1; then
  fail "version 0.2 was found in an installed 0.1"
fi
grep -q 'compatible with requested version "0.2"' "$work/log" || fail "the refusal of 0.2: $(cat "$work/log")"

if command -v pkg-config >/dev/null; then
  export PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name tilewright.pc)")
  cuda=$(sed -n 's/^TILEWRIGHT_CUDA_FOUND:INTERNAL=//p' "$build/CMakeCache.txt")
  for program in main call; do
    quietly ${CXX:-g++} -I"$cuda" $(pkg-config --cflags tilewright) "$here/installed/$program.cpp" \
      -o "$work/by_hand" $(pkg-config --libs tilewright)
    "$work/by_hand" || fail "$program.cpp built with pkg-config"
  done
fi

"$prefix/bin/tilewright" run flash --seqlen-q 40 --check >"$work/log" || fail "the installed command"
shim=$(find "$prefix" -name libcuda.so.1)
[ -n "$shim" ] || fail "no emulator/libcuda.so.1"
! ldd "$shim" | grep -q 'not found' || fail "the shim does not find the emulator: $(ldd "$shim")"

for fetch in OFF ON; do
  quietly cmake -S "$here/subproject" -B "$work/owner_$fetch" -DFETCH=$fetch -DTILEWRIGHT_SOURCE="$source"
  quietly cmake --build "$work/owner_$fetch" --target owner
  "$work/owner_$fetch/owner" || fail "the owning project's program"
done
echo "installed, moved, found, built, run"
