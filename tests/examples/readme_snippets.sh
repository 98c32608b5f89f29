#!/usr/bin/env bash
# readme_snippets.sh README COMPILER FLAGS...: the README's C++ compiles, as one program.
#
# The block that begins with a kernel's dimensions is a file's head; every other block is the body of a function
# that has tensors and a stream. Includes go to the top, wherever they stand.
set -euo pipefail
readme=$1
shift
blocks=$(awk '/^```cpp$/{n++; inside=1; next} /^```$/{inside=0} inside{print n "\t" $0}' "$readme")
count=$(cut -f1 <<<"$blocks" | tail -n 1)
[ "$count" -ge 3 ] || { echo "$readme has $count blocks of C++, and three were expected" && exit 1; }
block() { sed -n "s/^$1\t//p" <<<"$blocks" | grep -v '^#include\|^using namespace'; }
{
  cut -f2 <<<"$blocks" | grep '^#include' | sort -u
  printf '#include <iostream>\nusing namespace tilewright;\n'
  block 1
  for n in $(seq 2 "$count"); do
    echo "void snippet_$n(const Stream& stream, TensorView q, TensorView k, TensorView v, TensorView out, TensorView lse) {"
    block "$n"
    echo "}"
  done
} | "$@" -fsyntax-only -x c++ -
