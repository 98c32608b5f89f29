// The table of operations and the decoding of branches.
// An operation that is not in the table counts as alu: that is where new conversions, moves and
// integer instructions of later architectures belong.
#include "runtime/sass.hpp"

#include <numeric>

namespace tilewright::runtime {
namespace {

InstructionClass class_of(unsigned operation) {
  using enum InstructionClass;
  switch (operation) {
    case 0x03c:  // HMMA
    case 0x037:  // IMMA
    case 0x03f:  // DMMA
      return tensor;
    case 0x108:  // MUFU
      return mufu;
    case 0x023:  // FFMA
    case 0x020:  // FMUL
    case 0x021:  // FADD
    case 0x009:  // FMNMX
    case 0x02b:  // DFMA
    case 0x028:  // DMUL
    case 0x029:  // DADD
    case 0x030:  // HADD2
    case 0x031:  // HFMA2
    case 0x032:  // HMUL2
    case 0x035:  // HFMA2.MMA
    case 0x040:  // HMNMX2
      return fma;
    case 0x03b:  // LDSM
    case 0x044:  // STSM
    case 0x184:  // LDS
    case 0x188:  // STS
    case 0x18c:  // ATOMS
    case 0x18d:  // ATOMS.CAS
      return shared;
    case 0x180:  // LD
    case 0x185:  // ST
    case 0x181:  // LDG
    case 0x186:  // STG
    case 0x18a:  // ATOM
    case 0x18b:  // ATOM.CAS
    case 0x18e:  // RED
    case 0x1a6:  // REDG
    case 0x1a8:  // ATOMG
    case 0x1a9:  // ATOMG.CAS
    case 0x1ae:  // LDGSTS
    case 0x1b4:  // UTMALDG
    case 0x1b5:  // UTMASTG
    case 0x1b6:  // UTMAREDG
    case 0x1ba:  // UBLKCP
      return global;
    case operation::load_local:
    case operation::store_local: return local;
    case 0x189:  // SHFL
    case 0x1c4:  // REDUX
    case 0x006:  // VOTE
    case 0x086:  // VOTEU
      return shuffle;
    case 0x11d:  // BAR
    case 0x11a:  // DEPBAR
    case 0x1af:  // LDGDEPBAR
    case 0x192:  // MEMBAR
    case 0x1ab:  // ERRBAR
    case 0x18f:  // CCTL
    case 0x1a7:  // SYNCS
    case 0x1b2:  // SYNCS.EXCH
    case 0x1b7:  // UTMACMDFLUSH
    case 0x1c5:  // WARPGROUP
    case 0x1c6:  // FENCE
    case 0x1c7:  // UCGABAR
    case 0x148:  // WARPSYNC
    case 0x145:  // BSSY
    case 0x141:  // BSYNC
    case 0x142:  // BREAK
    case 0x15d:  // NANOSLEEP
      return sync;
    case operation::branch:
    case operation::branch_indexed:
    case operation::exit:
    case operation::return_from_call:
    case operation::nop:
    case 0x144:  // CALL
    case 0x146:  // YIELD
    case 0x15c:  // BPT
      return control;
    default: break;
  }
  if (operation >= 0x1f0 && operation <= 0x1f7) return tensor;  // HGMMA and its kin
  return alu;
}

std::int64_t sign_extended(std::uint64_t value, unsigned bits) {
  const unsigned unused = 64 - bits;
  return static_cast<std::int64_t>(value << unused) >> unused;
}

}  // namespace

InstructionClass classify(const Instruction& instruction) {
  return class_of(instruction.operation());
}

int Instruction::access_bytes() const {
  constexpr int bytes[8] = {1, 1, 2, 2, 4, 8, 16, 16};
  return bytes[high >> 9 & 7];
}

std::size_t InstructionMix::total() const {
  return std::accumulate(counts.begin(), counts.end(), std::size_t{0});
}

std::vector<Instruction> decode_sass(std::string_view text) {
  std::vector<Instruction> code(text.size() / 16);
  for (std::size_t i = 0; i < code.size(); ++i) {
    for (unsigned byte = 0; byte < 8; ++byte) {
      const auto at = [&](std::size_t offset) {
        return std::uint64_t{static_cast<unsigned char>(text[16 * i + offset + byte])} << 8 * byte;
      };
      code[i].low |= at(0);
      code[i].high |= at(8);
    }
  }
  return code;
}

std::optional<std::size_t> branch_target(const std::vector<Instruction>& code, std::size_t index,
                                         int architecture) {
  const Instruction& branch = code[index];
  if (branch.operation() != operation::branch) return std::nullopt;
  // Bits 34 to 81 hold the offset in words; since sm_90 bits 16 to 23 extend it downwards.
  const std::uint64_t upper = branch.low >> 34 | (branch.high & 0x3ffff) << 30;
  const std::int64_t words = architecture >= 90
                                 ? sign_extended(upper << 8 | (branch.low >> 16 & 0xff), 56)
                                 : sign_extended(upper, 48);
  const std::int64_t target = static_cast<std::int64_t>(index) + 1 + words / 4;
  if (words % 4 != 0 || target < 0 || target >= static_cast<std::int64_t>(code.size()))
    return std::nullopt;
  return static_cast<std::size_t>(target);
}

}  // namespace tilewright::runtime
