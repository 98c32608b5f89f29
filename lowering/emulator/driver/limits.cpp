// Entry points about a context's limits and preferences. They are kept and given back; none of them
// changes what a kernel may do here, except that there is no limit a kernel could meet.
//
// Look next at contexts.cpp.
#include "emulator/driver/state.hpp"

using namespace tilewright::emulator::driver;

namespace {

std::size_t& limit_of(Context& context, CUlimit limit) {
  switch (limit) {
    case CU_LIMIT_STACK_SIZE: return context.limits.stack;
    case CU_LIMIT_PRINTF_FIFO_SIZE: return context.limits.print_buffer;
    case CU_LIMIT_MALLOC_HEAP_SIZE: return context.limits.heap;
    case CU_LIMIT_MAX_L2_FETCH_GRANULARITY: return context.limits.l2_fetch;
    case CU_LIMIT_PERSISTING_L2_CACHE_SIZE: return context.limits.l2_persisting;
    default: break;
  }
  require(limit >= 0 && limit < CU_LIMIT_MAX);
  throw Failure{CUDA_ERROR_UNSUPPORTED_LIMIT};
}

}  // namespace

extern "C" {

CUresult CUDAAPI cuCtxGetLimit(std::size_t* value, CUlimit limit) {
  return guarded([&] {
    require(value != nullptr);
    *value = limit_of(*current_context(), limit);
  });
}

CUresult CUDAAPI cuCtxSetLimit(CUlimit limit, std::size_t value) {
  return guarded([&] { limit_of(*current_context(), limit) = value; });
}

CUresult CUDAAPI cuCtxGetCacheConfig(CUfunc_cache* config) {
  return guarded([&] {
    require(config != nullptr);
    current_context();
    *config = CU_FUNC_CACHE_PREFER_NONE;
  });
}

CUresult CUDAAPI cuCtxResetPersistingL2Cache() {
  return guarded([] { current_context(); });
}

}  // extern "C"
