// Device and host memory through the Driver API: allocation, copies, fills, and every range refused
// that is not wholly inside one live allocation.
#include <array>
#include <numeric>

#include "driver_fixture.hpp"

using namespace tilewright::test;

TEST_CASE("what is copied in comes back, at odd sizes and offsets") {
  Fresh fresh;
  const CUdeviceptr data = fresh.allocate(1000);
  std::vector<unsigned char> in(1000), out(1000);
  std::iota(in.begin(), in.end(), 1);
  REQUIRE_OK(cuMemcpyHtoD(data, in.data(), in.size()));
  for (std::size_t offset : {0, 1, 3, 999})
    for (std::size_t bytes : {1, 7, 333}) {
      if (offset + bytes > in.size()) continue;
      REQUIRE_OK(cuMemcpyDtoH(out.data(), data + offset, bytes));
      CHECK(std::equal(out.begin(), out.begin() + static_cast<long>(bytes),
                       in.begin() + static_cast<long>(offset)));
    }
  const CUdeviceptr other = fresh.allocate(1000);
  REQUIRE_OK(cuMemcpyDtoD(other, data, 1000));
  REQUIRE_OK(cuMemcpyDtoH(out.data(), other, 1000));
  CHECK(in == out);
  std::fill(out.begin(), out.end(), 0);
  REQUIRE_OK(cuMemcpy(reinterpret_cast<CUdeviceptr>(out.data()), other, 1000));
  CHECK(in == out);
}

TEST_CASE("ranges outside one live allocation are refused and change nothing") {
  Fresh fresh;
  const CUdeviceptr data = fresh.allocate(256), second = fresh.allocate(256);
  std::vector<char> host(4096, 'x');
  REQUIRE_OK(cuMemsetD8(second, 7, 256));
  CHECK_RESULT(cuMemcpyHtoD(data, host.data(), 257), CUDA_ERROR_INVALID_VALUE);
  CHECK_RESULT(cuMemcpyHtoD(data + 1, host.data(), 256), CUDA_ERROR_INVALID_VALUE);
  CHECK_RESULT(cuMemcpyHtoD(data - 1, host.data(), 1), CUDA_ERROR_INVALID_VALUE);
  CHECK_RESULT(cuMemcpyDtoH(host.data(), data, std::size_t(-1)), CUDA_ERROR_INVALID_VALUE);
  CHECK_RESULT(cuMemcpyDtoD(second, data + 128, 256), CUDA_ERROR_INVALID_VALUE);
  CHECK_RESULT(cuMemsetD8(data + 200, 1, 100), CUDA_ERROR_INVALID_VALUE);
  CHECK_RESULT(cuMemsetD32(data, 1, std::size_t{1} << 62), CUDA_ERROR_INVALID_VALUE);
  std::array<unsigned char, 256> back{};
  REQUIRE_OK(cuMemcpyDtoH(back.data(), second, 256));
  CHECK(std::all_of(back.begin(), back.end(), [](unsigned char b) { return b == 7; }));
  REQUIRE_OK(cuMemFree(data));
  CHECK_RESULT(cuMemcpyHtoD(data, host.data(), 1), CUDA_ERROR_INVALID_VALUE);
}

TEST_CASE("host and device pointers mixed up are refused, not followed") {
  Fresh fresh;
  const CUdeviceptr data = fresh.allocate(256);
  std::vector<char> host(256);
  const auto host_address = reinterpret_cast<CUdeviceptr>(host.data());
  CHECK_RESULT(cuMemcpyHtoD(host_address, host.data(), 16), CUDA_ERROR_INVALID_VALUE);
  CHECK_RESULT(cuMemcpyDtoH(host.data(), host_address, 16), CUDA_ERROR_INVALID_VALUE);
  CHECK_RESULT(cuMemcpyHtoD(data, reinterpret_cast<void*>(data), 16), CUDA_ERROR_INVALID_VALUE);
  CHECK_RESULT(cuMemcpyHtoD(data, nullptr, 16), CUDA_ERROR_INVALID_VALUE);
  CHECK_RESULT(cuMemsetD8(host_address, 0, 16), CUDA_ERROR_INVALID_VALUE);
  CHECK_RESULT(cuMemFree(host_address), CUDA_ERROR_INVALID_VALUE);
  CHECK_RESULT(cuMemcpyHtoD(0, host.data(), 0), CUDA_SUCCESS);
}

