// Lesson 7: a race, found on a laptop. Two kernels count how often each value occurs. The first one
// reads a counter, adds one and writes it back; programs that meet in one counter overwrite each
// other's sums, and on a GPU it is luck whether a test notices. The emulator orders what barriers,
// atomics and the end of a kernel order, and nothing else, so it sees that two programs touch one
// counter without an order between them, and says where: the kernel's line, the block, the thread,
// the line of PTX. The second kernel adds by `atomic_add` and is silent.
//
// A report is not a matter of timing: the same program gives the same faults on every machine. What
// the emulator watches for besides races: reads of what was never written, accesses outside an
// allocation, copies used before they were waited for, barriers that some threads do not reach.
// On a GPU this lesson only runs the right kernel.
//
// Next: 08_schedule.cpp.
#include <nlohmann/json.hpp>
#include <tilewright/dsl.hpp>

#include "lesson.hpp"
using namespace tilewright;

constexpr Dim<"element"> N;
constexpr Dim<"bin"> K;

// clang-format off
auto wrong = kernel("count_wrong", [](In<"x", i32, N> X, InOut<"count", i32, K> Count) {
  auto n   = blocks(N);
  auto bin = let("bin", load(X(n)));
  store(Count(bin), load(Count(bin)) + 1);
});

auto right = kernel("count_right", [](In<"x", i32, N> X, InOut<"count", i32, K> Count) {
  auto n = blocks(N);
  atomic_add(Count(load(X(n))), 1);
});
// clang-format on

/// Launches and prints what the emulator saw; how many faults.
std::size_t watch(const Device& device, const Plan& plan, const Buffer& x, Buffer& count,
                  int elements, int bins) {
  device.emulator()->reset();
  count.fill(0);
  try {
    plan.launch(Stream::default_stream(device),
                {{"x", TensorView::contiguous(x.address(), i32, {elements})},
                 {"count", TensorView::contiguous(count.address(), i32, {bins})}});
    device.synchronize();
  } catch (const Error&) {  // a faulting launch fails as it would on a GPU; the list says why
  }
  const auto faults = nlohmann::json::parse(device.emulator()->faults());
  std::printf("%s: %zu faults\n", plan.program().traced.name.c_str(), faults.size());
  for (const auto& fault : faults)
    std::printf("  %s at %s\n    %s\n", fault.at("kind").get<std::string>().c_str(),
                plan.source_of(fault.at("cuda_line").get<int>(), true).c_str(),
                fault.at("message").get<std::string>().c_str());
  device.emulator()->reset();
  return faults.size();
}

int main(int argc, char** argv) try {
  const Device device = Device::open();
  const Plan good = compile(device, right);
  if (lesson::wants_cuda(argc, argv)) return lesson::show(good.cuda_source());

  const int elements = 1000, bins = 8;
  std::vector<std::int32_t> values(elements), counted(bins), expected(bins);
  for (int i = 0; i < elements; ++i)
    ++expected[static_cast<std::size_t>(values[static_cast<std::size_t>(i)] = i * i % bins)];
  Buffer x(device, 4 * values.size()), count(device, 4 * counted.size());
  x.upload(values.data(), 4 * values.size());

  bool ok = true;
  if (device.is_emulator()) {
    ok = watch(device, compile(device, wrong), x, count, elements, bins) > 0;
    ok = watch(device, good, x, count, elements, bins) == 0 && ok;
  } else {
    count.fill(0);
    good.launch(Stream::default_stream(device),
                {{"x", TensorView::contiguous(x.address(), i32, {elements})},
                 {"count", TensorView::contiguous(count.address(), i32, {bins})}});
  }
  count.download(counted.data(), 4 * counted.size());
  ok = counted == expected && ok;
  std::printf("the race is %s, the counts are %s\n", ok ? "found" : "NOT FOUND",
              counted == expected ? "right" : "WRONG");
  return ok ? 0 : 1;
} catch (const Error& error) {
  return lesson::failed(error);
}
