// ACSR on the emulator: rows of steps of their own, of several segments, of one key and of none,
// fused and with compressed values in memory; and what stands in that memory. Against the formula
// over all pairs.
#include <tilewright/compile.hpp>
#include <tilewright/library/acsr.hpp>

#include "attention/compressed.hpp"
#include "calls/calls.hpp"

using namespace calls;

namespace {

using Rows = std::vector<std::vector<AcsrSegment>>;

/// Whose rows have little in common, and one that is all rows' neighbour's.
Rows mixed(int rows, int keys) {
  Rows all;
  for (int q = 0; q < rows; ++q) switch (q % 7) {
      case 0: all.push_back({}); break;
      case 1: all.push_back({{5 * q % keys, 1, 1}}); break;
      case 2: all.push_back({{q / 2, 1, keys / 3}}); break;
      case 3: all.push_back({{2, 3, (keys - 2) / 3}}); break;
      case 4: all.push_back({{0, 1, 4}, {10 + q % 5, 7, 8}}); break;
      case 5: all.push_back({{0, 2, 3}, {1, 4, 2}, {20, 1, 9}, {40, 9, 4}}); break;
      default: all.push_back({{0, 1, keys}}); break;
    }
  return all;
}

/// One segment each, and none for all.
Rows lone(int rows, int) {
  Rows all(static_cast<std::size_t>(rows));
  all[static_cast<std::size_t>(rows / 2)] = {{7, 1, 1}};
  return all;
}

/// The keys of each row in the order of its segments.
std::vector<std::vector<int>> keys_of(const Rows& rows) {
  std::vector<std::vector<int>> all;
  for (const auto& row : rows) {
    all.emplace_back();
    for (const AcsrSegment& one : row)
      for (int i = 0; i < one.count; ++i) all.back().push_back(one.start + i * one.step);
  }
  return all;
}

oracle::Problem sized(DType dtype, int rows, int keys, const std::vector<std::vector<int>>& seen) {
  auto p = problem(dtype, {.batch = 2,
                           .heads = 4,
                           .kv_heads = 2,
                           .seqlen_q = rows,
                           .seqlen_kv = keys,
                           .head_dim = 40,
                           .value_dim = 72});
  p.visible = [&seen](long, long, long q, long k) {
    const auto& row = seen[static_cast<std::size_t>(q)];
    return std::find(row.begin(), row.end(), k) != row.end();
  };
  return p;
}

/// Tables in device memory.
class Tables {
 public:
  void add(const std::vector<AcsrTable>& tables) {
    for (const AcsrTable& one : tables) {
      buffers_.emplace_back(emulator(), one.numbers.size() * 4);
      if (!one.numbers.empty()) buffers_.back().upload(one.numbers.data(), buffers_.back().bytes());
      views.emplace_back(one.name,
                         TensorView::contiguous(buffers_.back().address(), i32, one.extents));
    }
  }
  std::vector<std::pair<std::string, TensorView>> views;

 private:
  std::vector<Buffer> buffers_;
};

using Size = std::array<int, 2>;
constexpr Size sizes[] = {{70, 90}, {64, 72}, {7, 129}};

}  // namespace

TEST_CASE("fused, rows that have little in common") {
  for (const DType dtype : {bf16, f16, f32})
    for (const auto& [rows, keys] : sizes)
      for (const auto& made : {mixed(rows, keys), lone(rows, keys)}) {
        CAPTURE(static_cast<int>(dtype));
        CAPTURE(rows);
        const auto seen = keys_of(made);
        const auto p = sized(dtype, rows, keys, seen);
        const Acsr acsr(keys, made);
        Tables tables;
        tables.add(acsr.tables());
        Tensors tensors(p, dtype);
        tensors.views.tables = tables.views;
        const auto plan =
            Attention{}
                .mask(acsr.mask())
                .compile(emulator(), {.dtype = dtype, .head_dim = 40, .value_dim = 72});
        plan.launch(Stream::default_stream(emulator()), tensors.views);
        check_results(p, dtype, tensors.out.numbers(), tensors.lse.numbers());
        CHECK(faults() == "[]");
      }
}

