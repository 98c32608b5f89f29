// Sections used: .nv.info (per-kernel attributes keyed by symbol), .nv.info.<kernel> (its own),
// .nv.shared.<kernel> (static shared memory), .text.<kernel> (code; before CUDA 13's sm_90 the
// register count is also in its sh_info).
// An attribute is {format, id, ...}: format 4 carries a 16-bit size and as many bytes, the others
// are four bytes in all.
#include "runtime/cubin_info.hpp"

#include <algorithm>
#include <functional>
#include <tilewright/error.hpp>

#include "runtime/cubin_file.hpp"
#include "runtime/errors.hpp"

namespace tilewright::runtime {
namespace {

constexpr unsigned attribute_registers = 0x2f;
constexpr unsigned attribute_frame = 0x11;
constexpr unsigned attribute_stack = 0x12;
constexpr unsigned attribute_annotations = 0x55;
constexpr std::uint64_t annotation_spill = 1;
constexpr std::uint64_t sized_format = 4;
/// From sm_90 on the system keeps this much of every block's shared memory, inside the section.
constexpr int reserved_shared_bytes = 1024;

using Visit = std::function<void(unsigned id, std::string_view value)>;

void for_each_attribute(std::string_view info, const Visit& visit) {
  for (std::uint64_t at = 0; at + 4 <= info.size();) {
    const auto format = read_unsigned(info, at, 1);
    const auto id = static_cast<unsigned>(read_unsigned(info, at + 1, 1));
    const auto size = format == sized_format ? read_unsigned(info, at + 2, 2) : 0;
    if (size > info.size() - at - 4)
      throw Error(errors::runtime["cubin-unusable"], "not a usable cubin: an attribute is cut off",
                  {"cubin", "", "", ""});
    if (format == sized_format) visit(id, info.substr(at + 4, size));
    at += 4 + size;
  }
}

std::string chosen_kernel(const CubinFile& file, const std::string& wanted) {
  const auto kernels = file.kernels();
  if (wanted.empty() && kernels.size() == 1) return kernels.front();
  if (std::find(kernels.begin(), kernels.end(), wanted) != kernels.end()) return wanted;
  std::string names;
  for (const std::string& name : kernels) names += (names.empty() ? "" : ", ") + name;
  throw Error(errors::runtime["kernel-not-in-image"], "the cubin has no such kernel",
              {"kernel", wanted, names, ""});
}

void read_shared_attributes(const CubinFile& file, CubinInfo& info) {
  const auto* section = file.find(".nv.info");
  if (!section) return;
  for_each_attribute(section->contents, [&](unsigned id, std::string_view value) {
    if (value.size() < 8) return;
    const auto symbol = read_unsigned(value, 0, 4);
    const auto number = static_cast<int>(read_unsigned(value, 4, 4));
    if (symbol >= file.symbols().size() || file.symbols()[symbol].name != info.kernel) return;
    if (id == attribute_registers) info.registers = number;
    if (id == attribute_frame || id == attribute_stack)
      info.local_bytes = std::max(info.local_bytes, number);
  });
}

void count_spill(CubinInfo& info, const Instruction& instruction) {
  if (instruction.operation() == operation::store_local)
    info.spill_store_bytes += instruction.access_bytes();
  if (instruction.operation() == operation::load_local)
    info.spill_load_bytes += instruction.access_bytes();
}

void read_spills(const CubinFile& file, CubinInfo& info) {
  info.spills_are_marked = file.find(".note.nv.tkinfo") != nullptr;
  if (!info.spills_are_marked) {
    for (const Instruction& instruction : info.code) count_spill(info, instruction);
    return;
  }
  const auto* section = file.find(".nv.info." + info.kernel);
  if (!section) return;
  for_each_attribute(section->contents, [&](unsigned id, std::string_view value) {
    if (id != attribute_annotations) return;
    for (std::uint64_t at = 0; at + 8 <= value.size(); at += 8) {
      const auto index = read_unsigned(value, at + 4, 4) / 16;
      if (read_unsigned(value, at, 4) == annotation_spill && index < info.code.size())
        count_spill(info, info.code[index]);
    }
  });
}

/// The code ends with a branch to itself and NOPs up to the section's alignment.
void remove_padding(std::vector<Instruction>& code, int architecture) {
  while (!code.empty() && code.back().operation() == operation::nop) code.pop_back();
  if (!code.empty() && branch_target(code, code.size() - 1, architecture) == code.size() - 1)
    code.pop_back();
}

}  // namespace

InstructionMix CubinInfo::mix() const {
  InstructionMix mix;
  for (const Instruction& instruction : code) mix.add(instruction);
  return mix;
}

CubinInfo inspect_cubin(std::string_view cubin, const std::string& kernel) {
  const CubinFile file(cubin);
  CubinInfo info;
  info.kernel = chosen_kernel(file, kernel);
  info.architecture = file.architecture();
  const auto& text = *file.find(".text." + info.kernel);
  info.raw_code = text.contents;
  info.code = decode_sass(text.contents);
  remove_padding(info.code, info.architecture);
  info.registers = static_cast<int>(text.info >> 24);
  read_shared_attributes(file, info);
  if (const auto* shared = file.find(".nv.shared." + info.kernel)) {
    const int reserved = info.architecture >= 90 ? reserved_shared_bytes : 0;
    info.static_shared_bytes = std::max(static_cast<int>(shared->size) - reserved, 0);
  }
  read_spills(file, info);
  return info;
}

}  // namespace tilewright::runtime
