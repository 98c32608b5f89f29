#!/usr/bin/env bash
# Nothing in the tree belongs to one machine or to an unfinished thought.
#
# Refused: paths into somebody's home or workplace, host names of package registries (a mirror is
# the machine's own setting), and marks for work left open. The patterns are written so that this
# file does not match itself.
source "$(dirname "${BASH_SOURCE[0]}")/tree.sh"

paths='(^|[^A-Za-z0-9_.~-])/(work|home|root|Users|mnt|srv)/'
hosts='pypi[.]org|pythonhosted[.]org|(deb|security|ftp)[.]debian[.]org|conda[.]anaconda|ghcr[.]io'
hosts+='|docker[.]io|registry[.]npmjs|proxy[.]golang[.]org|crates[.]io|artifact-?registry'
marks='(^|[^A-Za-z])(TO''DO|FIX''ME|XX''X|HA''CK)([^A-Za-z]|$)'

look_for() {  # what, pattern
  while read -r match; do
    [ -z "$match" ] || finding "$1: $match"
  done < <(tree_files | tr '\n' '\0' | xargs -0 -r grep -nIHE "$2" | cut -c1-160)
}

look_for "local path" "$paths"
look_for "registry host" "$hosts"
look_for "open mark" "$marks"
finish "local paths, registry hosts, open marks"
