// Global memory of one block: races between blocks go to the launch's shadow, races inside the
// block to the same rules as shared memory. Most pages are only read (or only updated by atomics)
// between two barriers of the whole block and need no rules: their accesses are logged, and looked
// at only if the block writes to the page. A barrier of all warps orders everything before it, so
// the log starts anew there.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "emulator/race_judge.hpp"
#include "emulator/race_order.hpp"
#include "emulator/race_report.hpp"
#include "emulator/shadow_global.hpp"

namespace tilewright::emulator {

class GlobalRaces {
 public:
  GlobalRaces(Clocks& clocks, Cells& cells, FindingListener& listener, Reporter& reporter,
              const Sites& sites, GlobalShadow* shadow, const WarpOrder* order,
              std::uint64_t linear_block);

  void access(WarpAccess access, std::uint32_t lanes);
  /// All warps passed a barrier together: nothing before it can race with anything after.
  void everyone_joined();

 private:
  enum PageUse : std::uint8_t {
    page_read = 1,
    page_updated = 2,
    page_judged = 4,
    page_replayed = 8
  };
  struct Logged {
    WarpAccess access;  ///< without its addresses
    std::uint32_t lanes = 0;
    std::size_t first = 0;  ///< of its addresses, one per active lane
    Clocks::Time floor = 0, partial = 0;
  };
  void between_blocks(const WarpAccess& access, std::uint32_t lanes);
  std::uint8_t& page(std::uint64_t number);
  bool needs_judging(const WarpAccess& access, std::uint32_t lanes);
  void judge_page(std::uint64_t number);
  void judge_everything();
  void replay(const Logged& logged, std::uint64_t only_page, bool all_pages);
  std::uint32_t granule(std::uint64_t number);
  void log(const WarpAccess& access, std::uint32_t lanes);

  Clocks& clocks_;
  Cells& cells_;
  Judge judge_;
  Reporter& reporter_;
  const Sites& sites_;
  void report(const WarpAccess& access, std::uint64_t granule, std::uint32_t mask, unsigned lane);
  const WarpOrder* order_;  ///< null: the launch's blocks are unordered
  GlobalShadow::View view_;
  GlobalShadow::Block block_;
  std::unordered_map<std::uint64_t, std::uint32_t> granules_;  ///< address / 16 -> number in cells_
  std::unordered_map<std::uint64_t, std::uint8_t> pages_;
  std::uint64_t last_page_ = ~std::uint64_t{0};
  std::uint8_t* last_use_ = nullptr;
  std::vector<Logged> log_;
  std::vector<std::uint64_t> addresses_;
  bool everything_judged_ = false;
};

}  // namespace tilewright::emulator
