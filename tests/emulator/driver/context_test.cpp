// Devices, contexts, streams, events and entry point look-up: who is current, what is stale, which
// result code says so.
#include <algorithm>
#include <thread>

#include "driver_fixture.hpp"

using namespace tilewright::test;

TEST_CASE("two devices with the limits of their architectures") {
  REQUIRE_OK(cuInit(0));
  CHECK_RESULT(cuInit(1), CUDA_ERROR_INVALID_VALUE);
  int count = 0, version = 0;
  REQUIRE_OK(cuDeviceGetCount(&count));
  CHECK(count == 2);
  REQUIRE_OK(cuDriverGetVersion(&version));
  CHECK(version == CUDA_VERSION);
  struct Expected {
    const char* name;
    int major, processors, optin;
  };
  const Expected expected[] = {{"Tilewright emulator (sm_80)", 8, 108, 163 * 1024},
                               {"Tilewright emulator (sm_90a)", 9, 132, 227 * 1024}};
  for (int ordinal = 0; ordinal < 2; ++ordinal) {
    CUdevice device = -1;
    REQUIRE_OK(cuDeviceGet(&device, ordinal));
    char name[64];
    REQUIRE_OK(cuDeviceGetName(name, sizeof name, device));
    CHECK(std::string(name) == expected[ordinal].name);
    char cut[5];
    REQUIRE_OK(cuDeviceGetName(cut, sizeof cut, device));
    CHECK(std::string(cut) == "Tile");
    auto attribute = [&](CUdevice_attribute which) {
      int value = -1;
      REQUIRE_OK(cuDeviceGetAttribute(&value, which, device));
      return value;
    };
    CHECK(attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR) == expected[ordinal].major);
    CHECK(attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT) == expected[ordinal].processors);
    CHECK(attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK) == 48 * 1024);
    CHECK(attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN) ==
          expected[ordinal].optin);
    CHECK(attribute(CU_DEVICE_ATTRIBUTE_COOPERATIVE_LAUNCH) == 1);
    CHECK(attribute(CU_DEVICE_ATTRIBUTE_CLUSTER_LAUNCH) == 0);
  }
  CUdevice device = 0;
  CHECK_RESULT(cuDeviceGet(&device, 2), CUDA_ERROR_INVALID_DEVICE);
  CHECK_RESULT(cuDeviceGet(&device, -1), CUDA_ERROR_INVALID_DEVICE);
  int value = 0;
  CHECK_RESULT(cuDeviceGetAttribute(&value, static_cast<CUdevice_attribute>(0), 0),
               CUDA_ERROR_INVALID_VALUE);
  CHECK_RESULT(cuDeviceGetAttribute(&value, static_cast<CUdevice_attribute>(100000), 0),
               CUDA_ERROR_INVALID_VALUE);
}

TEST_CASE("current contexts are a stack of the thread") {
  Fresh outer;
  CUcontext current = nullptr, inner = nullptr;
  REQUIRE_OK(cuCtxCreate_v2(&inner, 0, 1));
  REQUIRE_OK(cuCtxGetCurrent(&current));
  CHECK(current == inner);
  CUdevice device = -1;
  REQUIRE_OK(cuCtxGetDevice(&device));
  CHECK(device == 1);
  std::thread([] {
    CUcontext elsewhere = reinterpret_cast<CUcontext>(1);
    CHECK_RESULT(cuCtxGetCurrent(&elsewhere), CUDA_SUCCESS);
    CHECK(elsewhere == nullptr);
    CUdeviceptr address = 0;
    CHECK_RESULT(cuMemAlloc(&address, 16), CUDA_ERROR_INVALID_CONTEXT);
  }).join();
  REQUIRE_OK(cuCtxPopCurrent(&current));
  CHECK(current == inner);
  REQUIRE_OK(cuCtxGetCurrent(&current));
  CHECK(current == outer.context);
  REQUIRE_OK(cuCtxDestroy(inner));
  CHECK_RESULT(cuCtxDestroy(inner), CUDA_ERROR_INVALID_CONTEXT);
  CHECK_RESULT(cuCtxPushCurrent(inner), CUDA_ERROR_INVALID_CONTEXT);
  CHECK_RESULT(cuCtxSetCurrent(inner), CUDA_ERROR_INVALID_CONTEXT);
}

