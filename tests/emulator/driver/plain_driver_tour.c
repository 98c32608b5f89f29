/* A second Driver API program that knows nothing of Tilewright: it asks for what programs ask for,
 * contexts, memory of every kind, copies, fills, streams, events, modules, launches and what goes
 * wrong with them, and prints OK. Built like plain_driver_program.c, which is the short one.
 */
#include <cuda.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef OPEN_BY_NAME
#include <dlfcn.h>
#define TEXT_OF(name) #name
#define NAME_OF(name) TEXT_OF(name)
static void* library;
static void* find(const char* name) {
  void* function = dlsym(library, name);
  if (function == NULL) {
    fprintf(stderr, "no %s in libcuda.so.1\n", name);
    exit(2);
  }
  return function;
}
#define CALL(name) ((__typeof__(&name))find(NAME_OF(name)))
#else
#define CALL(name) name
#endif

static int failures = 0;
static void expect(int holds, const char* what, int line) {
  if (holds) return;
  fprintf(stderr, "line %d: %s\n", line, what);
  ++failures;
}
static void expect_result(CUresult got, CUresult wanted, const char* what, int line) {
  const char *a = "?", *b = "?";
  if (got == wanted) return;
  CALL(cuGetErrorName)(got, &a);
  CALL(cuGetErrorName)(wanted, &b);
  fprintf(stderr, "line %d: %s: %s, expected %s\n", line, what, a, b);
  ++failures;
}
#define EXPECT(condition) expect(condition, #condition, __LINE__)
#define OK(call) expect_result(call, CUDA_SUCCESS, #call, __LINE__)
#define GIVES(call, code) expect_result(call, code, #call, __LINE__)

/* data[i] += step for i < n; a block leaves its number in dynamic shared memory on the way. */
static const char* const good =
    ".version 7.0\n.target sm_80\n.address_size 64\n"
    ".extern .shared .align 16 .b8 room[];\n"
    ".visible .global .align 4 .u32 step = 3;\n"
    ".visible .entry raise(.param .u64 data, .param .u32 n) .maxntid 256\n{\n"
    "  .reg .pred %p; .reg .b32 %r<8>; .reg .b64 %rd<4>;\n"
    "  ld.param.u64 %rd0, [data]; ld.param.u32 %r0, [n];\n"
    "  mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ntid.x; mov.u32 %r3, %tid.x;\n"
    "  mad.lo.s32 %r4, %r1, %r2, %r3;\n"
    "  setp.ge.u32 %p, %r4, %r0; @%p bra DONE;\n"
    "  mad.wide.u32 %rd1, %r4, 4, %rd0;\n"
    "  ld.global.u32 %r5, [%rd1]; ld.global.u32 %r6, [step];\n"
    "  add.u32 %r5, %r5, %r6; st.global.u32 [%rd1], %r5;\n"
    "DONE:\n  ret;\n}\n"
    ".visible .entry stop()\n{\n  trap;\n  ret;\n}\n";

static int calls_back = 0;
static void CUDA_CB on_stream(CUstream stream, CUresult status, void* data) {
  (void)stream;
  calls_back += status == CUDA_SUCCESS ? *(int*)data : 0;
}
static void CUDA_CB on_host(void* data) { calls_back += *(int*)data; }

static void contexts(CUdevice device) {
  CUcontext primary, same, made, top;
  CUdevice of;
  unsigned flags;
  int active, least, greatest;
  size_t limit;
  OK(CALL(cuDevicePrimaryCtxGetState)(device, &flags, &active));
  EXPECT(!active);
  OK(CALL(cuDevicePrimaryCtxRetain)(&primary, device));
  OK(CALL(cuDevicePrimaryCtxRetain)(&same, device));
  EXPECT(primary == same);
  GIVES(CALL(cuCtxPopCurrent)(&top), CUDA_ERROR_INVALID_CONTEXT);
  OK(CALL(cuCtxPushCurrent)(primary));
#if CUDA_VERSION >= 13000
  OK(CALL(cuCtxCreate)(&made, NULL, CU_CTX_SCHED_AUTO, device));
#else
  OK(CALL(cuCtxCreate)(&made, CU_CTX_SCHED_AUTO, device));
#endif
  OK(CALL(cuCtxGetCurrent)(&top));
  EXPECT(top == made);
  OK(CALL(cuCtxGetDevice)(&of));
  EXPECT(of == device);
  OK(CALL(cuCtxGetStreamPriorityRange)(&least, &greatest));
  EXPECT(greatest < least);
  OK(CALL(cuCtxSetLimit)(CU_LIMIT_PRINTF_FIFO_SIZE, 4 << 20));
  OK(CALL(cuCtxGetLimit)(&limit, CU_LIMIT_PRINTF_FIFO_SIZE));
  EXPECT(limit == 4 << 20);
  OK(CALL(cuCtxSynchronize)());
  OK(CALL(cuCtxDestroy)(made));
  OK(CALL(cuCtxGetCurrent)(&top));
  EXPECT(top == primary);
  OK(CALL(cuDevicePrimaryCtxRelease)(device)); /* one retain remains, and the context current */
}

