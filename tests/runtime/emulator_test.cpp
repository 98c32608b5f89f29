// End to end through the emulator's library: CUDA text, NVRTC's PTX, the driver table, memory,
// launch, faults. Everything here goes through the Driver API, as it would on a GPU.
#include <dlfcn.h>
#include <doctest/doctest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <thread>
#include <tilewright/error.hpp>
#include <vector>

#include "runtime/compile.hpp"
#include "runtime/memory.hpp"
#include "runtime/surroundings.hpp"

using namespace tilewright;
using namespace tilewright::runtime;
using test::ScopedVariable;
using test::TemporaryFolder;

namespace {

const char* const vector_add = R"(
extern "C" __global__ void vector_add(const float* a, const float* b, float* sum, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) sum[i] = a[i] + b[i];
})";

const char* const out_of_bounds = R"(
extern "C" __global__ void out_of_bounds(float* x) { x[threadIdx.x + (1 << 28)] = 1; })";

/// A cache of its own, so that what is compiled here is not the user's.
struct OwnCache {
  TemporaryFolder folder;
  ScopedVariable cache{"TILEWRIGHT_CACHE_DIR", folder.path().string()};
};

template <class T>
std::vector<T> downloaded(const Buffer& buffer) {
  std::vector<T> values(buffer.bytes() / sizeof(T));
  buffer.download(values.data(), buffer.bytes());
  return values;
}

std::string kind_of_error(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return name(error.kind());
  }
  return "none";
}

}  // namespace

TEST_CASE("the emulator's devices have the properties of what they stand for") {
  for (const char* spec : {"emulator:sm_80", "emulator:sm_90a"}) {
    CAPTURE(spec);
    const Device device = Device::open(spec);
    const bool newer = std::string(spec) == "emulator:sm_90a";
    CHECK(device.is_emulator());
    REQUIRE(device.emulator() != nullptr);
    CHECK(device.arch() == (newer ? 90 : 80));
    CHECK(device.architecture() == (newer ? "sm_90a" : "sm_80"));
    CHECK(device.spec() == spec);
    CHECK(device.shared_bytes_per_block() == (newer ? 227 : 163) * 1024);
    CHECK(device.sm_count() > 1);
    CHECK(device.total_memory() > 0);
    CHECK(device == Device::open(spec));
  }
  CHECK_FALSE(Device::open("emulator:sm_80") == Device::open("emulator:sm_90a"));
  ScopedVariable variable("TILEWRIGHT_DEVICE", "emulator:sm_90a");
  CHECK(Device::open().spec() == "emulator:sm_90a");
}

TEST_CASE("auto takes a GPU if there is a driver, else the emulator") {
  ScopedVariable variable("TILEWRIGHT_DEVICE", std::nullopt);
  const bool has_driver = dlopen("libcuda.so.1", RTLD_LOCAL | RTLD_NOW) != nullptr;
  CHECK(Device::open().spec() == (has_driver ? "cuda:0" : "emulator:sm_80"));
  CHECK(Device::open("auto") == Device::open());
}

TEST_CASE("buffers check ranges, move, and keep what was written") {
  const Device device = Device::open("emulator:sm_80");
  Buffer buffer(device, 12);
  const std::vector<int> values{1, 2, 3};
  buffer.upload(values.data(), 12);
  buffer.upload(values.data(), 4, 8);
  CHECK(downloaded<int>(buffer) == std::vector<int>{1, 2, 1});
  CHECK(kind_of_error([&] { buffer.upload(values.data(), 12, 4); }) == "invalid_argument");
  CHECK(kind_of_error([&] { buffer.upload(values.data(), 1, 13); }) == "invalid_argument");
  CHECK(kind_of_error([&] { buffer.upload(nullptr, 4); }) == "invalid_argument");
  CHECK(kind_of_error([&] { buffer.upload(values.data(), 4, ~std::size_t{0}); }) ==
        "invalid_argument");

  Buffer moved = std::move(buffer);
  CHECK(buffer.address() == 0);
  moved.fill(0xff);
  CHECK(downloaded<int>(moved) == std::vector<int>{-1, -1, -1});
  moved = Buffer(device, 0);
  CHECK(moved.address() == 0);
  moved.fill(1);
  moved.upload(nullptr, 0);

  try {
    Buffer huge(device, std::size_t{1} << 60);
    FAIL("allocated");
  } catch (const Error& error) {
    CHECK(error.argument() == "bytes");
    CHECK(error.value() == std::to_string(std::size_t{1} << 60));
  }
}

