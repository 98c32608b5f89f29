// Sinusoidal positions (Vaswani et al. 2017, arXiv 1706.03762, section 3.5), added to embeddings
// before queries, keys and values are made of them.
//
//   auto plan = compile_sinusoidal(Device::open(), {.dtype = bf16});
//   auto table = sinusoidal_table(4096, 512);                // uploaded as f32 [4096, 512]
//   plan.launch(stream, {.x = x, .table = table_view, .out = out});
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <tilewright/arguments.hpp>
#include <vector>

namespace tilewright {

/// Where sines and cosines stand in a row: taking turns, or the sines in front (Transformer-XL).
enum class SinusoidalLayout : std::uint8_t { interleaved, concatenated };

/// f32, row-major [positions, dim]: sin and cos of p / base^(2 i / dim) for pair i, in double
/// precision before they are rounded. Of an odd dim the last cosine is missing. Throws
/// Error{invalid_argument} for a negative number of positions, a dim below 1, or a base that is not
/// above 0.
std::vector<float> sinusoidal_table(std::int64_t positions, std::int64_t dim,
                                    SinusoidalLayout layout = SinusoidalLayout::interleaved,
                                    double base = 10'000);

/// What a plan is compiled for; lengths and widths are the launch's.
struct SinusoidalRequest {
  DType dtype = DType::bf16;  ///< of x and out: bf16, f16 or f32; the sum is in f32
  /// The launch gives a position for each row; otherwise they count from first_position.
  bool positions_given = false;
};

struct SinusoidalTensors {
  TensorView x = {};      ///< [batch, length, dim]
  TensorView table = {};  ///< f32 [positions, dim]
  TensorView positions =
      {};               ///< i32 [batch, length], if so compiled; one not in the table adds NaN
  TensorView out = {};  ///< [batch, length, dim]; not the memory of x
  std::int64_t first_position = 0;
};

/// A compiled and loaded sum: a value whose copies share what was loaded.
class SinusoidalPlan {
 public:
  /// Puts the work into `stream`; never compiles, allocates or waits. Throws Error naming the
  /// tensor: invalid_argument (missing, null, another element type, out where x begins),
  /// shape_mismatch (extents that disagree, a table that ends before the last position).
  void launch(const Stream& stream, SinusoidalTensors tensors) const;

  const Device& device() const;
  std::string cuda_source() const;

 private:
  friend SinusoidalPlan compile_sinusoidal(const Device& device, const SinusoidalRequest& request);
  struct State;
  explicit SinusoidalPlan(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

/// Compiles (or finds in the cache) and loads. Throws Error naming "dtype"; missing without NVRTC.
SinusoidalPlan compile_sinusoidal(const Device& device, const SinusoidalRequest& request);

}  // namespace tilewright
