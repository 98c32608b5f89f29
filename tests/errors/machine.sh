#!/usr/bin/env bash
# Drivers and emulators that are missing or wrong, each in a process of its own: the id of the error
# that opening a device gives, and a word of its sentence.
#
#   machine.sh PROGRAM STANDINS     PROGRAM: open_device, which knows no place to look for libraries
#                                   STANDINS: folder of driver, broken, old and emulator.so
set -euo pipefail
program=$1 standins=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
wrong=0

expect() {  # id, word, device, name of a library, what is put there (nothing: no library)
  local said
  rm -f "$folder"/*
  [ -z "${5:-}" ] || cp "$5" "$folder/$4"
  said=$(LD_LIBRARY_PATH=$folder "$program" "$3")
  [ "$(head -n 1 <<<"$said")" = "$1" ] && grep -qF -- "$2" <<<"$said" && return
  echo "$3 with ${5:-nothing} as ${4:-no library}: wanted $1 and '$2', got: $said"
  wrong=1
}

echo "no library" >"$standins/text"
expect "emulator-not-found" "cmake --build build --target tilewright_emulator" emulator:sm_80
expect "emulator-not-ours" "is not Tilewright's emulator" \
  emulator:sm_80 libtilewright_emulator.so "$standins/driver.so"
expect "emulator-device-not-there" "emulator:sm_90a" \
  emulator:sm_90a libtilewright_emulator.so "$standins/emulator.so"
expect "gpu-driver-not-loadable" "--reinstall" cuda:0 libcuda.so.1 "$standins/text"
expect "gpu-driver-does-not-start" "nvidia-smi" cuda:0 libcuda.so.1 "$standins/broken.so"
expect "driver-too-old" "cuLaunchKernel" cuda:0 libcuda.so.1 "$standins/old.so"
expect "gpu-not-there" "this machine has 1 CUDA device" cuda:7 libcuda.so.1 "$standins/driver.so"
expect opened "" cuda:0 libcuda.so.1 "$standins/driver.so"
[ "$wrong" = 0 ] && echo "every wrong driver is named"
