// How wide the accesses to a slice are: where it begins at a multiple of 16 bytes, its rows leave
// and arrive in whole pieces, so each 32-byte sector of it is touched once.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <tilewright/dsl.hpp>

#include "language_device.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

constexpr Dim<"m"> M;
constexpr Dim<"n"> N;
constexpr Dim<"k"> K;
constexpr Dim<"wide"> W;

/// Columns [first, first + 32) of `c`, a row of 64, are a product.
auto product_into_slice(std::int64_t first) {
  return kernel("product_into_slice",
                [=](In<"a", bf16, M, K> A, In<"b", bf16, K, N> B, Out<"c", bf16, M, W> C) {
                  auto m = blocks(M, 64);
                  auto product = dot(load(A(m, K)), load(B(K, N)), K);
                  store(C(m, as<N>(slice(W, first, 32))), product);
                });
}

nlohmann::json counted(std::int64_t first) {
  const Device& device = emulator();
  constexpr std::int64_t rows = 128, inner = 32, columns = 32, width = 64;
  const Plan plan = compile(device, product_into_slice(first),
                            {.extents = {{"k", inner}, {"n", columns}, {"wide", width}}});
  const std::vector<std::uint16_t> ones(rows * width, 0x3f80);
  Buffer a(device, rows * inner * 2), b(device, inner * columns * 2), c(device, rows * width * 2);
  a.upload(ones.data(), rows * inner * 2);
  b.upload(ones.data(), inner * columns * 2);
  c.upload(ones.data(), rows * width * 2);
  device.emulator()->reset();
  plan.launch(Stream::default_stream(device),
              {{"a", TensorView::contiguous(a.address(), bf16, {rows, inner})},
               {"b", TensorView::contiguous(b.address(), bf16, {inner, columns})},
               {"c", TensorView::contiguous(c.address(), bf16, {rows, width})}});
  const auto counters = nlohmann::json::parse(device.emulator()->counters());
  CHECK(device.emulator()->faults() == std::string("[]"));
  device.emulator()->reset();
  std::vector<std::uint16_t> result(rows * width);
  c.download(result.data(), result.size() * 2);
  std::size_t wrong = 0;
  for (std::int64_t at = 0; at < rows * width; ++at) {
    const bool inside = at % width >= first && at % width < first + 32;
    wrong += result[static_cast<std::size_t>(at)] != (inside ? 0x4200 : 0x3f80);  // 32, and 1
  }
  CHECK(wrong == 0);
  CHECK(counters.at("global_store_bytes") == rows * columns * 2);
  return counters;
}

}  // namespace

TEST_CASE("an aligned slice is stored in whole sectors, any other one element by element") {
  const std::int64_t sectors = 128 * 32 * 2 / 32;
  CHECK(counted(0).at("global_store_sectors") == sectors);
  CHECK(counted(16).at("global_store_sectors") == sectors);
  CHECK(counted(32).at("global_store_sectors") == sectors);
  CHECK(counted(3).at("global_store_sectors") > sectors);
}
