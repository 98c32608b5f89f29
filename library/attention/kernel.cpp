// See kernel.hpp; the kernel itself is loops/flash_forward.hpp.
#include "attention/kernel.hpp"

#include "attention/recorded.hpp"
#include "loops/flash_forward.hpp"
#include "passes/analyze_masks.hpp"

namespace tilewright::library {
namespace {

template <DType T>
std::unique_ptr<KernelSource> kernel_of(const ComposedScores& scores) {
  auto made = flash_forward_of<T>(scores);
  return std::make_unique<decltype(made)>(std::move(made));
}

const ir::Operation* find_loop(const ir::Kernel& kernel) {
  for (const auto& operation : kernel.body.operations)
    if (operation->op == Op::for_blocks) return operation.get();
  return nullptr;
}

}  // namespace

std::unique_ptr<KernelSource> attention_kernel(const Mask& mask, const ScoreMod& score_mod,
                                               DType dtype) {
  const ComposedScores scores{mask.tree(), score_mod.tree()};
  if (dtype == bf16) return kernel_of<bf16>(scores);
  if (dtype == f16) return kernel_of<f16>(scores);
  if (dtype == f32) return kernel_of<f32>(scores);
  return nullptr;
}

Extents kernel_extents(const AttentionExtents& extents, std::int64_t head_dim,
                       std::int64_t value_dim) {
  return {{B, extents.batch},    {HQ, extents.heads},    {HK, extents.kv_heads},
          {M, extents.seqlen_q}, {N, extents.seqlen_kv}, {D, head_dim},
          {E, value_dim}};
}

namespace {

std::map<std::string, std::int64_t> known_symbols(const Mask& mask, const Extents& extents,
                                                  const std::map<std::string, double>& numbers) {
  std::map<std::string, std::int64_t> symbols;
  for (const auto& [dim, extent] : extents) symbols["extent(" + dim + ")"] = extent;
  for (const ScoreTree& argument : arguments_of(std::array{mask.tree()})) {
    const auto given = numbers.find(argument->name);
    symbols["scalar(" + argument->name + ")"] =
        static_cast<std::int64_t>(given == numbers.end() ? argument->constant : given->second);
  }
  return symbols;
}

}  // namespace

std::optional<BlockCounts> count_blocks(const Program& program, const Mask& mask,
                                        const Extents& extents,
                                        const std::map<std::string, double>& numbers) {
  const auto symbols = known_symbols(mask, extents, numbers);
  const ir::Kernel& kernel = program.aligned.scheduled;
  bool known = true;
  const auto counts =
      passes::count_blocks(kernel, *find_loop(kernel), [&](const std::string& symbol) {
        const auto found = symbols.find(symbol);
        known = known && found != symbols.end();
        return found == symbols.end() ? std::int64_t{0} : found->second;
      });
  if (!known) return std::nullopt;
  return BlockCounts{counts.skipped, counts.full, counts.cut};
}

std::vector<ir::TileClass> tile_classes(const Program& program, const Mask& mask,
                                        const Extents& extents,
                                        const std::map<std::string, double>& numbers,
                                        std::int64_t batch, std::int64_t head) {
  auto symbols = known_symbols(mask, extents, numbers);
  const ir::Kernel& kernel = program.aligned.scheduled;
  for (const auto& operation : kernel.body.operations) {
    if (operation->op != Op::each) continue;
    const std::string value = "value(" + std::to_string(operation->results[0]) + ")";
    symbols[value] = operation->name == B.name ? batch : head;
  }
  const auto& tile = program.aligned.schedule.tile;
  const std::int64_t rows = extents.at(M), tile_q = tile.at(M), tile_kv = tile.at(N);
  bool known = true;
  std::vector<ir::TileClass> tiles;
  for (std::int64_t first = 0; first < rows; first += tile_q) {
    symbols["first(q)"] = first;
    symbols["last(q)"] = std::min(first + tile_q, rows) - 1;
    const auto line =
        ir::classify(*find_loop(kernel)->domain, (extents.at(N) + tile_kv - 1) / tile_kv,
                     [&](const std::string& symbol) {
                       const auto found = symbols.find(symbol);
                       known = known && found != symbols.end();
                       return found == symbols.end() ? 0 : found->second;
                     });
    if (!known) return {};
    tiles.insert(tiles.end(), line.begin(), line.end());
  }
  return tiles;
}

}  // namespace tilewright::library