TEST_CASE("three kernels, and the scores and weights between them") {
  for (const DType dtype : {bf16, f16, f32})
    for (const auto& [rows, keys] : sizes)
      for (const auto& made : {mixed(rows, keys), lone(rows, keys)}) {
        CAPTURE(static_cast<int>(dtype));
        CAPTURE(rows);
        const auto seen = keys_of(made);
        const auto p = sized(dtype, rows, keys, seen);
        const Acsr acsr(keys, made);
        const library::CompressedParts parts{.places = library::AcsrPlaces(acsr),
                                             .width = acsr.width(),
                                             .block_q = 32,
                                             .block_kv = 64};
        std::vector<Plan> steps;
        for (const auto& one : library::compressed_kernels(parts, dtype, 40, 72))
          steps.push_back(compile(emulator(), *one.kernel, {.extents = one.extents}));
        REQUIRE(steps.size() == 3);
        const Plan plan{steps[0], steps[1], steps[2]};

        Tables tables;
        tables.add(acsr.tables());
        tables.add(parts.places.tables);
        const Tensors tensors(p, dtype);
        const AttentionExtents extents{2, 4, 2, rows, keys};
        const auto lister =
            compile_block_list(emulator(), acsr.mask(), {.block_q = 32, .block_kv = 64});
        const BlockListMemory memory(emulator(), lister.shape(extents));
        const BlockListTensors list = memory.tensors(2, 4);
        const Stream stream = Stream::default_stream(emulator());
        BlockListArguments of_list;
        for (const auto& one : tables.views)
          if (one.first != "acsr_count" && one.first != "acsr_place") of_list.tables.push_back(one);
        lister.launch(stream, list, extents, of_list);

        std::vector<Binding> bindings{
            {"q", tensors.views.q},       {"k", tensors.views.k},
            {"v", tensors.views.v},       {"out", tensors.views.out},
            {"lse", tensors.views.lse},   Binding("softmax_scale", p.scale),
            {"blocks_begin", list.begin}, {"blocks_end", list.end},
            {"blocks_tiles", list.tiles}};
        for (const auto& [name, view] : tables.views) bindings.emplace_back(name, view);
        const std::size_t bytes = plan.workspace_bytes(library::kernel_extents(extents, 40, 72));
        const auto width = static_cast<std::size_t>(acsr.width()), pitch = (width + 3) / 4 * 4,
                   values = 2 * 4 * static_cast<std::size_t>(rows) * pitch;
        // Of the widest row's size, for S and for P, whatever lies between its keys.
        CHECK(bytes >= 2 * values * sizeof(float));
        CHECK(bytes <= 2 * values * sizeof(float) + 512);
        const Buffer workspace(emulator(), bytes);
        plan.launch(stream, bindings, Workspace(workspace));
        emulator().synchronize();
        check_results(p, dtype, tensors.out.numbers(), tensors.lse.numbers());
        CHECK(faults() == "[]");

        std::vector<float> stored(bytes / sizeof(float));
        workspace.download(stored.data(), bytes);
        const float* weight = stored.data() + (values + 63) / 64 * 64;
        const auto lse = tensors.lse.numbers();
        long wrong = 0;
        for (std::size_t row = 0; row < 2 * 4 * static_cast<std::size_t>(rows); ++row) {
          const std::size_t q = row % static_cast<std::size_t>(rows),
                            h = row / static_cast<std::size_t>(rows) % 4,
                            b = row / static_cast<std::size_t>(rows) / 4;
          for (std::size_t at = 0; at < width; ++at) {
            const float s = stored[row * pitch + at], w = weight[row * pitch + at];
            if (at >= seen[q].size()) {
              wrong += s != -INFINITY || w != 0;
              continue;
            }
            const auto k = static_cast<std::size_t>(seen[q][at]);
            double dot = 0;
            for (std::size_t d = 0; d < 40; ++d)
              dot += p.q[row * 40 + d] *
                     p.k[((b * 2 + h / 2) * static_cast<std::size_t>(keys) + k) * 40 + d];
            wrong += std::abs(s - p.scale * dot) > 1e-4 ||
                     std::abs(w - std::exp(p.scale * dot - lse[row])) > 1e-4;
          }
        }
        CHECK(wrong == 0);
      }
}