static void memory(void) {
  enum { width = 60, height = 5 };
  static unsigned char rows[height][width], back[height][width];
  CUdeviceptr pitched, plain, base;
  size_t pitch, bytes, idle, total;
  unsigned kind = 0, managed = 0;
  int* both;
  void* pinned;
  static int registered[64];
  OK(CALL(cuMemGetInfo)(&idle, &total));
  EXPECT(idle <= total && total > 0);
  GIVES(CALL(cuMemAlloc)(&plain, total + 1), CUDA_ERROR_OUT_OF_MEMORY);
  OK(CALL(cuMemAllocPitch)(&pitched, &pitch, width, height, 4));
  EXPECT(pitch >= width);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) rows[y][x] = (unsigned char)(7 * y + x);
  CUDA_MEMCPY2D copy;
  memset(&copy, 0, sizeof copy);
  copy.srcMemoryType = CU_MEMORYTYPE_HOST;
  copy.srcHost = rows;
  copy.srcPitch = width;
  copy.dstMemoryType = CU_MEMORYTYPE_DEVICE;
  copy.dstDevice = pitched;
  copy.dstPitch = pitch;
  copy.WidthInBytes = width;
  copy.Height = height;
  OK(CALL(cuMemcpy2D)(&copy));
  OK(CALL(cuMemsetD2D8)(pitched + 4, pitch, 99, 2, 3));
  memset(&copy, 0, sizeof copy);
  copy.srcMemoryType = CU_MEMORYTYPE_DEVICE;
  copy.srcDevice = pitched;
  copy.srcPitch = pitch;
  copy.dstMemoryType = CU_MEMORYTYPE_HOST;
  copy.dstHost = back;
  copy.dstPitch = width;
  copy.WidthInBytes = width;
  copy.Height = height;
  OK(CALL(cuMemcpy2DAsync)(&copy, NULL));
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      EXPECT(back[y][x] == (y < 3 && (x == 4 || x == 5) ? 99 : rows[y][x]));
  OK(CALL(cuMemAlloc)(&plain, 1000));
  OK(CALL(cuMemGetAddressRange)(&base, &bytes, plain + 10));
  EXPECT(base == plain && bytes == 1000);
  OK(CALL(cuPointerGetAttribute)(&kind, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, plain));
  EXPECT(kind == CU_MEMORYTYPE_DEVICE);
  GIVES(CALL(cuMemcpyHtoD)(plain + 999, rows, 2), CUDA_ERROR_INVALID_VALUE);
  GIVES(CALL(cuMemsetD32)(plain + 2, 1, 1), CUDA_ERROR_INVALID_VALUE);
  OK(CALL(cuMemsetD16)(plain, 0x1234, 500));
  OK(CALL(cuMemcpyDtoD)(plain, plain + 500, 500));
  OK(CALL(cuMemAllocManaged)((CUdeviceptr*)(void*)&both, 256, CU_MEM_ATTACH_GLOBAL));
  for (int i = 0; i < 64; ++i) both[i] = i;
  OK(CALL(cuMemcpyDtoD)(plain, (CUdeviceptr)(size_t)both, 256));
  OK(CALL(cuMemcpyDtoH)(registered, plain, 256));
  EXPECT(registered[63] == 63);
  OK(CALL(cuPointerGetAttribute)(&managed, CU_POINTER_ATTRIBUTE_IS_MANAGED,
                                 (CUdeviceptr)(size_t)both));
  EXPECT(managed == 1);
  OK(CALL(cuMemHostAlloc)(&pinned, 4096, CU_MEMHOSTALLOC_PORTABLE));
  OK(CALL(cuMemFreeHost)(pinned));
  OK(CALL(cuMemHostRegister)(registered, sizeof registered, 0));
  GIVES(CALL(cuMemHostRegister)(registered, 4, 0), CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED);
  OK(CALL(cuMemHostUnregister)(registered));
  OK(CALL(cuMemFree)((CUdeviceptr)(size_t)both));
  OK(CALL(cuMemFree)(plain));
  GIVES(CALL(cuMemFree)(plain), CUDA_ERROR_INVALID_VALUE);
  OK(CALL(cuMemFree)(pitched));
}

