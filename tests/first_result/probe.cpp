// The process that first_result.cpp measures: one attention kernel, from main() to its result on
// the emulator. Prints the processor time of each part and what was opened, as one JSON object.
#include <sys/resource.h>
#include <time.h>

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <tilewright/compile.hpp>

#include "loops/flash_forward.hpp"

using namespace tilewright;
using namespace tilewright::library;

namespace {

/// Milliseconds of processor time of this process so far, all its threads; or of this thread.
double now(clockid_t of = CLOCK_PROCESS_CPUTIME_ID) {
  timespec time{};
  ::clock_gettime(of, &time);
  return 1e3 * static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_nsec);
}

bool mapped(const std::string& library) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    if (line.find(library) != std::string::npos) return true;
  return false;
}

}  // namespace

int main() {
  const double entered = now();
  const Device device = Device::open("emulator:sm_80");
  const double opened = now(), thread_opened = now(CLOCK_THREAD_CPUTIME_ID);
  const auto plan =
      compile(device, flash_forward<bf16>(causal_bottom_right), {.extents = {{D, 64}, {E, 64}}});
  const double compiled = now(), thread_compiled = now(CLOCK_THREAD_CPUTIME_ID);

  constexpr int rows = 16;
  const auto tensor = [&](const Buffer& buffer) {
    return TensorView::contiguous(buffer.address(), bf16, {1, 1, rows, 64});
  };
  std::vector<std::uint16_t> numbers(rows * 64, to_bf16(0.5f)), result(numbers.size());
  Buffer in(device, 2 * numbers.size());
  const Buffer out(device, 2 * numbers.size()), lse(device, 4 * rows);
  in.upload(numbers.data(), in.bytes());
  const double before_launch = now();
  plan.launch(Stream::default_stream(device),
              {{"q", tensor(in)},
               {"k", tensor(in)},
               {"v", tensor(in)},
               {"out", tensor(out)},
               {"lse", TensorView::contiguous(lse.address(), f32, {1, 1, rows})},
               {"softmax_scale", 0.125}});
  const double launched = now();
  device.synchronize();
  out.download(result.data(), out.bytes());
  const double ended = now();

  bool right = true;
  for (const std::uint16_t number : result) right &= number == to_bf16(0.5f);
  std::cout << nlohmann::json{{"right", right},
                              {"nvrtc", mapped("libnvrtc")},
                              {"before_main", entered},
                              {"device", opened - entered},
                              {"compile", compiled - opened},
                              {"compile_by_caller", thread_compiled - thread_opened},
                              {"memory", before_launch - compiled},
                              {"launch_and_run", launched - before_launch},
                              {"wait_and_read", ended - launched}};
}
