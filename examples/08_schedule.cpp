// Lesson 8: overriding the compiler's choices. What a target decides for a kernel (tile sizes,
// warps, copies in flight, which tile stays in registers) is a `Schedule`: plain data that is
// printed, read back and overridden, never a branch hidden in the compiler. What a schedule leaves
// open, the compiler still chooses; what cannot be had (tiles that do not fit into shared memory or
// registers) is refused, or shrunk with a reason printed.
//
// The kernel is lesson 4's. Every schedule gives the same result up to the order of its sums, and
// the same bits each time. On the command line: --tile-q, --tile-kv, --stages, --warps, --schedule
// FILE.
//
//   build/tilewright dump flash --stage schedule > mine.txt     edit it, then
//   build/tilewright run flash --schedule mine.txt --check
//
// Next: 09_embedding.cpp.
#include <nlohmann/json.hpp>
#include <tilewright/dsl.hpp>

#include "lesson.hpp"
using namespace tilewright;

constexpr Dim<"head"> H;
constexpr Dim<"q"> M;
constexpr Dim<"kv"> N;
constexpr Dim<"d"> D;
constexpr Dim<"e"> E;

// clang-format off
auto flash = kernel("flash",
    [](In<"q", bf16, H, M, D> Q, In<"k", bf16, H, N, D> K, In<"v", bf16, H, N, E> V, Out<"out", bf16, H, M, E> O) {
      auto h = each(H);  auto m = blocks(M);
      auto q = let("q", load(Q(h, m, D)));
      OnlineSoftmax<M, E> softmax;
      for_blocks(N, causal(M, N), [&](auto n) {
        softmax.update(dot(q, load(K(h, n, D)), D) * 0.125f, load(V(h, n, E)), N);
      });
      store(O(h, m, E), softmax.result());
    });
// clang-format on

int main(int argc, char** argv) try {
  const Device device = Device::open();
  const int heads = 4, length = 500, d = 64;
  const lesson::Tensor q(device, bf16, {heads, length, d}, 1),
      k(device, bf16, {heads, length, d}, 2);
  const lesson::Tensor v(device, bf16, {heads, length, d}, 3);

  double error = 0;
  std::vector<double> first;    // one row of the compiler's own schedule
  for (const char* text : {"",  // all the compiler's
                           "tile q 64\ntile kv 64\nwarps 4\nstages 3", "tile kv 32\nstages 1"}) {
    const Plan plan =
        compile(device, flash, {.extents = {{D, d}, {E, d}}, .schedule = read_schedule(text)});
    if (lesson::wants_cuda(argc, argv)) return lesson::show(plan.cuda_source());
    lesson::Tensor out(device, bf16, {heads, length, d});
    if (device.is_emulator()) device.emulator()->reset();
    plan.launch(Stream::default_stream(device), {{"q", q}, {"k", k}, {"v", v}, {"out", out}});
    out.download();
    std::printf("%s", print(plan.program().aligned.schedule).c_str());
    if (device.is_emulator())
      std::printf("# read: %.2f MB\n", nlohmann::json::parse(device.emulator()->counters())
                                               .at("global_load_bytes")
                                               .get<double>() /
                                           1e6);
    std::printf("\n");
    std::vector<double> row;
    for (int c = 0; c < d; ++c) row.push_back(out(3, length - 1, c));
    if (first.empty()) {
      for (int c = 0; c < d; ++c) {  // the oracle, for that row: it sees every key
        double sum = 0, want = 0;
        for (int j = 0; j < length; ++j) {
          double s = 0;
          for (int i = 0; i < d; ++i) s += q(3, length - 1, i) * k(3, j, i);
          sum += std::exp(s * 0.125);
          want += std::exp(s * 0.125) * v(3, j, c);
        }
        first.push_back(want / sum);
      }
    }
    for (int c = 0; c < d; ++c)
      error = lesson::worse(
          error, std::fabs(row[static_cast<std::size_t>(c)] - first[static_cast<std::size_t>(c)]));
  }
  try {  // 255 rows of 16 for each warp are no number of rows a tile can have: refused by name
    compile(device, flash, {.extents = {{D, d}, {E, d}}, .schedule = read_schedule("tile q 255")});
    return 1;
  } catch (const Error& refused) {
    std::printf("%s\n", refused.what());
  }
  return lesson::verdict(compile(device, flash, {.extents = {{D, d}, {E, d}}}), error, 4e-3);
} catch (const Error& error) {
  return lesson::failed(error);
}
