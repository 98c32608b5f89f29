// Launches: every limit with its result code, what a failing kernel does to its context, and what
// the emulator's own functions report.
#include <thread>

#include "driver_fixture.hpp"

using namespace tilewright::test;

namespace {

const std::string store_kernel = ptx_kernel(store_index);
// Every thread stores to data[0]: a race, and not one that hardware reports.
const std::string race_kernel = ptx_kernel("  st.global.u32 [%rd1], %r2;\n");
const std::string overrun_kernel = ptx_kernel("  st.global.u32 [%rd1+4096], %r2;\n");
const std::string misaligned_kernel = ptx_kernel("  st.global.u32 [%rd1+2], %r2;\n");
const std::string trap_kernel = ptx_kernel("  trap;\n");
const std::string endless_kernel = ptx_kernel("LOOP:\n  bra LOOP;\n");

std::vector<unsigned> read_words(CUdeviceptr data, std::size_t count) {
  std::vector<unsigned> words(count);
  REQUIRE_OK(cuMemcpyDtoH(words.data(), data, count * 4));
  return words;
}

}  // namespace

TEST_CASE("a grid of blocks writes every element once, with either form of parameters") {
  Fresh fresh;
  CUfunction function = fresh.load(store_kernel);
  CUdeviceptr data = fresh.allocate(4000);
  unsigned n = 999;
  REQUIRE_OK(cuMemsetD32(data, 0xffffffff, 1000));
  SUBCASE("pointers") { REQUIRE_OK(launch(function, data, n, 32, 32)); }
  SUBCASE("packed") {
    struct {
      CUdeviceptr data;
      unsigned n;
    } packed{data, n};
    std::size_t size = 12;
    void* extra[] = {CU_LAUNCH_PARAM_BUFFER_POINTER, &packed, CU_LAUNCH_PARAM_BUFFER_SIZE, &size,
                     CU_LAUNCH_PARAM_END};
    REQUIRE_OK(cuLaunchKernel(function, 32, 1, 1, 32, 1, 1, 0, nullptr, nullptr, extra));
    size = 11;
    CHECK_RESULT(cuLaunchKernel(function, 32, 1, 1, 32, 1, 1, 0, nullptr, nullptr, extra),
                 CUDA_ERROR_INVALID_VALUE);
  }
  SUBCASE("configuration") {
    CUlaunchConfig config{};
    config.gridDimX = config.blockDimX = 32;
    config.gridDimY = config.gridDimZ = config.blockDimY = config.blockDimZ = 1;
    CUlaunchAttribute attribute{};
    attribute.id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION;
    attribute.value.programmaticStreamSerializationAllowed = 1;
    config.attrs = &attribute;
    config.numAttrs = 1;
    void* parameters[] = {&data, &n};
    REQUIRE_OK(cuLaunchKernelEx(&config, function, parameters, nullptr));
    attribute.id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
    attribute.value.clusterDim = {2, 1, 1};
    CHECK_RESULT(cuLaunchKernelEx(&config, function, parameters, nullptr),
                 CUDA_ERROR_NOT_SUPPORTED);
    attribute.id = CU_LAUNCH_ATTRIBUTE_COOPERATIVE;
    attribute.value.cooperative = 1;
    REQUIRE_OK(cuLaunchKernelEx(&config, function, parameters, nullptr));
    config.gridDimX = 108 * 32 + 1;  // one block more than the device holds at once
    CHECK_RESULT(cuLaunchKernelEx(&config, function, parameters, nullptr),
                 CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE);
  }
  REQUIRE_OK(cuCtxSynchronize());
  const auto words = read_words(data, 1000);
  for (unsigned i = 0; i < n; ++i) CHECK_EQ(words[i], i);
  CHECK(words[n] == 0xffffffff);
  CHECK(faults().empty());
}