TEST_CASE("ending a context ends what was made in it") {
  Fresh outer;
  CUcontext inner = nullptr;
  REQUIRE_OK(cuCtxCreate_v2(&inner, 0, 0));
  CUdeviceptr data = 0;
  CUstream stream = nullptr;
  CUevent event = nullptr;
  REQUIRE_OK(cuMemAlloc(&data, 64));
  REQUIRE_OK(cuStreamCreate(&stream, 0));
  REQUIRE_OK(cuEventCreate(&event, 0));
  std::thread([&] {
    REQUIRE_OK(cuCtxSetCurrent(inner));
    std::thread([&] { CHECK_RESULT(cuCtxDestroy(inner), CUDA_SUCCESS); }).join();
    CHECK_RESULT(cuCtxSynchronize(), CUDA_ERROR_CONTEXT_IS_DESTROYED);
  }).join();
  REQUIRE_OK(cuCtxPopCurrent(nullptr));
  char byte = 0;
  CHECK_RESULT(cuMemcpyDtoH(&byte, data, 1), CUDA_ERROR_INVALID_VALUE);
  CHECK_RESULT(cuStreamSynchronize(stream), CUDA_ERROR_INVALID_HANDLE);
  CHECK_RESULT(cuEventSynchronize(event), CUDA_ERROR_INVALID_HANDLE);
}

TEST_CASE("the primary context is counted and keeps its handle") {
  REQUIRE_OK(cuInit(0));
  unsigned flags = 0;
  int active = 1;
  REQUIRE_OK(cuDevicePrimaryCtxGetState(1, &flags, &active));
  CHECK(active == 0);
  CHECK_RESULT(cuDevicePrimaryCtxRelease(1), CUDA_ERROR_INVALID_CONTEXT);
  CUcontext first = nullptr, second = nullptr;
  REQUIRE_OK(cuDevicePrimaryCtxRetain(&first, 1));
  REQUIRE_OK(cuDevicePrimaryCtxRetain(&second, 1));
  CHECK(first == second);
  CHECK_RESULT(cuCtxDestroy(first), CUDA_ERROR_INVALID_CONTEXT);
  REQUIRE_OK(cuDevicePrimaryCtxRelease(1));
  REQUIRE_OK(cuDevicePrimaryCtxGetState(1, &flags, &active));
  CHECK(active == 1);
  REQUIRE_OK(cuDevicePrimaryCtxRelease(1));
  REQUIRE_OK(cuDevicePrimaryCtxGetState(1, &flags, &active));
  CHECK(active == 0);
  CHECK_RESULT(cuCtxSetCurrent(first), CUDA_ERROR_INVALID_CONTEXT);
  REQUIRE_OK(cuDevicePrimaryCtxRetain(&second, 1));
  CHECK(first == second);
  REQUIRE_OK(cuDevicePrimaryCtxRelease(1));
}

