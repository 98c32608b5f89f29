#!/usr/bin/env bash
# Makes ptx/*.ptx again from cuda/*.cu, with nvcc (13.0 made what is committed). Tests do not run this.
#
# The names of directories are taken out of the PTX, so that it does not depend on who makes it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
for source in cuda/*.cu; do
  name=$(basename "$source" .cu)
  (cd cuda && nvcc -ptx -arch=sm_80 -lineinfo -std=c++17 -o "../ptx/$name.ptx" "$name.cu")
  sed -Ei 's|^(\s*\.file\s+[0-9]+ ")[^"]*/|\1|; /^\/\/ (Compiler|Cuda|Based)/d' "ptx/$name.ptx"
done
