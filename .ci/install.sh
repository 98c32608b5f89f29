#!/usr/bin/env bash
# Installs what Tilewright needs and this machine lacks: Debian packages, NVRTC and two CUDA headers.
#
#   .ci/install.sh           what building and running needs
#   .ci/install.sh --tests   and what the tests need besides
#   .ci/install.sh --fuzz    and what the fuzzers need besides (clang 16's run-time libraries)
#
# Prints nothing and uses no network when nothing is missing. What is there from elsewhere (another
# compiler, a CUDA toolkit) is taken as it is. CUDA 12 or later comes from an installed toolkit, else
# from PyPI's wheels, unpacked into build/cuda. Exit status 3: something is missing and stays missing.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# The wheels that carry libnvrtc with nvrtc.h, and cuda.h.
nvrtc_wheels=(nvidia-cuda-nvrtc==13.0.88 nvidia-cuda-runtime==13.0.96)

# package=probe: a command, a file, or one below an include folder. Where the probe is there, so is the need.
needs=(cmake=cmake g++=c++ ninja-build=ninja libboost-dev=boost/hana.hpp libfmt-dev=fmt/core.h
  libcli11-dev=CLI/CLI.hpp nlohmann-json3-dev=nlohmann/json.hpp libxxhash-dev=xxhash.h libpng-dev=png.h)
case "${1:-}" in
  "") ;;
  --tests)
    needs+=(doctest-dev=doctest/doctest.h libbenchmark-dev=benchmark/benchmark.h clang-16=clang++-16
      pkg-config=pkg-config)
    ;;
  --fuzz)
    needs+=(clang-16=clang++-16
      libclang-rt-16-dev=/usr/lib/llvm-16/lib/clang/16/lib/linux/libclang_rt.fuzzer-x86_64.a)
    ;;
  *) echo "install.sh: unknown option '$1'; allowed: --tests, --fuzz" >&2 && exit 2 ;;
esac

log=$(mktemp)
trap 'rm -f "$log"' EXIT

fail() {  # message...: what is missing and what to do about it, after what the tools said
  tail -n 15 "$log" >&2
  printf 'tilewright: %s\n' "$@" >&2
  exit 3
}

is_there() {  # package probe
  if command -v "$2" >/dev/null || [ -e "/usr/include/$2" ] || [ -e "/usr/local/include/$2" ] ||
    { [[ $2 == /* ]] && [ -e "$2" ]; }; then
    return 0
  fi
  dpkg -s "$1" 2>/dev/null | grep -q '^Status: install ok installed'
}

apt_install() {  # package...
  local as_root=()
  if ! command -v apt-get >/dev/null; then
    fail "missing: $*" "This is no Debian system: install what these packages hold, then run again."
  fi
  if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
      fail "missing: $*" "As root, run: apt-get install --no-install-recommends $*"
    fi
    as_root=(sudo)
    [ -t 0 ] || as_root=(sudo -n)
  fi
  echo "tilewright: installing Debian packages: $*"
  # A mirror that fails to refresh may still serve what is wanted: the install decides.
  "${as_root[@]}" apt-get update -qq </dev/null >"$log" 2>&1 || true
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "$@" </dev/null >>"$log" 2>&1 ||
    fail "apt-get could not install: $*"
}

missing=()
for need in "${needs[@]}"; do
  is_there "${need%%=*}" "${need#*=}" || missing+=("${need%%=*}")
done
[ ${#missing[@]} = 0 ] || apt_install "${missing[@]}"

# --- NVRTC, cuda.h, nvrtc.h: the root CMakeLists.txt searches the same folders -------------------

cuda_headers_at() {  # folder: has both headers, of CUDA 12 or later
  [ -e "$1/nvrtc.h" ] && [ -e "$1/cuda.h" ] &&
    [ "$(sed -n 's/^#define CUDA_VERSION \([0-9]*\).*/\1/p' "$1/cuda.h")" -ge 12000 ]
}

nvrtc_at() {  # folder...: one of them holds libnvrtc of CUDA 12 or later
  local folder major
  for folder in "$@"; do
    for major in 12 13 14 15; do
      [ ! -e "$folder/libnvrtc.so.$major" ] || return 0
    done
  done
  return 1
}

has_cuda() {
  local nvcc folder folders=()
  nvcc=$(command -v nvcc || true)
  [ -z "$nvcc" ] || folders+=("$(dirname "$(dirname "$(readlink -f "$nvcc")")")")
  folders+=(${CUDA_PATH:+"$CUDA_PATH"} ${CUDA_HOME:+"$CUDA_HOME"} /usr/local/cuda /usr/local/cuda-*
    "$root"/build/cuda/nvidia/*)
  for folder in "${folders[@]}"; do
    if cuda_headers_at "$folder/include" && nvrtc_at "$folder/lib64" "$folder/lib"; then return 0; fi
  done
  cuda_headers_at /usr/include && nvrtc_at /usr/lib/*-linux-gnu /usr/lib64
}

if ! has_cuda; then
  if ! python3 -m pip --version >/dev/null 2>&1; then apt_install python3-pip; fi
  echo "tilewright: no CUDA toolkit found; installing ${nvrtc_wheels[*]} into build/cuda (90 MB)"
  mkdir -p "$root/build"
  partial=$(mktemp -d "$root/build/cuda.partial.XXXXXX")
  trap 'rm -rf "$log" "$partial"' EXIT
  # --target leaves the system's Python alone. Renamed at the end: build/cuda is whole or not there.
  python3 -m pip install --no-deps --only-binary :all: --no-cache-dir --quiet --no-input \
    --root-user-action ignore --target "$partial" "${nvrtc_wheels[@]}" </dev/null >"$log" 2>&1 ||
    fail "pip could not fetch ${nvrtc_wheels[*]}" \
      "Install a CUDA toolkit of version 12 or later instead, or run again with a network."
  chmod 755 "$partial"
  rm -rf "$root/build/cuda"
  mv "$partial" "$root/build/cuda"
  has_cuda || fail "the wheels in build/cuda hold no usable NVRTC"
fi
