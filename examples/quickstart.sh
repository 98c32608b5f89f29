#!/usr/bin/env bash
# The first thing to run: builds Tilewright, then runs attention on real data and checks it.
#
# The queries, keys and values are those of one layer of a small language model
# (examples/data/README.md). They go through one kernel twice, full and causal, on the GPU if there is
# one and on the emulator otherwise. Each result is compared with a double-precision reference.
# Results and the generated CUDA are left in tilewright-out/. Look next at quickstart.cpp.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
.ci/build.sh tilewright tilewright_emulator quickstart
exec build/examples/quickstart examples/data/minilm_layer0.safetensors tilewright-out
