// The sentences. A fault is told from the access that was found out; the other access is named with
// its own line, and the end of the sentence says which synchronisation would have ordered them.
#include "emulator/race_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "emulator/memory.hpp"

namespace tilewright::emulator {
namespace {

const char* noun(Verb verb) {
  switch (verb) {
    case Verb::read: return "read";
    case Verb::strong_read: return "strong read";
    case Verb::write: return "write";
    case Verb::atomic: return "atomic update";
    case Verb::copy: return "asynchronous copy";
  }
  return "access";
}

}  // namespace

std::string Reporter::where(std::uint32_t site) const {
  const Site at = sites_.at(site);
  return at.cuda_line ? fmt::format("ptx line {}, kernel line {}", at.ptx_line, at.cuda_line)
                      : fmt::format("ptx line {}", at.ptx_line);
}

std::string Reporter::who(const Party& party) const {
  return fmt::format("{} by warp {} lane {}", noun(party.verb), party.warp, party.lane);
}

std::string Reporter::sentence(const Finding& finding) const {
  const Party& party = finding.party;
  const Party& other = finding.other;
  const bool one_warp = party.warp == other.warp;
  switch (finding.cause) {
    case Finding::Cause::unordered:
      return fmt::format(
          "{} races with the {} ({}): {}", who(party), who(other), where(other.site),
          one_warp ? "no warp synchronisation between these lanes" : "no barrier between them");
    case Finding::Cause::one_instruction:
      return fmt::format(
          "lanes {} and {} of warp {} {} in one instruction", other.lane, party.lane, party.warp,
          party.verb == Verb::copy ? "copy to the same place" : "store different values");
    case Finding::Cause::not_waited:
      return fmt::format("{} before the {} ({}) was waited for", who(party), who(other),
                         where(other.site));
    case Finding::Cause::waited_without_barrier:
      return fmt::format("{} races with the {} ({}): it was waited for, but there is no {}",
                         who(party), who(other), where(other.site),
                         one_warp ? "warp synchronisation between the wait and this lane"
                                  : "barrier between the wait and this warp");
    case Finding::Cause::unwritten:
      return fmt::format("{}, which this block never wrote", who(party));
  }
  return {};
}

bool Reporter::is_new(FaultKind kind, std::uint32_t line) {
  const std::pair entry(kind, line);
  if (std::find(reported_.begin(), reported_.end(), entry) != reported_.end()) return false;
  reported_.push_back(entry);
  return true;
}

Fault Reporter::fault(FaultKind kind, const Party& party, std::string message) const {
  const Site site = sites_.at(party.site);
  const std::uint64_t linear = std::uint64_t{party.warp} * 32 + party.lane;
  const std::uint64_t x = std::max(setup_.block_size.x, 1u);
  const std::uint64_t y = std::max(setup_.block_size.y, 1u);
  Fault fault;
  fault.kind = kind;
  fault.block = setup_.block;
  fault.thread = {static_cast<std::uint32_t>(linear % x),
                  static_cast<std::uint32_t>(linear / x % y),
                  static_cast<std::uint32_t>(linear / (x * y))};
  fault.ptx_line = static_cast<int>(site.ptx_line);
  fault.cuda_line = static_cast<int>(site.cuda_line);
  fault.message = std::move(message);
  return fault;
}

void Reporter::emit(FaultKind kind, const Party& party, std::string message) {
  if (setup_.sink) setup_.sink->report(fault(kind, party, std::move(message)));
}

void Reporter::shared(const Finding& finding) {
  if (!is_new(finding.kind, finding.party.site)) return;
  if (finding.kind == FaultKind::uninitialized_read && setup_.options &&
      !setup_.options->uninitialized_is_fault) {
    if (setup_.sink)
      setup_.sink->note(fmt::format("{}: reads shared memory that the block never wrote",
                                    where(finding.party.site)));
    return;
  }
  emit(finding.kind, finding.party,
       fmt::format("shared byte {}: {}", finding.address, sentence(finding)));
}

std::string Reporter::global_place(std::uint64_t address) const {
  const std::string place = setup_.memory ? setup_.memory->describe(address) : std::string();
  return place.empty() ? fmt::format("global address {:#x}", address)
                       : fmt::format("global address {:#x} ({})", address, place);
}

void Reporter::global(const Finding& finding) {
  if (setup_.sink) setup_.sink->withdraw(finding.address, finding.address + finding.bytes);
  if (!is_new(finding.kind, finding.party.site)) return;
  emit(finding.kind, finding.party,
       fmt::format("{}: {}", global_place(finding.address), sentence(finding)));
}

void Reporter::between_blocks(const BlockClash& clash) {
  if (setup_.sink) setup_.sink->withdraw(clash.address, clash.address + clash.bytes);
  if (!is_new(FaultKind::data_race, clash.party.site)) return;
  emit(FaultKind::data_race, clash.party,
       fmt::format("{}: {} of block number {} races with the {} by {} (ptx line {}): {}",
                   global_place(clash.address), who(clash.party), setup_.linear_block,
                   noun(clash.other_verb),
                   clash.several_blocks ? std::string("other blocks")
                                        : fmt::format("block number {}", clash.other_block),
                   clash.other_line,
                   clash.flags ? "no release and acquire order these blocks"
                               : "blocks of one launch are not ordered"));
}

void Reporter::unwritten_global(const Party& party, std::uint64_t address, unsigned bytes) {
  if (!setup_.sink) return;
  const bool is_fault = !setup_.options || setup_.options->uninitialized_is_fault;
  setup_.sink->hold(
      fault(FaultKind::uninitialized_read, party,
            fmt::format("{}: {}, which nothing ever wrote", global_place(address), who(party))),
      address, address + bytes,
      is_fault ? std::string()
               : fmt::format("{}: reads global memory that nothing ever wrote", where(party.site)));
}

}  // namespace tilewright::emulator
