// Every pass over tile IR, in the order the pipeline runs them. Each takes a verified kernel and
// leaves a verified kernel with the same meaning (the interpreter says so); each lives in a .cpp of
// its name.
#pragma once

#include <string>
#include <vector>

#include "../ir/ir.hpp"
#include "../ir/schedule.hpp"

namespace tilewright::passes {

/// What a target offers: limits the schedule must respect and shapes its instructions take.
struct Target {
  std::string name;      ///< "sm_80": the shape of the code
  int arch = 80;         ///< the architecture compiled for: 80, 86, 89, 90, 120
  int shared_limit = 0;  ///< bytes one block may use
  int registers = 255;   ///< per thread
};
/// The target of an architecture ("sm_80", "sm_86", ...). Refuses others by name.
Target target_of(const std::string& arch);

/// Folds constants, and uniform factors: (x * a) * b becomes x * (a * b) for scalars a and b, so
/// that a score's scale and log2(e) meet in one factor.
void simplify(ir::Kernel& kernel);

/// dot(a, b, K) where a or b is a vector becomes reduce_sum(a * b, K). Comes before accumulators
/// are fused.
void vector_products(ir::Kernel& kernel);

/// Moves operations that do not depend on a loop in front of it.
void hoist_invariants(ir::Kernel& kernel);

/// x / y with y constant along an axis of x becomes x * (1 / y): one division per row, not per
/// element (the result may differ in the last bit of f32).
void share_reciprocals(ir::Kernel& kernel);

/// x + dot(a, b) becomes dot(a, b, x): tensor cores accumulate for nothing.
void fuse_accumulate(ir::Kernel& kernel);

/// Writes masks that are bounds on indices in one way, however they were spelled: every equivalent
/// expression then gives the same code. A mask that shows everything goes.
void normalize_masks(ir::Kernel& kernel);

/// Chooses tiles, warps and stages (or takes them from `wish` where given), writes them on the axes
/// and returns what was chosen and why. Shrinks what does not fit, and says so.
ir::Schedule choose_schedule(ir::Kernel& kernel, const Target& target, const ir::Schedule& wish);

/// Makes masks explicit: the first operand of each chain that reaches a reduction or contraction
/// over a loop's axis gets the neutral value where the mask (or the end of the axis) hides it, in
/// cut tiles only. Needs analyze_masks.
void apply_masks(ir::Kernel& kernel);

/// max over (dot * c) becomes (max over dot) * c, so that c joins the exponent's fused
/// multiply-add. For a negative c the left operand of the dot is negated on its way into shared
/// memory and |c| is used; c = 0 becomes the smallest normal number, so that -inf stays -inf.
void fold_scale(ir::Kernel& kernel);

/// A running sum that is only rescaled inside its loop is kept per thread and summed over lanes, or
/// over all threads, once, after the loop.
void defer_reductions(ir::Kernel& kernel);

/// Loads that feed tensor cores go through shared memory: buffers, asynchronous copies `stages - 1`
/// tiles ahead, waits and barriers.
void stage_copies(ir::Kernel& kernel, const ir::Schedule& schedule);

/// Gives every take whose source lies in other threads a buffer in shared memory to go through.
void stage_takes(ir::Kernel& kernel);

/// Reductions over the dimension that runs over warps get a buffer in shared memory, a row of
/// partial results for each warp, and, in a loop, a barrier that keeps the next round's rows behind
/// this one's readers.
void reduce_across_warps(ir::Kernel& kernel);

/// Gives every value its place, and every shared buffer its layout and offset. Buffers whose lives
/// do not overlap share memory.
void place_values(ir::Kernel& kernel, const Target& target);

/// Barriers between a write to an InOut and what reads or writes the same tensor in other threads
/// of the block: a program sees its own stores in the order of its statements.
void order_memory(ir::Kernel& kernel);

/// Marks what only the conditions of cut tiles need (loads of a mask's tables, arithmetic): a full
/// tile does not compute it. Comes last, see the file.
void sink_conditions(ir::Kernel& kernel);

}  // namespace tilewright::passes