TEST_CASE("streams and events: times, stale handles, other contexts") {
  Fresh fresh;
  CUstream stream = nullptr;
  CUevent start = nullptr, end = nullptr, untimed = nullptr;
  REQUIRE_OK(cuStreamCreateWithPriority(&stream, CU_STREAM_NON_BLOCKING, -100));
  int priority = 0;
  REQUIRE_OK(cuStreamGetPriority(stream, &priority));
  CHECK(priority == -5);
  REQUIRE_OK(cuEventCreate(&start, CU_EVENT_DEFAULT));
  REQUIRE_OK(cuEventCreate(&end, CU_EVENT_DEFAULT));
  REQUIRE_OK(cuEventCreate(&untimed, CU_EVENT_DISABLE_TIMING));
  float elapsed = -1;
  CHECK_RESULT(cuEventElapsedTime(&elapsed, start, end), CUDA_ERROR_INVALID_HANDLE);
  REQUIRE_OK(cuEventRecord(start, stream));
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  REQUIRE_OK(cuEventRecord(end, stream));
  REQUIRE_OK(cuEventRecord(untimed, stream));
  REQUIRE_OK(cuStreamWaitEvent(stream, end, 0));
  REQUIRE_OK(cuEventElapsedTime(&elapsed, start, end));
  CHECK(elapsed >= 2.0f);
  CHECK(elapsed < 60000.0f);
  CHECK_RESULT(cuEventElapsedTime(&elapsed, start, untimed), CUDA_ERROR_INVALID_HANDLE);
  CHECK_RESULT(cuStreamQuery(stream), CUDA_SUCCESS);
  CHECK_RESULT(cuEventQuery(end), CUDA_SUCCESS);
  CUcontext of_stream = nullptr;
  REQUIRE_OK(cuStreamGetCtx(stream, &of_stream));
  CHECK(of_stream == fresh.context);
  {
    Fresh other;
    CUevent foreign = nullptr;
    REQUIRE_OK(cuEventCreate(&foreign, 0));
    CHECK_RESULT(cuEventRecord(foreign, stream), CUDA_ERROR_INVALID_HANDLE);
  }
  CUstreamCaptureStatus status = CU_STREAM_CAPTURE_STATUS_ACTIVE;
  REQUIRE_OK(cuStreamIsCapturing(stream, &status));
  CHECK(status == CU_STREAM_CAPTURE_STATUS_NONE);
  REQUIRE_OK(cuStreamDestroy(stream));
  CHECK_RESULT(cuStreamDestroy(stream), CUDA_ERROR_INVALID_HANDLE);
  CHECK_RESULT(cuStreamSynchronize(stream), CUDA_ERROR_INVALID_HANDLE);
  CHECK_RESULT(cuStreamSynchronize(reinterpret_cast<CUstream>(end)), CUDA_ERROR_INVALID_HANDLE);
  REQUIRE_OK(cuEventDestroy(end));
  CHECK_RESULT(cuEventDestroy(end), CUDA_ERROR_INVALID_HANDLE);
  CHECK_RESULT(cuStreamCreate(&stream, 77), CUDA_ERROR_INVALID_VALUE);
}

TEST_CASE("there are no tables of undocumented functions, and asking is no mistake") {
  const void* table = &table;
  const CUuuid id{};
  CHECK_RESULT(cuGetExportTable(&table, &id), CUDA_ERROR_NOT_FOUND);
  CHECK(table == nullptr);
  CHECK_RESULT(cuGetExportTable(nullptr, &id), CUDA_ERROR_INVALID_VALUE);
}

TEST_CASE("entry points by name and version") {
  void* function = nullptr;
  CUdriverProcAddressQueryResult status{};
  REQUIRE_OK(cuGetProcAddress("cuMemAlloc", &function, 12000, 0, &status));
  CHECK(function == reinterpret_cast<void*>(&cuMemAlloc));
  REQUIRE_OK(cuGetProcAddress("cuLaunchKernel", &function, 12000,
                              CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM, &status));
  CHECK(function == reinterpret_cast<void*>(&cuLaunchKernel));
  REQUIRE_OK(cuGetProcAddress("cuMemAlloc", &function, 2000, 0, &status));
  CHECK(function == nullptr);
  CHECK(status == CU_GET_PROC_ADDRESS_VERSION_NOT_SUFFICIENT);
  REQUIRE_OK(cuGetProcAddress("cuNoSuchThing", &function, 12000, 0, &status));
  CHECK(status == CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND);
  CHECK_RESULT(cuGetProcAddress("cuNoSuchThing", &function, 12000, 0, nullptr),
               CUDA_ERROR_NOT_FOUND);
  void *older = nullptr, *newer = nullptr;
  REQUIRE_OK(cuGetProcAddress("cuCtxCreate", &older, 11000, 0, &status));
  REQUIRE_OK(cuGetProcAddress("cuCtxCreate", &newer, CUDA_VERSION, 0, &status));
  CHECK(older != newer);
}

TEST_CASE("every result code has a name and a sentence") {
  for (CUresult result : {CUDA_SUCCESS, CUDA_ERROR_ILLEGAL_ADDRESS, CUDA_ERROR_UNKNOWN}) {
    const char *name = nullptr, *sentence = nullptr;
    CHECK_RESULT(cuGetErrorName(result, &name), CUDA_SUCCESS);
    CHECK_RESULT(cuGetErrorString(result, &sentence), CUDA_SUCCESS);
    CHECK(std::string(name).rfind("CUDA_", 0) == 0);
    CHECK(std::string(sentence).size() > 5);
  }
  const char* name = "unchanged";
  CHECK_RESULT(cuGetErrorName(static_cast<CUresult>(12345), &name), CUDA_ERROR_INVALID_VALUE);
  CHECK(name == nullptr);
}
