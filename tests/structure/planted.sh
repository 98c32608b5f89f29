#!/usr/bin/env bash
# Each script of this folder can fail: a small tree passes all of them, and with one fault planted in
# it exactly the script meant for that fault refuses it.
#
# A new rule gets a line at the end of this file.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
rules=(floors vocabulary file_length top_level leftovers readme_commands errors)
wrong=0

put() {  # file, text: into the small tree
  mkdir -p "$(dirname "$tree/$1")"
  printf '%b' "$2" >"$tree/$1"
}

plant_sound_tree() {
  rm -rf "$tree"
  put dsl/tilewright/error.hpp '#include <string>\n'
  put dsl/tilewright/errors.hpp '    {"no-tile", ErrorKind::missing,\n'
  put dsl/tilewright/dsl.hpp '#include <boost/hana/tuple.hpp>\n#include "dsl/dim.hpp"\n'
  put dsl/tilewright/dsl/dim.hpp '#pragma once\n'
  put lowering/throws.cpp 'throw Error(errors::dsl["no-tile"], "none");\n'
  put lowering/ir/node.hpp '#include <tilewright/error.hpp>\n// a blockquery is no whole word\n'
  put lowering/passes/split.cpp '#include "ir/node.hpp"\n#include <cuda.h>\n'
  put lowering/runtime/driver.cpp '#include <cuda.h>\n#include <tilewright/error.hpp>\n'
  put lowering/compile.cpp '#include "passes/split.cpp"\n#include "runtime/driver.cpp"\n'
  put library/loops/scan.hpp '#include <tilewright/dsl.hpp>\n'
  put library/variant.cpp '#include "compile.cpp"\n#include "loops/scan.hpp"\n'
  put examples/quickstart.sh '#!/bin/sh\n'
  put tests/run.sh '#!/bin/sh\n'
  put tests/area/one.cpp '#include "../../library/variant.cpp"\n'
  put tests/area/errors.cpp 'provoked(errors::dsl["no-tile"]);\n'
  put bench/one.cpp '#include "compile.cpp"\n'
  put CMakeLists.txt '# empty\n'
  put README.md '```sh\nexamples/quickstart.sh  # first\nCI=1 tests/run.sh\n```\n[it](dsl)\n'
  put .ci/run 'tests/run.sh\nexamples/quickstart.sh\n'
  chmod +x "$tree/examples/quickstart.sh" "$tree/tests/run.sh" "$tree/.ci/run"
}

expect() {  # rule that must refuse the tree, or none; what was planted
  local rule verdict
  for rule in "${rules[@]}"; do
    verdict=passes
    bash "$here/$rule.sh" "$tree" >"$tree.out" 2>&1 || verdict=refuses
    if [ "$verdict" != "$([ "$rule" = "$1" ] && echo refuses || echo passes)" ]; then
      echo "planted: $2: $rule.sh $verdict it"
      sed 's/^/    /' "$tree.out"
      wrong=1
    fi
  done
  rm -f "$tree.out"
}

planted() {  # rule file text
  plant_sound_tree
  put "$2" "$3"
  expect "$1" "$2: $3"
}

plant_sound_tree
expect none "nothing"
planted floors dsl/tilewright/up.hpp '#include "ir/node.hpp"\n'
planted floors dsl/tilewright/fmt.hpp '#include <fmt/core.h>\n'
planted floors lowering/ir/up.hpp '#include "passes/split.cpp"\n'
planted floors lowering/ir/hana.hpp '#include <tilewright/dsl.hpp>\n'
planted floors lowering/runtime/sideways.cpp '#include "ir/node.hpp"\n'
planted floors lowering/emulator/sideways.cpp '#include "../runtime/driver.cpp"\n'
planted floors lowering/emit/sideways.cpp '  #  include "passes/split.cpp"\n'
planted floors lowering/up.cpp '#include "variant.cpp"\n'
planted floors library/up.cpp '#include "area/one.cpp"\n'
planted floors library/loops/up.hpp '#include "compile.cpp"\n'
planted floors bench/up.cpp '#include "../tests/area/one.cpp"\n'
planted floors library/gone.cpp '#include "not/there.hpp"\n'
planted vocabulary lowering/passes/wise.cpp '// the Query rows\n'
planted file_length library/long.cpp "$(printf 'int x;\\n%.0s' {1..401})"
planted file_length tests/long.sh "$(printf 'true\\n%.0s' {1..401})"
planted top_level notes/plan.txt 'x\n'
planted top_level Makefile 'x\n'
planted leftovers dsl/a.txt "see /ho""me/someone/x\n"
planted leftovers dsl/a.txt "index-url = https://py""pi.org/simple\n"
planted leftovers library/a.cpp "// TO""DO: later\n"
planted errors lowering/pass_errors.hpp '    {"never-thrown", ErrorKind::io,\n'
planted errors lowering/ir/errors.hpp '    {"no-tile", ErrorKind::io,\n'
planted errors tests/area/errors.cpp 'provoked(errors::dsl["another"]);\n'
planted readme_commands README.md 'examples/quickstart.sh\n```sh\ntests/run.sh\n./gone.sh\n```\n'
planted readme_commands README.md '```sh\ntests/run.sh\n```\n'
planted readme_commands README.md 'tests/run.sh examples/quickstart.sh [a](gone.md)\n'
planted readme_commands .ci/run 'tests/run.sh\n'

plant_sound_tree
put library/long.cpp "// Long file: a table, one line per entry\n$(printf 'int x;\\n%.0s' {1..401})"
expect none "a long file that says why"
plant_sound_tree
chmod -x "$tree/tests/run.sh"
expect readme_commands "a script without its run bit"

[ "$wrong" = 0 ] && echo "every rule refuses what it should, and nothing else"
