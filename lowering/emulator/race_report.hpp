// Findings put into words: both accesses, their lines, the address, and what is missing between
// them. One reporter serves a block; repeated findings of one instruction are dropped before any
// text is made, because a planted mistake repeats for every lane.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "emulator/monitor.hpp"
#include "emulator/race_judge.hpp"

namespace tilewright::emulator {

/// Instructions by a small dense number. PTX lines keep their number for as long as it lives.
class Sites {
 public:
  std::uint32_t number(Site site) {
    if (site.ptx_line >= numbers_.size()) numbers_.resize(site.ptx_line + 256);
    std::uint32_t& number = numbers_[site.ptx_line];
    if (number == 0) {
      sites_.push_back(site);
      number = static_cast<std::uint32_t>(sites_.size());
    }
    sites_[number - 1].cuda_line = site.cuda_line;
    return number - 1;
  }
  Site at(std::uint32_t number) const { return sites_[number]; }

 private:
  std::vector<std::uint32_t> numbers_;  ///< by PTX line, plus one
  std::vector<Site> sites_;
};

/// An access of this block that conflicts with another block's.
struct BlockClash {
  std::uint64_t address = 0;
  unsigned bytes = 0;
  Party party;
  Verb other_verb{};
  std::uint64_t other_block = 0;  ///< its linear number
  bool several_blocks = false;    ///< more than one: `other_block` is not known
  bool flags = false;             ///< the launch's blocks could have ordered themselves by flags
  std::uint32_t other_line = 0;
};

class Reporter {
 public:
  Reporter(const BlockMonitor::Setup& setup, const Sites& sites) : setup_(setup), sites_(sites) {}

  void shared(const Finding& finding);
  void global(const Finding& finding);
  void between_blocks(const BlockClash& clash);
  void unwritten_global(const Party& party, std::uint64_t address, unsigned bytes);

 private:
  bool is_new(FaultKind kind, std::uint32_t line);
  void emit(FaultKind kind, const Party& party, std::string message);
  Fault fault(FaultKind kind, const Party& party, std::string message) const;
  std::string who(const Party& party) const;
  std::string where(std::uint32_t site) const;
  std::string sentence(const Finding& finding) const;
  std::string global_place(std::uint64_t address) const;

  BlockMonitor::Setup setup_;
  const Sites& sites_;
  std::vector<std::pair<FaultKind, std::uint32_t>> reported_;
};

}  // namespace tilewright::emulator