TEST_CASE("allocations: zero, too large, freed twice, in the middle") {
  Fresh fresh;
  CUdeviceptr address = 0;
  CHECK_RESULT(cuMemAlloc(&address, 0), CUDA_ERROR_INVALID_VALUE);
  CHECK_RESULT(cuMemAlloc(nullptr, 16), CUDA_ERROR_INVALID_VALUE);
  CHECK_RESULT(cuMemAlloc(&address, std::size_t{100} << 30), CUDA_ERROR_OUT_OF_MEMORY);
  CHECK_RESULT(cuMemAlloc(&address, std::size_t(-1)), CUDA_ERROR_OUT_OF_MEMORY);
  std::size_t free_before = 0, free_after = 0, total = 0;
  REQUIRE_OK(cuMemGetInfo(&free_before, &total));
  const CUdeviceptr large = fresh.allocate(std::size_t{20} << 30);  // sparse: no memory is touched
  REQUIRE_OK(cuMemGetInfo(&free_after, &total));
  CHECK(free_before - free_after >= std::size_t{20} << 30);
  CHECK(total == std::size_t{80} << 30);
  unsigned char byte = 9, back = 0;
  REQUIRE_OK(cuMemcpyHtoD(large + (std::size_t{19} << 30), &byte, 1));
  REQUIRE_OK(cuMemcpyDtoH(&back, large + (std::size_t{19} << 30), 1));
  CHECK(back == 9);
  CHECK_RESULT(cuMemFree(large + 256), CUDA_ERROR_INVALID_VALUE);
  CHECK_RESULT(cuMemFree(large), CUDA_SUCCESS);
  CHECK_RESULT(cuMemFree(large), CUDA_ERROR_INVALID_VALUE);
  CHECK_RESULT(cuMemFree(0), CUDA_SUCCESS);
  REQUIRE_OK(cuMemGetInfo(&free_after, &total));
  CHECK(free_after == free_before);
}

TEST_CASE("fills of 1, 2 and 4 bytes") {
  Fresh fresh;
  const CUdeviceptr data = fresh.allocate(4096);
  std::vector<unsigned> words(1024);
  REQUIRE_OK(cuMemsetD32(data, 0xdeadbeef, 1023));
  REQUIRE_OK(cuMemsetD32(data + 4092, 1, 1));
  REQUIRE_OK(cuMemcpyDtoH(words.data(), data, 4096));
  CHECK(std::all_of(words.begin(), words.end() - 1, [](unsigned w) { return w == 0xdeadbeef; }));
  CHECK(words.back() == 1);
  std::vector<unsigned short> halves(2048);
  REQUIRE_OK(cuMemsetD16Async(data, 0xbeef, 2047, nullptr));
  REQUIRE_OK(cuMemcpyDtoH(halves.data(), data, 4096));
  CHECK(halves[0] == 0xbeef);
  CHECK(halves[2046] == 0xbeef);
  CHECK(halves[2047] == 0);
  CHECK_RESULT(cuMemsetD16(data + 1, 0, 1), CUDA_ERROR_INVALID_VALUE);
  CHECK_RESULT(cuMemsetD32(data + 2, 0, 1), CUDA_ERROR_INVALID_VALUE);
}

TEST_CASE("rectangles move row by row") {
  Fresh fresh;
  CUdeviceptr data = 0;
  std::size_t pitch = 0;
  REQUIRE_OK(cuMemAllocPitch(&data, &pitch, 10, 5, 4));
  CHECK(pitch >= 10);
  std::vector<char> in(50), out(50, 0);
  std::iota(in.begin(), in.end(), 0);
  CUDA_MEMCPY2D copy{};
  copy.srcMemoryType = CU_MEMORYTYPE_HOST;
  copy.srcHost = in.data();
  copy.srcPitch = 10;
  copy.dstMemoryType = CU_MEMORYTYPE_DEVICE;
  copy.dstDevice = data;
  copy.dstPitch = pitch;
  copy.WidthInBytes = 10;
  copy.Height = 5;
  REQUIRE_OK(cuMemcpy2D(&copy));
  CUDA_MEMCPY2D back{};
  back.srcMemoryType = CU_MEMORYTYPE_DEVICE;
  back.srcDevice = data;
  back.srcPitch = pitch;
  back.dstMemoryType = CU_MEMORYTYPE_HOST;
  back.dstHost = out.data();
  back.dstPitch = 10;
  back.WidthInBytes = 10;
  back.Height = 5;
  REQUIRE_OK(cuMemcpy2D(&back));
  CHECK(in == out);
  back.Height = 6;
  CHECK_RESULT(cuMemcpy2D(&back), CUDA_ERROR_INVALID_VALUE);
}

