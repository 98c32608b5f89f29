// The variant `standard`: exact attention by three kernels through S and P in memory. The baseline,
// so it computes every pair, and it is refused where S and P would not fit a budget.
// See variant.hpp for what each answer means; the kernels are loops/standard_forward.hpp.
#include <charconv>
#include <tilewright/compile.hpp>
#include <tilewright/error.hpp>

#include "command/errors.hpp"
#include "loops/standard_forward.hpp"
#include "variants/errors.hpp"
#include "variants/run_plan.hpp"
#include "variants/variant.hpp"

namespace tilewright::library {
namespace {

using Kernels = std::vector<std::unique_ptr<KernelSource>>;

template <typename Kernel>
void keep(Kernels& kernels, Kernel made) {
  kernels.push_back(std::make_unique<Kernel>(std::move(made)));
}

template <DType T, DType W>
Kernels kernels_of(const AttentionShape& shape) {
  Kernels kernels;
  keep(kernels, standard_scores<T, W>());
  if (!shape.causal)
    keep(kernels, standard_weights<W>(everything));
  else if (shape.causal_alignment == CausalAlignment::top_left)
    keep(kernels, standard_weights<W>(causal_top_left));
  else
    keep(kernels, standard_weights<W>(causal_bottom_right));
  keep(kernels, standard_values<T, W>());
  return kernels;
}

bool stores_input_type(const Request& request) {
  const auto given = request.options.find("--scores");
  const std::string text = given == request.options.end() ? "f32" : given->second;
  if (text != "f32" && text != "input")
    throw Error(errors::command["option-value-unknown"], "S and P have no such type",
                {"--scores", text, "f32, input", ""});
  return text == "input";
}

Kernels kernels_of(const Request& request) {
  const AttentionShape& shape = request.shape;
  const bool narrow = stores_input_type(request);
  if (shape.dtype == bf16)
    return narrow ? kernels_of<bf16, bf16>(shape) : kernels_of<bf16, f32>(shape);
  if (shape.dtype == f16) return narrow ? kernels_of<f16, f16>(shape) : kernels_of<f16, f32>(shape);
  if (shape.dtype == f32) return kernels_of<f32, f32>(shape);
  throw Error(errors::variants["variant-type-unsupported"],
              "standard has no kernels for this element type",
              {"--dtype", std::string(name(shape.dtype)), "bf16, f16, f32", ""});
}

/// The tiles that a person forces are those of the two products: a row of weights has its own.
CompileRequest compile_request(const Request& request, std::size_t kernel) {
  if (!request.schedule.text.empty())
    throw Error(errors::variants["variant-schedule-unsupported"],
                "standard has three kernels, and a schedule is one's",
                {"--schedule", "a file", "--tile-q, --tile-kv, --stages, --warps", ""});
  Request one = request;
  if (kernel == 1) {  // it has no product either
    one.schedule = {};
    one.shape.dot_precision = DotPrecision::f32;
  }
  const auto& shape = request.shape;
  std::map<std::string, std::int64_t> extents;
  if (kernel == 0) extents[D] = shape.head_dim;
  if (kernel == 2) extents[E] = shape.value_dim;
  return library::compile_request(one, std::move(extents));
}

/// Of S and P, rows padded to 16 bytes; as large as 2^64 - 1 where it does not fit a number.
std::uint64_t bytes_of_scores(const Request& request) {
  const AttentionShape& s = request.shape;
  const auto element =
      static_cast<std::uint64_t>(stores_input_type(request) ? size_of(s.dtype) : 4);
  std::uint64_t bytes = (static_cast<std::uint64_t>(s.seqlen_kv) * element + 15) / 16 * 16;
  bool overflow = false;
  for (const std::int64_t factor : {s.batch, s.heads, s.seqlen_q}) {
    if (factor == 0) return 0;
    overflow |= __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(factor), &bytes);
  }
  constexpr std::uint64_t piece = 256;
  overflow |= __builtin_add_overflow(bytes, piece - 1, &bytes);
  overflow |= __builtin_mul_overflow(bytes / piece, 2 * piece, &bytes);
  return overflow ? UINT64_MAX : bytes;
}

void require_budget(const Request& request) {
  const auto given = request.options.find("--memory-budget");
  if (given == request.options.end()) return;
  const std::string& text = given->second;
  std::uint64_t budget = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), budget);
  if (error != std::errc() || end != text.data() + text.size())
    throw Error(errors::command["option-not-a-number"], "--memory-budget is not a number of bytes",
                {"--memory-budget", text, "an integer from 0 to 18446744073709551615", ""});
  const std::uint64_t bytes = bytes_of_scores(request);
  if (bytes <= budget) return;
  const bool known = bytes != UINT64_MAX;
  throw Error(errors::variants["memory-budget-exceeded"],
              "S and P of this shape take " +
                  (known ? std::to_string(bytes) : std::string("more than 2^64")) +
                  " bytes, more than --memory-budget",
              {"--memory-budget", std::to_string(budget),
               known ? "at least " + std::to_string(bytes) : std::string("a smaller shape"), ""});
}

