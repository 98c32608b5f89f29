// See specimens.hpp. Launches are small, odd where they may be, and such that every barrier and
// every wait matters in one of them: an odd and an even number of tiles, for a ring's last slot
// changes with it, a ragged tail, and loops that never run.
#include "kernels/specimens.hpp"

#include <utility>

#include "kernels/add.hpp"
#include "kernels/gather_matmul.hpp"
#include "kernels/histogram.hpp"
#include "kernels/layer_norm.hpp"
#include "kernels/linear_attention.hpp"
#include "kernels/matmul.hpp"
#include "kernels/rope.hpp"
#include "kernels/softmax.hpp"
#include "loops/flash_block_list.hpp"
#include "loops/flash_forward.hpp"
#include "loops/standard_forward.hpp"

namespace tilewright::test {
namespace {

template <typename Kernel>
Specimen specimen(std::string name, std::string summary, Kernel kernel, const std::string& file) {
  const bool ours = file.starts_with("kernels/");
  return {.name = std::move(name),
          .summary = std::move(summary),
          .kernel = std::make_shared<Kernel>(std::move(kernel)),
          .file = file,
          .path = (ours ? "tests/" : "library/") + file};
}

using Tensors = std::vector<SpecimenTensor>;

Tensors product(std::int64_t m, std::int64_t n, std::int64_t k, bool gathered) {
  Tensors tensors{{"b", bf16, {k, n}}};
  if (gathered) {
    tensors.push_back({"pick", i32, {m}, 60});  // some outside the table
    tensors.push_back({"a", bf16, {50, k}});
    tensors.push_back({"c", f32, {m, n}});
  } else {
    tensors.push_back({"a", bf16, {m, k}});
    tensors.push_back({"bias", f32, {n}});
    tensors.push_back({"c", bf16, {m, n}});
  }
  return tensors;
}

/// q, k, v, S and P of an attention, by the names `wanted`.
Tensors sequences(std::int64_t q, std::int64_t kv, const std::vector<std::string>& wanted) {
  const Tensors all{{"q", bf16, {1, 2, q, 64}},  {"k", bf16, {1, 2, kv, 64}},
                    {"v", bf16, {1, 2, kv, 64}}, {"s", f32, {1, 2, q, kv}},
                    {"p", f32, {1, 2, q, kv}},   {"out", bf16, {1, 2, q, 64}},
                    {"lse", f32, {1, 2, q}}};
  Tensors tensors;
  for (const SpecimenTensor& tensor : all)
    for (const std::string& name : wanted)
      if (tensor.name == name) tensors.push_back(tensor);
  return tensors;
}

/// The same with a list of tiles of 64 by 64: head 0 names every tile that a causal row sees, the
/// last first, head 1 every other one and, for its last rows, none. Tiles past the diagonal are
/// cut.
Tensors listed(std::int64_t q, std::int64_t kv) {
  Tensors tensors = sequences(q, kv, {"q", "k", "v", "out", "lse"});
  for (SpecimenTensor& tensor : tensors)  // values wider than keys: the result is staged over both
    if (tensor.name == "v" || tensor.name == "out") tensor.extents.back() = 128;
  const std::int64_t rows = (q + 63) / 64;
  std::vector<double> begin, end, tiles;
  for (std::int64_t row = 0; row < 2 * rows; ++row) {
    const std::int64_t last_row = std::min(row % rows * 64 + 63, q - 1) + kv - q;
    begin.push_back(static_cast<double>(tiles.size()));
    for (std::int64_t c = (kv + 63) / 64; c-- > 0;)
      if (c * 64 <= last_row && (row < rows || (c % 2 == 0 && row + 1 < 2 * rows)))
        tiles.push_back(static_cast<double>(c * 64 + 63 <= row % rows * 64 + kv - q ? c : ~c));
    end.push_back(static_cast<double>(tiles.size()));
  }
  if (tiles.empty()) tiles.push_back(0);
  tensors.push_back({"blocks_begin", i32, {1, 2, rows}, 1, false, begin});
  tensors.push_back({"blocks_end", i32, {1, 2, rows}, 1, false, end});
  tensors.push_back(
      {"blocks_tiles", i32, {static_cast<std::int64_t>(tiles.size())}, 1, false, tiles});
  return tensors;
}

}  // namespace

std::vector<Specimen> specimens() {
  std::vector<Specimen> all;
  const auto add_one = [&](Specimen one) -> Specimen& { return all.emplace_back(std::move(one)); };

  auto& sum =
      add_one(specimen("add", "a sum, scaled: no loop, no reduction", add(), "kernels/add.hpp"));
  sum.scalars = {{"factor", 0.5}};
  sum.launches = {{{"a", f16, {1000}}, {"b", f16, {1000}}, {"c", f16, {1000}}}};

  auto& soft = add_one(specimen("softmax", "rows of any length: two loops, reductions across lanes",
                                softmax(), "kernels/softmax.hpp"));
  soft.element = {"row", "column"};
  soft.launches = {{{"x", f32, {50, 332}}, {"y", f32, {50, 332}}}};

  auto& norm = add_one(specimen("layer_norm", "three loops over rows of any width",
                                layer_norm<bf16>(), "kernels/layer_norm.hpp"));
  norm.element = {"row", "column"};
  norm.scalars = {{"epsilon", 1.0 / 1024}};
  norm.launches = {
      {{"x", bf16, {50, 336}}, {"gain", f32, {336}}, {"bias", f32, {336}}, {"y", bf16, {50, 336}}}};

  auto& counted = add_one(
      specimen("histogram", "atomics at picked elements", histogram(), "kernels/histogram.hpp"));
  counted.launches = {{{"x", i32, {5000}, 16}, {"count", i32, {13}, 4}}};

  auto& product_of = add_one(specimen("matmul", "a product of any lengths, bias and activation",
                                      matmul<bf16>(), "kernels/matmul.hpp"));
  product_of.element = {"m", "n"};
  product_of.launches = {product(200, 136, 264, false), product(200, 136, 200, false),
                         product(200, 136, 0, false)};

  auto& gathered = add_one(specimen("gather_matmul", "rows picked by number, times a matrix",
                                    gather_matmul(), "kernels/gather_matmul.hpp"));
  gathered.element = {"m", "n"};
  gathered.launches = {product(200, 136, 264, true), product(200, 136, 200, true),
                       product(200, 136, 0, true)};

  const auto turned = [](std::int64_t rows) -> Tensors {
    return {{"x", bf16, {1, 2, rows, 128}},
            {"cosine", f32, {rows, 64}},
            {"sine", f32, {rows, 64}},
            {"y", bf16, {1, 2, rows, 128}}};
  };
  auto& half = add_one(specimen("rope_half", "pairs of a first and a second half",
                                rope<bf16, false>(), "kernels/rope.hpp"));
  half.request.extents = {{"d", 128}};
  half.launches = {turned(77)};
  auto& pairs = add_one(
      specimen("rope_interleaved", "pairs of neighbours", rope<bf16, true>(), "kernels/rope.hpp"));
  pairs.request.extents = {{"d", 128}};
  pairs.launches = {turned(77)};

  const auto chunked = [](std::int64_t rows) -> Tensors {
    return {{"q", f32, {1, 2, rows, 64}},
            {"k", f32, {1, 2, rows, 64}},
            {"v", f32, {1, 2, rows, 64}, 1, true},
            {"out", f32, {1, 2, rows, 64}}};
  };
  auto& linear = add_one(specimen("linear_attention", "a state carried over chunks, f32 by TF32",
                                  linear_attention(), "kernels/linear_attention.hpp"));
  linear.request.extents = {{"d", 64}, {"e", 64}};
  linear.launches = {chunked(200), chunked(130)};

  const std::string flash_file = "loops/flash_forward.hpp";
  auto& flash =
      add_one(specimen("flash_causal_bf16_d64", "tensor cores and staged copies, masked",
                       library::flash_forward<bf16>(library::causal_bottom_right), flash_file));
  flash.request.extents = {{"d", 64}, {"e", 64}};
  flash.element = {"q", "kv"};
  flash.scalars = {{"softmax_scale", 0.125}};
  flash.launches = {sequences(200, 333, {"q", "k", "v", "out", "lse"}),
                    sequences(600, 20, {"q", "k", "v", "out", "lse"})};

  auto& blocks =
      add_one(specimen("flash_block_list_bf16", "a loop over the tiles that a list names",
                       library::flash_block_list<bf16>(library::causal_bottom_right, 64, 64),
                       "loops/flash_block_list.hpp"));
  blocks.request.extents = {{"d", 64}, {"e", 128}};
  blocks.element = {"q", "kv"};
  blocks.scalars = {{"softmax_scale", 0.125}};
  blocks.launches = {listed(200, 333), listed(100, 20)};

  const std::string standard_file = "loops/standard_forward.hpp";
  auto& scores = add_one(specimen("standard_scores", "S = q k^T, into memory",
                                  library::standard_scores<bf16, f32>(), standard_file));
  scores.request.extents = {{"d", 64}};
  scores.scalars = {{"softmax_scale", 0.125}};
  scores.launches = {sequences(200, 332, {"q", "k", "s"})};

  auto& weights = add_one(specimen("standard_weights", "P = softmax of masked rows of S",
                                   library::standard_weights<f32>(library::causal_bottom_right),
                                   standard_file));
  weights.element = {"q", "kv"};
  weights.launches = {sequences(200, 332, {"s", "p", "lse"}),
                      sequences(100, 20, {"s", "p", "lse"})};

  auto& values = add_one(specimen("standard_values", "out = P v, P from memory",
                                  library::standard_values<bf16, f32>(), standard_file));
  values.request.extents = {{"e", 64}};
  values.element = {"q", "kv"};
  values.launches = {sequences(200, 332, {"p", "v", "out"}), sequences(200, 200, {"p", "v", "out"}),
                     sequences(100, 0, {"p", "v", "out"})};
  return all;
}

std::vector<double> numbers_of(const SpecimenTensor& tensor) {
  if (!tensor.given.empty()) return tensor.given;
  std::size_t count = 1;
  for (const std::int64_t extent : tensor.extents) count *= static_cast<std::size_t>(extent);
  unsigned state = 12345;
  for (const char letter : tensor.name) state = state * 31 + static_cast<unsigned char>(letter);
  std::vector<double> numbers(count);
  for (double& number : numbers) {
    state = state * 1664525u + 1013904223u;
    number = tensor.dtype == i32
                 ? static_cast<int>((state >> 8) % static_cast<unsigned>(tensor.limit))
                 : (static_cast<int>(state >> 25) - (tensor.positive ? 0 : 64)) / 64.0;
  }
  return numbers;
}

}  // namespace tilewright::test