TEST_CASE("addresses are told apart and described") {
  Fresh fresh;
  const CUdeviceptr data = fresh.allocate(1000);
  CUdeviceptr base = 0;
  std::size_t bytes = 0;
  REQUIRE_OK(cuMemGetAddressRange(&base, &bytes, data + 17));
  CHECK(base == data);
  CHECK(bytes == 1000);
  unsigned type = 0;
  REQUIRE_OK(cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, data + 17));
  CHECK(type == CU_MEMORYTYPE_DEVICE);
  CUcontext owner = nullptr;
  REQUIRE_OK(cuPointerGetAttribute(&owner, CU_POINTER_ATTRIBUTE_CONTEXT, data));
  CHECK(owner == fresh.context);
  void* host = nullptr;
  REQUIRE_OK(cuMemAllocHost(&host, 100));
  REQUIRE_OK(cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE,
                                   reinterpret_cast<CUdeviceptr>(host)));
  CHECK(type == CU_MEMORYTYPE_HOST);
  CHECK_RESULT(cuMemHostRegister(host, 10, 0), CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED);
  REQUIRE_OK(cuMemFreeHost(host));
  CHECK_RESULT(cuMemFreeHost(host), CUDA_ERROR_INVALID_VALUE);
  int on_the_stack = 0;
  CHECK_RESULT(cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE,
                                     reinterpret_cast<CUdeviceptr>(&on_the_stack)),
               CUDA_ERROR_INVALID_VALUE);
  REQUIRE_OK(cuMemHostRegister(&on_the_stack, sizeof on_the_stack, 0));
  REQUIRE_OK(cuMemHostUnregister(&on_the_stack));
  CHECK_RESULT(cuMemHostUnregister(&on_the_stack), CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED);
}

TEST_CASE("kernels reach page-locked memory at its host address, inside its bounds") {
  Fresh fresh;
  const CUfunction function = fresh.load(ptx_kernel(store_index));
  std::size_t free_before = 0, free_now = 0, total = 0;
  REQUIRE_OK(cuMemGetInfo(&free_before, &total));
  for (const unsigned flags : {0u, 0u + CU_MEMHOSTALLOC_DEVICEMAP}) {
    void* host = nullptr;
    REQUIRE_OK(cuMemHostAlloc(&host, 128, flags));
    unsigned told = 77;
    REQUIRE_OK(cuMemHostGetFlags(&told, host));
    CHECK(told == flags);
    REQUIRE_OK(cuMemGetInfo(&free_now, &total));
    CHECK(free_now == free_before);  // it is the host's memory
    auto* words = static_cast<unsigned*>(host);
    std::fill_n(words, 32, 5u);
    CUdeviceptr device = 0;
    REQUIRE_OK(cuMemHostGetDevicePointer(&device, words + 4, 0));
    CHECK(device == reinterpret_cast<CUdeviceptr>(words + 4));
    REQUIRE_OK(launch(function, device, 28));
    REQUIRE_OK(cuCtxSynchronize());
    for (unsigned k = 0; k < 32; ++k) CHECK(words[k] == (k < 4 ? 5 : k - 4));
    // Either side of a copy, and no device memory to cuMemFree.
    const CUdeviceptr other = fresh.allocate(128);
    REQUIRE_OK(cuMemcpyHtoD(other, host, 128));
    std::fill_n(words, 32, 0u);
    REQUIRE_OK(cuMemcpyDtoH(host, other, 128));
    CHECK(words[31] == 27);
    REQUIRE_OK(cuMemFree(other));
    CHECK_RESULT(cuMemFree(device - 16), CUDA_ERROR_INVALID_VALUE);
    CHECK(faults().empty());
    REQUIRE_OK(cuMemFreeHost(host));
    CHECK_RESULT(cuMemHostGetDevicePointer(&device, host, 0), CUDA_ERROR_INVALID_VALUE);
    CHECK_RESULT(cuMemFreeHost(host), CUDA_ERROR_INVALID_VALUE);
  }
  // Memory of the program's own is not in the device's range, registered or not.
  std::array<unsigned, 32> own{};
  CUdeviceptr device = 0;
  CHECK_RESULT(cuMemHostGetDevicePointer(&device, own.data(), 0), CUDA_ERROR_INVALID_VALUE);
  REQUIRE_OK(cuMemHostRegister(own.data(), sizeof own, 0));
  CHECK_RESULT(cuMemHostGetDevicePointer(&device, own.data(), 0), CUDA_ERROR_NOT_SUPPORTED);
  REQUIRE_OK(cuMemHostUnregister(own.data()));
  CHECK_RESULT(cuMemHostRegister(own.data(), sizeof own, CU_MEMHOSTREGISTER_DEVICEMAP),
               CUDA_ERROR_NOT_SUPPORTED);
  CHECK_RESULT(cuMemFreeHost(reinterpret_cast<void*>(fresh.allocate(64))),
               CUDA_ERROR_INVALID_VALUE);
}

TEST_CASE("a kernel that leaves its page-locked memory is out of bounds") {
  Fresh fresh;
  const CUfunction function = fresh.load(ptx_kernel(store_index));
  void* host = nullptr;
  REQUIRE_OK(cuMemAllocHost(&host, 100));
  launch(function, reinterpret_cast<CUdeviceptr>(host), 32);
  const auto found = faults();
  REQUIRE(found.size() == 1);
  CHECK(found[0].at("kind") == "out_of_bounds");
}