static void streams_and_events(void) {
  CUstream stream, urgent;
  CUevent start, end;
  CUdeviceptr data;
  float milliseconds = -1;
  int priority, one = 1, ten = 10;
  unsigned flags;
  static int in[64], out[64];
  for (int i = 0; i < 64; ++i) in[i] = i * i;
  OK(CALL(cuStreamCreate)(&stream, CU_STREAM_DEFAULT));
  OK(CALL(cuStreamCreateWithPriority)(&urgent, CU_STREAM_NON_BLOCKING, -3));
  OK(CALL(cuStreamGetPriority)(urgent, &priority));
  OK(CALL(cuStreamGetFlags)(urgent, &flags));
  EXPECT(priority == -3 && flags == CU_STREAM_NON_BLOCKING);
  OK(CALL(cuEventCreate)(&start, CU_EVENT_DEFAULT));
  OK(CALL(cuEventCreate)(&end, CU_EVENT_BLOCKING_SYNC));
  OK(CALL(cuMemAllocAsync)(&data, sizeof in, stream));
  OK(CALL(cuEventRecord)(start, stream));
  OK(CALL(cuMemcpyHtoDAsync)(data, in, sizeof in, stream));
  OK(CALL(cuEventRecord)(end, stream));
  OK(CALL(cuStreamWaitEvent)(urgent, end, 0));
  OK(CALL(cuMemcpyDtoHAsync)(out, data, sizeof out, urgent));
  OK(CALL(cuStreamAddCallback)(urgent, on_stream, &one, 0));
  OK(CALL(cuLaunchHostFunc)(urgent, on_host, &ten));
  OK(CALL(cuStreamSynchronize)(urgent));
  EXPECT(memcmp(in, out, sizeof in) == 0 && calls_back == 11);
  OK(CALL(cuStreamQuery)(stream));
  OK(CALL(cuEventQuery)(end));
  OK(CALL(cuEventSynchronize)(end));
  OK(CALL(cuEventElapsedTime)(&milliseconds, start, end));
  EXPECT(milliseconds >= 0);
  OK(CALL(cuMemFreeAsync)(data, stream));
  OK(CALL(cuEventDestroy)(start));
  OK(CALL(cuEventDestroy)(end));
  GIVES(CALL(cuEventQuery)(end), CUDA_ERROR_INVALID_HANDLE);
  OK(CALL(cuStreamDestroy)(urgent));
  OK(CALL(cuStreamDestroy)(stream));
}

