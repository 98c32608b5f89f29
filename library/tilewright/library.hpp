// What those who call include: attention without a kernel of one's own, and without templates.
//
// attention.hpp has the builder, acsr.hpp rows of a few arithmetic sequences of keys, blocks.hpp
// lists of tiles, mask.hpp what a row sees, merge.hpp the merge of partial results, rope.hpp rotary
// positions, sinusoidal.hpp those that are added, token_graph.hpp rows that name their keys one by
// one. Those who write kernels include dsl.hpp and compile.hpp; both may stand in one file.
#pragma once

#include <tilewright/error.hpp>
#include <tilewright/library/acsr.hpp>
#include <tilewright/library/attention.hpp>
#include <tilewright/library/blocks.hpp>
#include <tilewright/library/mask.hpp>
#include <tilewright/library/merge.hpp>
#include <tilewright/library/sinusoidal.hpp>
#include <tilewright/library/token_graph.hpp>
