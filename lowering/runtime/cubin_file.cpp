// ELF64, little endian, machine 190 (EM_CUDA). Offsets below are those of the ELF specification.
// The architecture sits in e_flags: its second byte since ABI version 8 (CUDA 13), its lowest byte
// before.
#include "runtime/cubin_file.hpp"
#include "runtime/errors.hpp"

#include <tilewright/error.hpp>

namespace tilewright::runtime {
namespace {

constexpr std::uint64_t machine_cuda = 190;
constexpr std::uint32_t section_symbols = 2;
constexpr std::uint32_t section_without_bytes = 8;
constexpr std::string_view text_prefix = ".text.";

[[noreturn]] void refuse(const std::string& why) {
  throw Error(errors::runtime["cubin-unusable"], "not a usable cubin: " + why,
              {"cubin", "", "", ""});
}

std::string_view part(std::string_view bytes, std::uint64_t offset, std::uint64_t size) {
  if (offset > bytes.size() || size > bytes.size() - offset)
    refuse("it ends before byte " + std::to_string(offset) + " + " + std::to_string(size));
  return bytes.substr(offset, size);
}

std::string text_at(std::string_view table, std::uint64_t offset) {
  if (offset >= table.size()) refuse("a name lies outside its string table");
  const std::string_view rest = table.substr(offset);
  const std::size_t end = rest.find('\0');
  if (end == std::string_view::npos) refuse("a name has no end");
  return std::string(rest.substr(0, end));
}

}  // namespace

std::uint64_t read_unsigned(std::string_view bytes, std::uint64_t offset, unsigned size) {
  const std::string_view field = part(bytes, offset, size);
  std::uint64_t value = 0;
  for (unsigned i = 0; i < size; ++i)
    value |= std::uint64_t{static_cast<unsigned char>(field[i])} << (8 * i);
  return value;
}

CubinFile::CubinFile(std::string_view bytes) {
  if (bytes.size() < 64 || bytes.substr(0, 4) !=
                               "\x7f"
                               "ELF")
    refuse("no ELF header");
  if (bytes[4] != 2 || bytes[5] != 1) refuse("not a 64-bit little-endian ELF file");
  if (read_unsigned(bytes, 18, 2) != machine_cuda) refuse("an ELF file, but not for CUDA");
  const auto flags = read_unsigned(bytes, 48, 4);
  const bool flags_since_13 = bytes[8] >= 8;
  architecture_ = static_cast<int>(flags_since_13 ? flags >> 8 & 0xff : flags & 0xff);

  const auto table = read_unsigned(bytes, 40, 8);
  const auto entry_bytes = read_unsigned(bytes, 58, 2);
  const auto count = read_unsigned(bytes, 60, 2);
  const auto names_index = read_unsigned(bytes, 62, 2);
  if (count == 0 || entry_bytes < 64 || names_index >= count) refuse("no section table");

  // The driver needs the program headers, which come last: without them the file was cut off.
  part(bytes, read_unsigned(bytes, 32, 8),
       read_unsigned(bytes, 54, 2) * read_unsigned(bytes, 56, 2));

  struct Raw {
    std::uint64_t name, link;
  };
  std::vector<Raw> raw;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto at = table + i * entry_bytes;
    part(bytes, at, 64);
    Section section;
    section.type = static_cast<std::uint32_t>(read_unsigned(bytes, at + 4, 4));
    section.size = read_unsigned(bytes, at + 32, 8);
    section.info = static_cast<std::uint32_t>(read_unsigned(bytes, at + 44, 4));
    if (section.type != section_without_bytes && section.type != 0)
      section.contents = part(bytes, read_unsigned(bytes, at + 24, 8), section.size);
    raw.push_back({read_unsigned(bytes, at, 4), read_unsigned(bytes, at + 40, 4)});
    sections_.push_back(std::move(section));
  }
  const std::string_view names = sections_[names_index].contents;
  for (std::size_t i = 1; i < sections_.size(); ++i)
    sections_[i].name = text_at(names, raw[i].name);

  for (std::size_t i = 0; i < sections_.size(); ++i) {
    if (sections_[i].type != section_symbols) continue;
    if (raw[i].link >= sections_.size()) refuse("a symbol table without names");
    const std::string_view symbol_names = sections_[raw[i].link].contents;
    const std::string_view contents = sections_[i].contents;
    for (std::uint64_t at = 0; at + 24 <= contents.size(); at += 24)
      symbols_.push_back({text_at(symbol_names, read_unsigned(contents, at, 4)),
                          static_cast<std::uint16_t>(read_unsigned(contents, at + 6, 2)),
                          static_cast<unsigned char>(read_unsigned(contents, at + 4, 1) & 15)});
  }
}

const CubinFile::Section* CubinFile::find(std::string_view name) const {
  for (const Section& section : sections_)
    if (section.name == name) return &section;
  return nullptr;
}

std::vector<std::string> CubinFile::kernels() const {
  std::vector<std::string> names;
  for (const Section& section : sections_)
    if (section.name.rfind(text_prefix, 0) == 0)
      names.push_back(section.name.substr(text_prefix.size()));
  return names;
}

}  // namespace tilewright::runtime