static void modules_and_launches(CUdevice device) {
  enum { n = 500 };
  CUmodule module, none;
  CUfunction raise, stop;
  CUdeviceptr data, step;
  size_t bytes;
  unsigned count = n, other = 5;
  int value, blocks, grid, block, optin;
  static unsigned words[n];
  char log[512] = "";
  CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES,
                            CU_JIT_OPTIMIZATION_LEVEL};
  void* values[] = {log, (void*)sizeof log, (void*)4};
  GIVES(CALL(cuModuleLoadData)(&none, "not PTX"), CUDA_ERROR_INVALID_IMAGE);
  GIVES(CALL(cuModuleLoadDataEx)(&none,
                                 ".version 7.0\n.target sm_80\n.address_size 64\n"
                                 ".visible .entry k() { frobnicate.u32 %r0; ret; }\n",
                                 3, options, values),
        CUDA_ERROR_UNSUPPORTED_PTX_VERSION);
  EXPECT(strstr(log, "frobnicate") != NULL && strstr(log, "line 4") != NULL);
  OK(CALL(cuModuleLoadDataEx)(&module, good, 0, NULL, NULL));
  GIVES(CALL(cuModuleGetFunction)(&raise, module, "missing"), CUDA_ERROR_NOT_FOUND);
  OK(CALL(cuModuleGetFunction)(&raise, module, "raise"));
  OK(CALL(cuModuleGetFunction)(&stop, module, "stop"));
  OK(CALL(cuModuleGetGlobal)(&step, &bytes, module, "step"));
  EXPECT(bytes == 4);
  OK(CALL(cuMemcpyHtoD)(step, &other, 4));
  OK(CALL(cuFuncGetAttribute)(&value, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, raise));
  EXPECT(value == 256);
  OK(CALL(cuOccupancyMaxActiveBlocksPerMultiprocessor)(&blocks, raise, 256, 0));
  EXPECT(blocks == 8);
  OK(CALL(cuOccupancyMaxPotentialBlockSize)(&grid, &block, raise, NULL, 0, 0));
  EXPECT(block == 256 && grid % blocks == 0);
  OK(CALL(cuDeviceGetAttribute)(&optin, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN,
                                device));
  OK(CALL(cuMemAlloc)(&data, sizeof words));
  OK(CALL(cuMemsetD32)(data, 100, n));
  void* arguments[] = {&data, &count};
  GIVES(CALL(cuLaunchKernel)(raise, 0, 1, 1, 128, 1, 1, 0, NULL, arguments, NULL),
        CUDA_ERROR_INVALID_VALUE);
  GIVES(CALL(cuLaunchKernel)(raise, 1, 65536, 1, 128, 1, 1, 0, NULL, arguments, NULL),
        CUDA_ERROR_INVALID_VALUE);
  GIVES(CALL(cuLaunchKernel)(raise, 1, 1, 1, 257, 1, 1, 0, NULL, arguments, NULL),
        CUDA_ERROR_INVALID_VALUE);
  GIVES(CALL(cuLaunchKernel)(raise, 1, 1, 1, 128, 1, 1, 50000, NULL, arguments, NULL),
        CUDA_ERROR_INVALID_VALUE); /* without the attribute */
  GIVES(CALL(cuFuncSetAttribute)(raise, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, optin + 1),
        CUDA_ERROR_INVALID_VALUE);
  OK(CALL(cuFuncSetAttribute)(raise, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 50000));
  OK(CALL(cuLaunchKernel)(raise, 4, 1, 1, 128, 1, 1, 50000, NULL, arguments, NULL));
  CUlaunchConfig config;
  CUlaunchAttribute attribute;
  memset(&config, 0, sizeof config);
  memset(&attribute, 0, sizeof attribute);
  attribute.id = CU_LAUNCH_ATTRIBUTE_COOPERATIVE;
  attribute.value.cooperative = 1;
  config.gridDimX = 4;
  config.gridDimY = config.gridDimZ = 1;
  config.blockDimX = 128;
  config.blockDimY = config.blockDimZ = 1;
  config.attrs = &attribute;
  config.numAttrs = 1;
  OK(CALL(cuLaunchKernelEx)(&config, raise, arguments, NULL));
  config.gridDimX = 1000000;
  GIVES(CALL(cuLaunchKernelEx)(&config, raise, arguments, NULL),
        CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE);
  attribute.id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
  attribute.value.clusterDim.x = 2;
  attribute.value.clusterDim.y = attribute.value.clusterDim.z = 1;
  GIVES(CALL(cuLaunchKernelEx)(&config, raise, arguments, NULL), CUDA_ERROR_NOT_SUPPORTED);
  OK(CALL(cuMemcpyDtoH)(words, data, sizeof words));
  for (int i = 0; i < n; ++i) EXPECT(words[i] == 110);
  OK(CALL(cuMemFree)(data));
  /* A failing kernel spoils the context, and says so from then on. */
  OK(CALL(cuLaunchKernel)(stop, 1, 1, 1, 32, 1, 1, 0, NULL, NULL, NULL));
  GIVES(CALL(cuCtxSynchronize)(), CUDA_ERROR_LAUNCH_FAILED);
  GIVES(CALL(cuMemAlloc)(&data, 16), CUDA_ERROR_LAUNCH_FAILED);
}

int main(void) {
  CUdevice device, other;
  int count = 0, version = 0, value = 0, peer = 1;
  char name[64];
  const char* text = NULL;
#ifdef OPEN_BY_NAME
  library = dlopen("libcuda.so.1", RTLD_NOW);
  if (library == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 2;
  }
#endif
  GIVES(CALL(cuDeviceGetCount)(&count), CUDA_ERROR_NOT_INITIALIZED);
  OK(CALL(cuInit)(0));
  OK(CALL(cuDriverGetVersion)(&version));
  OK(CALL(cuDeviceGetCount)(&count));
  GIVES(CALL(cuDeviceGet)(&device, count), CUDA_ERROR_INVALID_DEVICE);
  OK(CALL(cuDeviceGet)(&device, 0));
  OK(CALL(cuDeviceGetName)(name, sizeof name, device));
  EXPECT(version >= 12000 && count >= 1 && name[0] != '\0');
  OK(CALL(cuDeviceGetAttribute)(&value, CU_DEVICE_ATTRIBUTE_WARP_SIZE, device));
  EXPECT(value == 32);
  OK(CALL(cuDeviceGetPCIBusId)(name, sizeof name, device));
  OK(CALL(cuDeviceGetByPCIBusId)(&other, name));
  EXPECT(other == device);
  OK(CALL(cuGetErrorName)(CUDA_ERROR_ASSERT, &text));
  EXPECT(strcmp(text, "CUDA_ERROR_ASSERT") == 0);
  OK(CALL(cuGetErrorString)(CUDA_ERROR_OUT_OF_MEMORY, &text));
  EXPECT(text != NULL);
  if (count > 1) {
    OK(CALL(cuDeviceCanAccessPeer)(&peer, device, 1));
    EXPECT(peer == 0);
  }
  contexts(device);
  memory();
  streams_and_events();
  modules_and_launches(device);
  if (failures == 0) puts("OK");
  return failures != 0;
}
