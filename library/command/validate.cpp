// See validate.hpp.
#include "command/validate.hpp"
#include "command/errors.hpp"
#include "passes/errors.hpp"

#include <unistd.h>

#include <array>
#include <cmath>
#include <string>
#include <tilewright/error.hpp>

namespace tilewright::command {
namespace {

using library::AttentionShape;

void require_range(const char* option, std::int64_t value, std::int64_t lowest,
                   std::int64_t highest) {
  if (value >= lowest && value <= highest) return;
  throw Error(errors::command["option-out-of-range"], std::string(option) + " is out of range",
              {option, std::to_string(value),
               "an integer from " + std::to_string(lowest) + " to " + std::to_string(highest), ""});
}

/// Adds a * b * c * d * bytes to `total`; false if any of it overflows.
bool add_product(std::uint64_t& total, std::array<std::int64_t, 4> extents, std::uint64_t bytes) {
  // A zero anywhere makes the product 0, even where the others alone would overflow.
  for (const std::int64_t extent : extents) {
    if (extent == 0) return true;
  }
  std::uint64_t product = bytes;
  for (const std::int64_t extent : extents) {
    if (__builtin_mul_overflow(product, static_cast<std::uint64_t>(extent), &product)) return false;
  }
  return product <= INT64_MAX && !__builtin_add_overflow(total, product, &total);
}

/// q, k, v and out twice over (a host copy and the device's, which on the emulator is the same
/// memory) must fit, or the machine would swap itself to a halt.
void require_memory(const AttentionShape& s) {
  const auto element = static_cast<std::uint64_t>(size_of(s.dtype));
  const std::string asked =
      "batch " + std::to_string(s.batch) + ", heads " + std::to_string(s.heads) + ", kv-heads " +
      std::to_string(s.kv_heads) + ", seqlen-q " + std::to_string(s.seqlen_q) + ", seqlen-kv " +
      std::to_string(s.seqlen_kv) + ", head-dim " + std::to_string(s.head_dim) + ", value-dim " +
      std::to_string(s.value_dim);
  std::uint64_t bytes = 0;
  const bool fits =
      add_product(bytes, {s.batch, s.heads, s.seqlen_q, s.head_dim}, 2 * element) &&
      add_product(bytes, {s.batch, s.heads, s.seqlen_q, s.value_dim}, 2 * element) &&
      add_product(bytes, {s.batch, s.kv_heads, s.seqlen_kv, s.head_dim}, 2 * element) &&
      add_product(bytes, {s.batch, s.kv_heads, s.seqlen_kv, s.value_dim}, 2 * element);
  const auto machine = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                       static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  if (fits && bytes <= machine) return;
  throw Error(errors::command["shape-exceeds-memory"],
              fits ? "the tensors take " + std::to_string(bytes) + " bytes with their device copies"
                   : "the tensors' size overflows",
              {"shape", asked, "at most this machine's " + std::to_string(machine) + " bytes", ""});
}

}  // namespace

void validate(const AttentionShape& shape) {
  require_range("--batch", shape.batch, 0, max_extent);
  require_range("--heads", shape.heads, 0, max_extent);
  require_range("--kv-heads", shape.kv_heads, 0, max_extent);
  require_range("--seqlen-q", shape.seqlen_q, 0, max_extent);
  require_range("--seqlen-kv", shape.seqlen_kv, 0, max_extent);
  require_range("--head-dim", shape.head_dim, 1, max_head_dim);
  require_range("--value-dim", shape.value_dim, 1, max_head_dim);
  if (shape.heads != 0 && (shape.kv_heads == 0 || shape.heads % shape.kv_heads != 0)) {
    throw Error(errors::command["heads-do-not-divide"],
                "query heads must be a multiple of kv heads",
                {"--kv-heads", std::to_string(shape.kv_heads),
                 "a divisor of --heads " + std::to_string(shape.heads), ""});
  }
  if (!std::isfinite(shape.softmax_scale)) {
    throw Error(errors::command["option-not-a-number"], "--softmax-scale is not a finite number",
                {"--softmax-scale", std::to_string(shape.softmax_scale), "a finite number", ""});
  }
  if (shape.dot_precision == DotPrecision::tf32 && shape.dtype != DType::f32) {
    throw Error(errors::passes["tf32-without-f32"],
                "--dot-precision tf32 is a way to make products of f32, not of " +
                    std::string(name(shape.dtype)),
                {"--dot-precision", "tf32", "f32, or --dtype f32", ""});
  }
  require_memory(shape);
}

}  // namespace tilewright::command