/// Tiles of one row of tiles that hold no hidden pair (a tail past the end does not count).
std::int64_t full_tiles(const AttentionShape& s, std::int64_t first_row, std::int64_t tile_kv) {
  const std::int64_t last_seen = s.causal ? first_row + s.position_offset() : s.seqlen_kv - 1;
  return last_seen >= s.seqlen_kv - 1 ? (s.seqlen_kv + tile_kv - 1) / tile_kv
                                      : std::max<std::int64_t>(0, (last_seen + 1) / tile_kv);
}

/// Every tile is computed.
BlockCounts count(const AttentionShape& s, std::int64_t tile_q, std::int64_t tile_kv) {
  const std::int64_t rows = (s.seqlen_q + tile_q - 1) / tile_q,
                     columns = (s.seqlen_kv + tile_kv - 1) / tile_kv;
  BlockCounts counts;
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int64_t full = full_tiles(s, i * tile_q, tile_kv);
    counts.full += full;
    counts.cut += columns - full;
  }
  counts.full *= s.batch * s.heads;
  counts.cut *= s.batch * s.heads;
  return counts;
}

class Standard : public Variant {
 public:
  void visit_kernels(const Request& request, const KernelVisitor& visit) const override {
    Kernels kernels = kernels_of(request);
    for (std::size_t i = 0; i < kernels.size(); ++i)
      visit(std::move(kernels[i]), compile_request(request, i));
  }

  RunResult run(const Request& request, const std::string& where,
                const Inputs& inputs) const override {
    require_budget(request);
    const Kernels kernels = kernels_of(request);
    const Device device = Device::open(where);
    const auto part = [&](std::size_t i) {
      return compile(device, *kernels[i], compile_request(request, i));
    };
    const Plan plan{part(0), part(1), part(2)};
    RunResult result = run_plan(plan, request, inputs);
    const auto& tile = plan.program(0).aligned.schedule.tile;
    result.tile_q = tile.at(M);
    result.tile_kv = tile.at(N);
    result.blocks = count(request.shape, result.tile_q, result.tile_kv);
    return result;
  }

  std::optional<Tiling> tiling(const Request& request, const std::string& arch) const override {
    const auto program = make_program(*kernels_of(request)[0], arch, compile_request(request, 0));
    const auto& tile = program.aligned.schedule.tile;
    const std::int64_t tile_q = tile.at(M), tile_kv = tile.at(N);
    return Tiling{tile_q, tile_kv, [=, s = request.shape](std::int64_t, std::int64_t) {
                    std::vector<ir::TileClass> tiles;
                    for (std::int64_t row = 0; row < s.seqlen_q; row += tile_q)
                      for (std::int64_t key = 0; key < s.seqlen_kv; key += tile_kv)
                        tiles.push_back(key / tile_kv < full_tiles(s, row, tile_kv)
                                            ? ir::TileClass::full
                                            : ir::TileClass::cut);
                    return tiles;
                  }};
  }

  std::string dump(const Request& request, const std::string& arch, Stage stage) const override {
    const Kernels kernels = kernels_of(request);
    std::vector<Program> programs;
    for (std::size_t i = 0; i < kernels.size(); ++i)
      programs.push_back(make_program(*kernels[i], arch, compile_request(request, i)));
    return dump_programs(programs, "standard", arch, stage);
  }

  bool rounds_scores(const Request& request) const override { return stores_input_type(request); }
};

}  // namespace

namespace bundled {

VariantEntry standard() {
  return {.origin = "the formula in three kernels; \"Algorithm 0\" of FlashAttention",
          .summary = "exact attention through scores and weights in memory: the baseline",
          .mask = "",
          .options = {{"--scores", "f32",
                       "element type of S and P in memory: f32, or input (that of q, k and v; f16 "
                       "overflows from 65520 on)",
                       false, "TYPE"},
                      {"--memory-budget", "4294967296",
                       "bytes that S and P may take together; a shape that takes more is refused",
                       false, "BYTES"}},
          .cases = {"--scores input"},
          .make = [] { return std::make_unique<Standard>(); }};
}

}  // namespace bundled
}  // namespace tilewright::library
