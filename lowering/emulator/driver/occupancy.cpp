// Entry points that estimate how many blocks fit on a multiprocessor.
//
// From threads, blocks and shared memory only: how many registers a kernel takes is ptxas's
// decision, which the emulator does not see, so the estimate is an upper bound of the hardware's.
#include <algorithm>

#include "emulator/driver/functions.hpp"

namespace tilewright::emulator::driver {

int blocks_that_fit(const Function& function, int threads, std::size_t dynamic_bytes) {
  const DeviceTraits& device = *function.owner->context->device->traits;
  if (threads > static_cast<int>(function.kernel->max_threads)) return 0;
  if (dynamic_bytes > static_cast<std::size_t>(function.dynamic_shared_limit.load())) return 0;
  const int rounded = (threads + 31) / 32 * 32;
  const std::size_t shared =
      function.kernel->static_shared_bytes + dynamic_bytes + shared_reserved_per_block;
  const auto by_shared =
      static_cast<int>(static_cast<std::size_t>(device.shared_per_multiprocessor) / shared);
  return std::min(
      {max_blocks_per_multiprocessor, max_threads_per_multiprocessor / rounded, by_shared});
}

namespace {

void choose_block_size(int* grid, int* block, CUfunction handle, CUoccupancyB2DSize dynamic_of,
                       std::size_t dynamic_bytes, int limit) {
  require(grid != nullptr && block != nullptr && limit >= 0);
  const auto function = resolve_function(handle);
  int largest = static_cast<int>(function->kernel->max_threads);
  if (limit != 0) largest = std::min(largest, limit);
  int best_threads = 0, best_block = 0, best_count = 0;
  for (int threads = (largest + 31) / 32 * 32; threads >= 32; threads -= 32) {
    const int asked = std::min(threads, largest);
    const std::size_t dynamic = dynamic_of != nullptr ? dynamic_of(asked) : dynamic_bytes;
    const int count = blocks_that_fit(*function, asked, dynamic);
    if (count * asked > best_threads) {
      best_threads = count * asked;
      best_block = asked;
      best_count = count;
    }
  }
  *block = best_block;
  *grid = best_count * function->owner->context->device->traits->multiprocessors;
}

}  // namespace
}  // namespace tilewright::emulator::driver

using namespace tilewright::emulator::driver;

extern "C" {

CUresult CUDAAPI cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
    int* blocks, CUfunction function, int threads, std::size_t dynamic_bytes, unsigned int flags) {
  return guarded([&] {
    require(blocks != nullptr && threads > 0 && threads <= max_threads_per_block);
    require((flags & ~unsigned{CU_OCCUPANCY_DISABLE_CACHING_OVERRIDE}) == 0);
    *blocks = blocks_that_fit(*resolve_function(function), threads, dynamic_bytes);
  });
}

CUresult CUDAAPI cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, CUfunction function,
                                                             int threads,
                                                             std::size_t dynamic_bytes) {
  return cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(blocks, function, threads,
                                                              dynamic_bytes, 0);
}

CUresult CUDAAPI cuOccupancyMaxPotentialBlockSizeWithFlags(int* grid, int* block,
                                                           CUfunction function,
                                                           CUoccupancyB2DSize dynamic_of,
                                                           std::size_t dynamic_bytes, int limit,
                                                           unsigned int flags) {
  return guarded([&] {
    require((flags & ~unsigned{CU_OCCUPANCY_DISABLE_CACHING_OVERRIDE}) == 0);
    choose_block_size(grid, block, function, dynamic_of, dynamic_bytes, limit);
  });
}

CUresult CUDAAPI cuOccupancyAvailableDynamicSMemPerBlock(std::size_t* bytes, CUfunction handle,
                                                         int blocks, int threads) {
  return guarded([&] {
    require(bytes != nullptr && blocks > 0 && threads > 0 && threads <= max_threads_per_block);
    const auto function = resolve_function(handle);
    const DeviceTraits& device = *function->owner->context->device->traits;
    const std::size_t taken = function->kernel->static_shared_bytes + shared_reserved_per_block;
    const std::size_t each = static_cast<std::size_t>(device.shared_per_multiprocessor / blocks);
    const std::size_t most = static_cast<std::size_t>(device.shared_per_block_optin) -
                             function->kernel->static_shared_bytes;
    *bytes = blocks_that_fit(*function, threads, 0) < blocks || each < taken
                 ? 0
                 : std::min(each - taken, most);
  });
}

CUresult CUDAAPI cuOccupancyMaxPotentialBlockSize(int* grid, int* block, CUfunction function,
                                                  CUoccupancyB2DSize dynamic_of,
                                                  std::size_t dynamic_bytes, int limit) {
  return guarded(
      [&] { choose_block_size(grid, block, function, dynamic_of, dynamic_bytes, limit); });
}

}  // extern "C"