TEST_CASE("launches outside the limits are refused") {
  Fresh fresh;
  CUfunction function = fresh.load(store_kernel);
  CUdeviceptr data = fresh.allocate(128);
  unsigned n = 1;
  void* parameters[] = {&data, &n};
  auto shaped = [&](unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                    unsigned shared) {
    return cuLaunchKernel(function, gx, gy, gz, bx, by, bz, shared, nullptr, parameters, nullptr);
  };
  CHECK_RESULT(shaped(1, 1, 1, 1024, 1, 1, 0), CUDA_SUCCESS);
  CHECK_RESULT(shaped(1, 1, 1, 1, 1, 64, 48 * 1024), CUDA_SUCCESS);
  for (CUresult result :
       {shaped(0, 1, 1, 1, 1, 1, 0), shaped(1, 1, 1, 1, 0, 1, 0), shaped(1, 65536, 1, 1, 1, 1, 0),
        shaped(1, 1, 65536, 1, 1, 1, 0), shaped(0x80000000u, 1, 1, 1, 1, 1, 0),
        shaped(1, 1, 1, 1025, 1, 1, 0), shaped(1, 1, 1, 1, 1, 65, 0), shaped(1, 1, 1, 33, 32, 1, 0),
        shaped(1, 1, 1, 1, 1, 1, 48 * 1024 + 1), shaped(1, 1, 1, 1, 1, 1, 0xffffffffu)})
    CHECK_RESULT(result, CUDA_ERROR_INVALID_VALUE);
  REQUIRE_OK(
      cuFuncSetAttribute(function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 163 * 1024));
  CHECK_RESULT(shaped(1, 1, 1, 1, 1, 1, 163 * 1024), CUDA_SUCCESS);
  CHECK_RESULT(shaped(1, 1, 1, 1, 1, 1, 163 * 1024 + 1), CUDA_ERROR_INVALID_VALUE);
  CHECK_RESULT(cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, nullptr, nullptr, nullptr),
               CUDA_ERROR_INVALID_VALUE);
  void* with_null[] = {&data, nullptr};
  CHECK_RESULT(cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, nullptr, with_null, nullptr),
               CUDA_ERROR_INVALID_VALUE);
  CHECK_RESULT(launch(nullptr, data, 1), CUDA_ERROR_INVALID_HANDLE);
  CHECK_RESULT(launch(function, data, 1, 1, 32, 0, reinterpret_cast<CUstream>(0x999)),
               CUDA_ERROR_INVALID_HANDLE);
  Fresh other;
  CHECK_RESULT(launch(function, data, 1), CUDA_ERROR_INVALID_HANDLE);
  CHECK_RESULT(cuCtxSynchronize(), CUDA_SUCCESS);
}

TEST_CASE("a kernel's own limit on threads holds") {
  Fresh fresh;
  std::string limited = store_kernel;
  limited.replace(limited.find(")\n{"), 2, ")\n.maxntid 64, 1, 1\n");
  CUfunction function = fresh.load(limited);
  CUdeviceptr data = fresh.allocate(512);
  CHECK_RESULT(launch(function, data, 64, 1, 64), CUDA_SUCCESS);
  CHECK_RESULT(launch(function, data, 64, 1, 65), CUDA_ERROR_INVALID_VALUE);
}

TEST_CASE("a failing kernel surfaces at the next call and stays with its context") {
  struct Case {
    const std::string& ptx;
    CUresult result;
    const char* kind;
  };
  for (const Case& c : {Case{overrun_kernel, CUDA_ERROR_ILLEGAL_ADDRESS, "out_of_bounds"},
                        Case{misaligned_kernel, CUDA_ERROR_MISALIGNED_ADDRESS, "misaligned"},
                        Case{trap_kernel, CUDA_ERROR_LAUNCH_FAILED, "trap"},
                        Case{endless_kernel, CUDA_ERROR_LAUNCH_FAILED, "step_limit"}}) {
    CAPTURE(c.kind);
    Fresh fresh;
    Fresh healthy;
    REQUIRE_OK(cuCtxSetCurrent(fresh.context));
    CUfunction function = fresh.load(c.ptx);
    CUdeviceptr data = fresh.allocate(4096);
    REQUIRE(tilewright_emulator_configure("step_limit", "100000") == 0);
    CHECK_RESULT(launch(function, data, 1), CUDA_SUCCESS);
    REQUIRE(tilewright_emulator_configure("step_limit", "0") == 0);
    CHECK_RESULT(cuCtxSynchronize(), c.result);
    CHECK_RESULT(cuStreamSynchronize(nullptr), c.result);
    CHECK_RESULT(launch(function, data, 1), c.result);
    char byte = 0;
    CHECK_RESULT(cuMemcpyDtoH(&byte, data, 1), c.result);
    const auto found = faults();
    REQUIRE(found.size() >= 1);
    CHECK(found[0]["kind"] == c.kind);
    CHECK(found[0]["kernel"] == "kernel");
    CHECK(found[0]["block"] == nlohmann::json::array({0, 0, 0}));
    // Another context goes on working.
    REQUIRE_OK(cuCtxSetCurrent(healthy.context));
    CHECK_RESULT(cuCtxSynchronize(), CUDA_SUCCESS);
    REQUIRE_OK(cuCtxSetCurrent(fresh.context));
    tilewright_emulator_reset();
    CHECK_RESULT(cuCtxSynchronize(), CUDA_SUCCESS);
    CHECK_RESULT(cuMemFree(data), CUDA_SUCCESS);
    REQUIRE_OK(cuCtxSetCurrent(healthy.context));
  }
}

