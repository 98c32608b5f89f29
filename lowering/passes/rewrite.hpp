// The few moves all passes are made of: walking regions, asking who defines and uses a value,
// replacing a value, and inserting operations.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "ir/ir.hpp"

namespace tilewright::passes {

/// Calls `visit` for every operation, outer before inner, in order. `visit` may change the
/// operation but not the region's list.
void walk(ir::Region& region, const std::function<void(ir::Operation&)>& visit);
void walk(const ir::Region& region, const std::function<void(const ir::Operation&)>& visit);

/// Every operand equal to `from` becomes `to` (in `region` and inside it); indices and sign_of too.
void replace_uses(ir::Region& region, ValueId from, ValueId to);

/// True when `value` is computed inside `region` (its arguments and nested regions included).
bool defined_in(const ir::Region& region, ValueId value);

/// A new operation with one result of `type`; not yet in a region.
std::unique_ptr<ir::Operation> make(ir::Kernel& kernel, Op op, ir::Type type,
                                    std::vector<ValueId> operands, const Provenance& where);

/// Whether the tile behind `value` varies along `axis`.
bool has_axis(const ir::Kernel& kernel, ValueId value, ir::AxisId axis);

/// A scalar equal in all threads.
inline bool is_uniform(const ir::Kernel& kernel, ValueId value) {
  return kernel.type(value).axes.empty();
}

/// Operations whose value depends on nothing but their operands.
bool is_pure(const ir::Kernel& kernel, const ir::Operation& operation);

/// Whether operand `side` of `dot`, a computed tile, is in registers what the tensor cores take:
/// the left one, with the result's rows, contracted along its columns.
bool is_fragment_operand(const ir::Kernel& kernel, const ir::Operation& dot, std::size_t side);

/// Whether a load may reach the tensor cores as copies into shared memory, ahead of its use:
/// nothing writes its tensor meanwhile, and its rows stand at one stride or where any thread can
/// work it out.
bool may_be_copied(const ir::Kernel& kernel, const ir::Operation& load);

/// Whether a buffer's rows of `chunks` 16-byte chunks permute them by row; others keep an odd
/// pitch. 4-byte elements are also read one by one, down a column: an odd pitch serves both ways.
inline bool permutes_chunks(int chunks, DType dtype) {
  return chunks % 8 == 0 && size_of(dtype) == 2;
}
/// Chunks from one row of such a buffer to the next.
inline int row_pitch(int chunks, DType dtype) {
  return permutes_chunks(chunks, dtype) ? chunks : chunks | 1;
}

/// Drops pure operations nobody uses, repeatedly.
void drop_dead(ir::Kernel& kernel);

}  // namespace tilewright::passes
