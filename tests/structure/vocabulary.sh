#!/usr/bin/env bash
# The compiler knows tiles, not the algorithm: no file under lowering/ contains the whole words below.
#
# A pass that needs one of them has learned something about one kernel. What it wants to know belongs
# into the IR as a property that any kernel may have.
source "$(dirname "${BASH_SOURCE[0]}")/tree.sh"

while read -r match; do
  [ -z "$match" ] || finding "$match"
done < <(tree_files | grep '^lowering/' | tr '\n' '\0' |
  xargs -0 -r grep -niwHE 'attention|softmax|flash|causal|query' | cut -c1-160)
finish "words under lowering/ that belong to library/"