TEST_CASE("what only a detector sees fails no call and is reported with its line") {
  Fresh fresh;
  CUfunction function = fresh.load(race_kernel);
  CUdeviceptr data = fresh.allocate(128);
  REQUIRE_OK(launch(function, data, 1, 2, 64));
  CHECK_RESULT(cuCtxSynchronize(), CUDA_SUCCESS);
  const auto found = faults();
  REQUIRE(found.size() == 1);
  CHECK(found[0]["kind"] == "data_race");
  CHECK(found[0]["ptx_line"] == 17);
  CHECK(found[0]["message"].get<std::string>().size() > 10);
  tilewright_emulator_reset();
  CHECK(faults().empty());
  REQUIRE(tilewright_emulator_configure("detectors", "off") == 0);
  REQUIRE_OK(launch(function, data, 1, 2, 64));
  CHECK(faults().empty());
  REQUIRE(tilewright_emulator_configure("detectors", "on") == 0);
}

TEST_CASE("uninitialised memory: a fault or a note, and copies carry the state along") {
  Fresh fresh;
  CUfunction function =
      fresh.load(ptx_kernel("  mul.wide.u32 %rd2, %r2, 4;\n  add.s64 %rd3, %rd1, %rd2;\n"
                            "  ld.global.u32 %r6, [%rd3];\n  st.global.u32 [%rd3+128], %r6;\n"));
  const CUdeviceptr source = fresh.allocate(256), data = fresh.allocate(256);
  REQUIRE_OK(cuMemsetD8(source, 1, 64));
  REQUIRE_OK(cuMemcpyDtoD(data, source, 128));
  REQUIRE_OK(launch(function, data, 0, 1, 16));
  CHECK(faults().empty());
  REQUIRE_OK(launch(function, data, 0, 1, 17));
  CHECK_RESULT(cuCtxSynchronize(), CUDA_SUCCESS);
  auto found = faults();
  REQUIRE(found.size() == 1);
  CHECK(found[0]["kind"] == "uninitialized_read");
  CHECK(found[0]["thread"] == nlohmann::json::array({16, 0, 0}));
  tilewright_emulator_reset();
  REQUIRE(tilewright_emulator_configure("uninitialized", "note") == 0);
  REQUIRE_OK(launch(function, data, 0, 1, 17));
  CHECK(faults().empty());
  CHECK(nlohmann::json::parse(tilewright_emulator_notes()).size() == 1);
  REQUIRE(tilewright_emulator_configure("uninitialized", "fault") == 0);
}

TEST_CASE("counters are summed until reset") {
  Fresh fresh;
  CUfunction function = fresh.load(store_kernel);
  CUdeviceptr data = fresh.allocate(128);
  REQUIRE_OK(launch(function, data, 32));
  const auto once = counters();
  CHECK(once["launches"] == 1);
  CHECK(once["global_store_bytes"] == 128);
  CHECK(once["global_store_sectors"] == 4);
  CHECK(once["global_bytes"] == 128);
  CHECK(once["warp_instructions"].get<int>() >= 10);
  REQUIRE_OK(launch(function, data, 32));
  CHECK(counters()["global_store_bytes"] == 256);
  CHECK(counters()["launches"] == 2);
  tilewright_emulator_reset();
  CHECK(counters()["global_store_bytes"] == 0);
}

TEST_CASE("options that do not exist are refused") {
  CHECK(tilewright_emulator_configure("detector", "on") == 1);
  CHECK(tilewright_emulator_configure(nullptr, "on") == 1);
  CHECK(tilewright_emulator_configure("detectors", nullptr) == 1);
  CHECK(tilewright_emulator_configure("detectors", "maybe") == 2);
  CHECK(tilewright_emulator_configure("threads", "-1") == 2);
  CHECK(tilewright_emulator_configure("threads", "1025") == 2);
  CHECK(tilewright_emulator_configure("step_limit", "1e6") == 2);
  CHECK(tilewright_emulator_configure("max_faults", "0") == 2);
  CHECK(tilewright_emulator_configure("async", "eager") == 0);
  CHECK(tilewright_emulator_configure("async", "lazy") == 0);
}

TEST_CASE("threads launch on streams of their own at the same time") {
  Fresh fresh;
  CUfunction function = fresh.load(store_kernel);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      REQUIRE_OK(cuCtxSetCurrent(fresh.context));
      CUstream stream = nullptr;
      REQUIRE_OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
      for (int round = 0; round < 10; ++round) {
        CUdeviceptr data = 0;
        REQUIRE_OK(cuMemAllocAsync(&data, 4096, stream));
        REQUIRE_OK(launch(function, data, 1000, 8, 128, 0, stream));
        std::vector<unsigned> words(1000);
        REQUIRE_OK(cuMemcpyDtoHAsync(words.data(), data, 4000, stream));
        REQUIRE_OK(cuStreamSynchronize(stream));
        for (unsigned i = 0; i < 1000; ++i) REQUIRE_EQ(words[i], i);
        REQUIRE_OK(cuMemFreeAsync(data, stream));
      }
      REQUIRE_OK(cuStreamDestroy(stream));
    });
  for (auto& thread : threads) thread.join();
  CHECK(faults().empty());
}
