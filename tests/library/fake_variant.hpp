// Variants without a compiler, so that the command can be tested by itself.
//
// `fake` computes attention by the oracle's formula and rounds it; its option --plant makes it
// wrong in a chosen way. `other` exists to own an option that `fake` does not have.
#pragma once

#include <array>
#include <cstring>
#include <new>
#include <tilewright/error.hpp>

#include "reference/dense.hpp"
#include "runtime/errors.hpp"
#include "variants/variant.hpp"

namespace tilewright::test {

class FakeVariant : public library::Variant {
 public:
  void visit_kernels(const library::Request&, const library::KernelVisitor&) const override {}

  library::RunResult run(const library::Request& request, const std::string& device,
                         const library::Inputs& inputs) const override {
    const std::string plant = request.options.at("--plant");
    if (plant == "missing") {
      throw Error(errors::runtime["nvrtc-not-found"], "NVRTC was not found",
                  {"nvrtc", "", "an NVRTC", ""});
    }
    if (plant == "compile") throw Error(errors::runtime["nvrtc-refused"], "NVRTC refused the text");
    if (plant == "memory") throw std::bad_alloc();
    if (plant == "crash") throw std::runtime_error("something unforeseen");
    const library::AttentionShape& s = request.shape;
    const auto exact =
        library::dense_attention(s, inputs, formula(request), library::Precision::exact);
    library::RunResult result;
    result.device = device.empty() ? "fake:0" : device;
    result.arch = "sm_80";
    result.tile_q = request.schedule.tile_q.value_or(64);
    result.tile_kv = request.schedule.tile_kv.value_or(32);
    result.blocks = {1, 2, 3};
    result.counters = {{"global_bytes", 12345}, {"tensor_ops", 678}};
    result.lse.assign(exact.lse.begin(), exact.lse.end());
    store(s, exact.out, result.out);
    if (plant == "gpu" && request.timed > 0) result.milliseconds = {2, 1, 4, 3};
    if (plant == "lse") result.lse.at(0) += 1e-3f;
    if (plant == "fault") {
      result.faults.push_back({"data_race",
                               "fake_kernel",
                               {1, 2, 3},
                               {4, 5, 6},
                               77,
                               "fake.cpp:12",
                               "two threads on one byte"});
    }
    return result;
  }

  /// Causal or everything in tiles of 4, or as the schedule says; the option plants a lie.
  std::optional<library::Tiling> tiling(const library::Request& request,
                                        const std::string&) const override {
    const std::string plant = request.options.at("--plant");
    if (plant == "tiles") return {};
    const std::int64_t tile_q = request.schedule.tile_q.value_or(4);
    const std::int64_t tile_kv = request.schedule.tile_kv.value_or(4);
    return library::Tiling{tile_q, tile_kv, [=, s = request.shape](std::int64_t, std::int64_t h) {
                             std::vector<ir::TileClass> tiles;
                             for (std::int64_t q = 0; q < s.seqlen_q; q += tile_q)
                               for (std::int64_t k = 0; k < s.seqlen_kv; k += tile_kv) {
                                 const auto last_q = std::min(q + tile_q, s.seqlen_q) - 1;
                                 const auto last_k = std::min(k + tile_kv, s.seqlen_kv) - 1;
                                 const auto seen = [&](std::int64_t row, std::int64_t key) {
                                   return !s.causal || key <= row + s.position_offset();
                                 };
                                 tiles.push_back(!seen(last_q, k)  ? ir::TileClass::skipped
                                                 : seen(q, last_k) ? ir::TileClass::full
                                                                   : ir::TileClass::cut);
                               }
                             if (plant == "skipped" && h == 1) tiles[0] = ir::TileClass::skipped;
                             return tiles;
                           }};
  }

  std::string dump(const library::Request& request, const std::string& arch,
                   library::Stage stage) const override {
    if (stage == library::Stage::cubin)
      return std::string(
          "\x7f"
          "ELF\0\1\2",
          7);
    return arch + " stage " + std::to_string(static_cast<int>(stage)) + " q " +
           std::to_string(request.shape.seqlen_q) + "\n" + request.schedule.text;
  }

 private:
  static void store(const library::AttentionShape& s, const std::vector<double>& out,
                    std::vector<std::byte>& bytes) {
    bytes.resize(out.size() * 2);
    if (out.empty()) return;  // one extent is 0, others may be huge
    std::size_t i = 0;
    for (std::int64_t b = 0; b < s.batch; ++b)
      for (std::int64_t h = 0; h < s.heads; ++h)
        for (std::int64_t q = 0; q < s.seqlen_q; ++q)
          for (std::int64_t e = 0; e < s.value_dim; ++e, ++i) {
            const auto value = static_cast<float>(out[i]);
            const std::uint16_t bits = s.dtype == bf16 ? to_bf16(value) : to_f16(value);
            const auto at =
                library::row_offset(s.layout, s.heads, s.seqlen_q, s.value_dim, b, h, q) + e;
            std::memcpy(bytes.data() + at * 2, &bits, 2);
          }
  }
};

inline library::VariantTable fake_variants() {
  using library::OptionHelp;
  const auto make = []() -> std::unique_ptr<library::Variant> {
    return std::make_unique<FakeVariant>();
  };
  static const std::array rows{
      library::VariantEntry{.name = "fake",
                            .origin = "the tests",
                            .summary = "attention by the formula",
                            .options = {OptionHelp{"--plant", "none", "how to be wrong"}},
                            .make = make},
      library::VariantEntry{.name = "other",
                            .origin = "the tests",
                            .summary = "another",
                            .options = {OptionHelp{"--window", "7", "keys"}},
                            .make = make},
  };
  return rows;
}

}  // namespace tilewright::test
