// What a kernel author includes. A first kernel: examples/; the language in one table: DESIGN,
// section 4. The parts, in reading order: dim.hpp (names), expression.hpp (what an operator
// returns), pointwise.hpp and tile_ops.hpp (operations), tensor.hpp, grid.hpp, view.hpp,
// block_list.hpp,
// control.hpp, state.hpp (statements), shape.hpp, kernel.hpp.
#pragma once

#include "tilewright/dsl/block_list.hpp"      // BlockList
#include "tilewright/dsl/control.hpp"         // for_blocks, for_range, when
#include "tilewright/dsl/coordinates.hpp"     // index, iota, position, extent, causal
#include "tilewright/dsl/flatten.hpp"         // flatten
#include "tilewright/dsl/grid.hpp"            // each, blocks
#include "tilewright/dsl/kernel.hpp"          // kernel(name, lambda)
#include "tilewright/dsl/online_softmax.hpp"  // OnlineSoftmax
#include "tilewright/dsl/pointwise.hpp"       // + - * /, comparisons, exp2, where, cast
#include "tilewright/dsl/random.hpp"          // random, random_bits, seed64
#include "tilewright/dsl/shape.hpp"           // take, slice, split, concat of values
#include "tilewright/dsl/state.hpp"           // let, Var
#include "tilewright/dsl/tensor.hpp"          // In, Out, InOut, Scalar, load, store, atomic_add
#include "tilewright/dsl/tile_ops.hpp"        // dot, reduce_max, reduce_sum, reduce_argmax
#include "tilewright/dsl/view.hpp"            // as, slice, split, halo: indices
