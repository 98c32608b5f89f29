#!/usr/bin/env bash
# Includes go downward only, never sideways: the floors of the house, from dsl/ (0) to tests/ (5).
#
# Every #include of the tree is resolved to the file it means; the table below says which folders a
# folder may see. dsl/ rests on the standard library and Boost.Hana alone, and what is below library/
# sees only those headers of dsl/ that do not bring in Hana: beyond the gate there are no templates.
source "$(dirname "${BASH_SOURCE[0]}")/tree.sh"

# A folder may include its own files and these. The longest folder that matches a file decides.
declare -A may_see=(
  [dsl]=""
  [lowering/ir]="dsl"
  [lowering/runtime]="dsl"
  [lowering/emulator]="dsl"
  [lowering/targets]="lowering/ir dsl"
  [lowering/ops]="lowering/ir lowering/targets dsl"
  [lowering/passes]="lowering/ir lowering/targets dsl"
  [lowering/emit]="lowering/ir lowering/targets lowering/ops dsl"
  [lowering]="dsl"
  [library/loops]="dsl"
  [library]="lowering dsl"
  [examples]="library lowering dsl"
  [bench]="library lowering dsl"
  [.ci]="library lowering dsl"
  [tests]=".ci library lowering dsl"
)
# These never see a header of dsl/ that reaches Boost.Hana.
plain_only='^lowering/(ir|runtime|emulator|targets|ops|passes|emit)/'

folder_of() {  # file: the longest folder of the table above it
  local folder=${1%/*}
  while [ -z "${may_see[$folder]+known}" ]; do
    case "$folder" in */*) folder=${folder%/*} ;; *) return 1 ;; esac
  done
  echo "$folder"
}

includes=$(sources | tr '\n' '\0' | xargs -0 grep -nHE '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]' |
  sed -E 's/^([^:]*):([0-9]+):[^<"]*([<"])([^>"]*).*/\1 \2 \3 \4/')

declare -A uses=() reaches_hana=() folders=()
while read -r file line kind name; do
  [ -n "$file" ] || continue
  [ -n "${folders[$file]+known}" ] || folders[$file]=$(folder_of "$file") || {
    finding "$file: is in no folder the floors know"
    folders[$file]=examples
  }
  meant=""
  candidates=("dsl/$name" "lowering/$name" "library/$name" "tests/$name")
  [ "$kind" = '<' ] || candidates=("${file%/*}/$name" "${candidates[@]}")
  for candidate in "${candidates[@]}"; do
    case "$candidate" in
      */../* | */./*) [ ! -f "$candidate" ] || candidate=$(realpath -s --relative-to=. "$candidate") ;;
    esac
    if [ -f "$candidate" ]; then meant=$candidate && break; fi
  done
  if [ -n "$meant" ]; then
    uses[$file]+=" $line:$meant"
    continue
  fi
  if [ "$kind" = '"' ] && [[ $name != generated/* ]]; then
    finding "$file:$line: \"$name\" is no file of the tree"
  fi
  if [ "${folders[$file]}" = dsl ]; then
    case "$name" in
      boost/hana/* | boost/hana.hpp) reaches_hana[$file]=1 ;;
      */* | *.*) finding "$file:$line: <$name>: dsl/ rests on the standard library and Hana only" ;;
    esac
  fi
done <<<"$includes"

# Which files of dsl/ reach Hana, directly or through others of dsl/.
changed=1
while [ "$changed" = 1 ]; do
  changed=0
  for file in "${!uses[@]}"; do
    [[ $file == dsl/* ]] && [ -z "${reaches_hana[$file]+known}" ] || continue
    for use in ${uses[$file]}; do
      [ -n "${reaches_hana[${use#*:}]+known}" ] || continue
      reaches_hana[$file]=1
      changed=1
      break
    done
  done
done

for file in "${!uses[@]}"; do
  folder=${folders[$file]}
  for use in ${uses[$file]}; do
    meant=${use#*:}
    target=$(folder_of "$meant") || target=none
    allowed=0
    for seen in "$folder" ${may_see[$folder]}; do
      # The facade and library/ see everything below a folder they may see.
      case "$target" in "$seen" | "$seen"/*) allowed=1 ;; esac
    done
    [ "$allowed" = 1 ] ||
      finding "$file:${use%%:*}: $folder may not include $meant; allowed: $folder ${may_see[$folder]}"
    if [[ $file =~ $plain_only ]] && [ -n "${reaches_hana[$meant]+known}" ]; then
      finding "$file:${use%%:*}: $meant brings in Boost.Hana, which stays above the gate"
    fi
  done
done
finish "includes against the floors"