TEST_CASE("vector add, on both devices, on an odd length, twice from the cache") {
  OwnCache cache;
  for (const char* spec : {"emulator:sm_80", "emulator:sm_90a"}) {
    CAPTURE(spec);
    const Device device = Device::open(spec);
    for (int pass = 0; pass < 2; ++pass) {
      const CompiledKernel kernel = compile_kernel(device, vector_add, "vector_add");
      CHECK(kernel.image.from_cache == (pass == 1));
      CHECK(kernel.image.kind == ImageKind::ptx);
      int n = 1001;
      std::vector<float> a(n), b(n);
      std::iota(a.begin(), a.end(), 0.f);
      std::iota(b.begin(), b.end(), 0.5f);
      const std::size_t bytes = n * sizeof(float);
      Buffer on_a(device, bytes), on_b(device, bytes), on_sum(device, bytes);
      const Stream stream(device);
      on_a.upload_async(a.data(), bytes, stream);
      on_b.upload_async(b.data(), bytes, stream);
      Event start(device), stop(device);
      CUdeviceptr addresses[] = {on_a.address(), on_b.address(), on_sum.address()};
      void* parameters[] = {&addresses[0], &addresses[1], &addresses[2], &n};
      start.record(stream);
      kernel.function.launch({8}, {128}, 0, stream, parameters);
      kernel.function.launch({0}, {128}, 0, stream, parameters);  // an empty grid is nothing
      stop.record(stream);
      stream.synchronize();
      CHECK(Event::elapsed_ms(start, stop) >= 0);
      const auto sum = downloaded<float>(on_sum);
      int wrong = 0;
      for (int i = 0; i < n; ++i) wrong += sum[i] != a[i] + b[i];
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("counters and faults are reached through the device") {
  OwnCache cache;
  const Device device = Device::open("emulator:sm_80");
  const EmulatorControls& emulator = *device.emulator();
  emulator.reset();
  const CompiledKernel kernel = compile_kernel(device, vector_add, "vector_add");
  Buffer buffer(device, 400);
  buffer.fill(0);
  int n = 100;
  CUdeviceptr address = buffer.address();
  void* parameters[] = {&address, &address, &address, &n};
  kernel.function.launch({1}, {128}, 0, Stream::default_stream(device), parameters);
  device.synchronize();
  CHECK_FALSE(nlohmann::json::parse(emulator.counters()).empty());
  CHECK(nlohmann::json::parse(emulator.faults()).empty());
  emulator.reset();
  CHECK(emulator.configure("no such key", "1") != 0);
}

TEST_CASE("requests that cannot run are refused with a reason") {
  OwnCache cache;
  const Device device = Device::open("emulator:sm_80");
  const Device other = Device::open("emulator:sm_90a");
  const CompiledKernel kernel = compile_kernel(device, vector_add, "vector_add");
  void* parameters[] = {nullptr, nullptr, nullptr, nullptr};

  CHECK(kind_of_error([&] {
          kernel.function.launch({1}, {128}, 0, Stream::default_stream(other), parameters);
        }) == "invalid_argument");
  CHECK(kind_of_error([&] { kernel.function.set_dynamic_shared(164 * 1024); }) == "unsupported");
  kernel.function.set_dynamic_shared(163 * 1024);
  CHECK(kernel.function.properties().max_threads == 1024);
  CHECK(kind_of_error([&] { compile_kernel(device, vector_add, "no_such_kernel"); }) ==
        "invalid_argument");
  const CompiledImage cubin = compile_image(vector_add, "vector_add", "sm_80", ImageKind::cubin);
  CHECK(kind_of_error([&] { Module::load(device, cubin); }) == "unsupported");
  CompiledImage nonsense;
  nonsense.bytes = "no image at all";
  CHECK(kind_of_error([&] { Module::load(device, nonsense); }) != "none");
}

TEST_CASE("several threads compile, load and launch at once") {
  OwnCache cache;
  const Device device = Device::open("emulator:sm_80");
  std::vector<float> results(4, 0);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < results.size(); ++t)
    threads.emplace_back([&, t] {
      try {
        const CompiledKernel kernel = compile_kernel(device, vector_add, "vector_add");
        Buffer buffer(device, 4);
        const float value = static_cast<float>(t + 1);
        buffer.upload(&value, 4);
        int n = 1;
        CUdeviceptr address = buffer.address();
        void* parameters[] = {&address, &address, &address, &n};
        const Stream stream(device);
        kernel.function.launch({1}, {32}, 0, stream, parameters);
        stream.synchronize();
        buffer.download(&results[t], 4);
      } catch (const Error& error) {
        MESSAGE(error.what());  // and the result stays wrong
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(results == std::vector<float>{2, 4, 6, 8});
}

// Last, as a fault stays with its context.
TEST_CASE("a fault on the device is reported by the next wait") {
  OwnCache cache;
  const Device device = Device::open("emulator:sm_90a");
  const CompiledKernel kernel = compile_kernel(device, out_of_bounds, "out_of_bounds");
  Buffer buffer(device, 64);
  CUdeviceptr address = buffer.address();
  void* parameters[] = {&address};
  device.emulator()->reset();
  try {
    kernel.function.launch({1}, {32}, 0, Stream::default_stream(device), parameters);
    device.synchronize();
    FAIL("no fault");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::launch_failed);
    CHECK(std::string(error.id()) == "driver-call-failed");
    CHECK(std::string(error.what()).find("CUDA_ERROR_ILLEGAL_ADDRESS") != std::string::npos);
  }
  const auto faults = nlohmann::json::parse(device.emulator()->faults());
  REQUIRE_FALSE(faults.empty());
  CHECK(faults[0]["kind"] == "out_of_bounds");
  CHECK(faults[0]["kernel"] == "out_of_bounds");
}
