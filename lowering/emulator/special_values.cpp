// See special_values.hpp. One multiprocessor is pretended: %smid is 0 and %nsmid 1.
#include "emulator/special_values.hpp"

#include "emulator/engine.hpp"

namespace tilewright::emulator {

std::uint64_t special_value(SpecialRegister which, const Block& block, std::uint32_t warp,
                            unsigned lane) {
  using S = SpecialRegister;
  const Launch& launch = *block.state->launch;
  const Dim3 size = launch.block;
  const std::uint32_t thread = 32 * warp + lane;
  const std::uint32_t bit = 1u << lane;
  switch (which) {
    case S::tid_x: return thread % size.x;
    case S::tid_y: return thread / size.x % size.y;
    case S::tid_z: return thread / size.x / size.y;
    case S::ntid_x: return size.x;
    case S::ntid_y: return size.y;
    case S::ntid_z: return size.z;
    case S::ctaid_x: return block.position.x;
    case S::ctaid_y: return block.position.y;
    case S::ctaid_z: return block.position.z;
    case S::nctaid_x: return launch.grid.x;
    case S::nctaid_y: return launch.grid.y;
    case S::nctaid_z: return launch.grid.z;
    case S::laneid: return lane;
    case S::warpid: return warp;
    case S::nwarpid: return block.warps.size();
    case S::nsmid: return 1;
    case S::gridid: return 1;
    case S::lanemask_eq: return bit;
    case S::lanemask_lt: return bit - 1;
    case S::lanemask_le: return bit | (bit - 1);
    case S::lanemask_gt: return ~(bit | (bit - 1)) & all_lanes;
    case S::lanemask_ge: return ~(bit - 1) & all_lanes;
    case S::dynamic_smem_size: return launch.dynamic_shared_bytes;
    case S::total_smem_size: return block.state->shared_bytes - shared_base;
    case S::warp_size: return 32;
    case S::smid:
    case S::clock:
    case S::clock_hi:
    case S::clock64:
    case S::globaltimer:
    case S::globaltimer_lo:
    case S::globaltimer_hi:
    case S::zero: return 0;
  }
  return 0;
}

}  // namespace tilewright::emulator
