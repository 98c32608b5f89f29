// Encoding and decoding of entry files. Every length is compared with what is really there before
// it is used, so a damaged file can be wrong in any way and still only be refused.
#include "runtime/entry_file.hpp"

#include <array>
#include <cstdint>
#include <fstream>
#include <string_view>

#include "runtime/digest.hpp"

namespace tilewright::runtime {
namespace {

constexpr std::string_view magic = "TWIMAGE1";
constexpr std::size_t digits = 32;
constexpr std::size_t fields = 5;  // kernel, architecture, kind, log, image
constexpr std::size_t header_bytes = magic.size() + 2 * digits + 8 * fields;
constexpr std::uint64_t longest_label = 4096;

using Lengths = std::array<std::uint64_t, fields>;

std::string little_endian(std::uint64_t value) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
  return bytes;
}

Lengths read_lengths(std::string_view header) {
  Lengths lengths{};
  const std::string_view bytes = header.substr(magic.size() + 2 * digits);
  for (std::size_t field = 0; field < fields; ++field)
    for (std::size_t i = 0; i < 8; ++i)
      lengths[field] |= std::uint64_t{static_cast<unsigned char>(bytes[8 * field + i])} << (8 * i);
  return lengths;
}

std::optional<ImageKind> kind_of(std::string_view text) {
  if (text == name(ImageKind::cubin)) return ImageKind::cubin;
  if (text == name(ImageKind::ptx)) return ImageKind::ptx;
  return std::nullopt;
}

}  // namespace

std::string encode_entry(const std::string& key, const EntryLabel& label,
                         const CompiledImage& image) {
  std::string body;
  for (const std::string& field :
       {label.kernel, label.architecture, std::string(name(label.kind)), image.log, image.bytes})
    body += little_endian(field.size());
  body += label.kernel + label.architecture + name(label.kind) + image.log + image.bytes;
  return std::string(magic) + key + Digest().add(key).add(body).hex() + body;
}

std::optional<CompiledImage> decode_entry(const std::string& bytes, const std::string& key,
                                          const EntryLabel& label) {
  const std::string_view all = bytes;
  if (all.size() < header_bytes || all.substr(0, magic.size()) != magic) return std::nullopt;
  if (all.substr(magic.size(), digits) != key) return std::nullopt;
  const std::string_view body = all.substr(magic.size() + 2 * digits);
  if (all.substr(magic.size() + digits, digits) != Digest().add(key).add(body).hex())
    return std::nullopt;

  std::string_view rest = all.substr(header_bytes);
  std::array<std::string_view, fields> field;
  const Lengths lengths = read_lengths(all);
  for (std::size_t i = 0; i < fields; ++i) {
    if (lengths[i] > rest.size()) return std::nullopt;
    field[i] = rest.substr(0, lengths[i]);
    rest.remove_prefix(lengths[i]);
  }
  if (!rest.empty() || field[0] != label.kernel || field[1] != label.architecture ||
      field[2] != name(label.kind))
    return std::nullopt;

  CompiledImage image;
  image.log = field[3];
  image.bytes = field[4];
  image.kind = label.kind;
  image.architecture = label.architecture;
  image.key = key;
  image.from_cache = true;
  image.kept = true;
  return image;
}

std::optional<EntryLabel> read_label(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return std::nullopt;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  std::ifstream file(path, std::ios::binary);
  std::string header(header_bytes, '\0');
  if (error || !file.read(header.data(), static_cast<std::streamsize>(header.size())) ||
      header.compare(0, magic.size(), magic) != 0 ||
      header.compare(magic.size(), digits, path.stem().string()) != 0)
    return std::nullopt;
  const Lengths lengths = read_lengths(header);
  std::uint64_t whole = header_bytes;
  for (const std::uint64_t length : lengths) {
    if (length > largest_entry) return std::nullopt;
    whole += length;
  }
  if (whole != size) return std::nullopt;
  std::array<std::string, 3> text;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (lengths[i] > longest_label) return std::nullopt;
    text[i].resize(lengths[i]);
    if (!file.read(text[i].data(), static_cast<std::streamsize>(lengths[i]))) return std::nullopt;
  }
  const auto kind = kind_of(text[2]);
  if (!kind) return std::nullopt;
  return EntryLabel{text[0], text[1], *kind};
}

}  // namespace tilewright::runtime
