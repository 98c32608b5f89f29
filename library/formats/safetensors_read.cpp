// The reader of safetensors.hpp. The header is hostile until proven otherwise: lengths are compared
// before they are added, products are checked for overflow, and nesting is bounded while parsing.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <tilewright/error.hpp>

#include "formats/errors.hpp"
#include "formats/safetensors.hpp"

namespace tilewright::formats {

namespace {

using nlohmann::json;

constexpr std::uint64_t max_header_bytes = 100'000'000;  // the format's own limit
constexpr int max_nesting = 8;                           // a valid header needs three
constexpr std::size_t max_rank = 32;

constexpr const char* known_types =
    "BOOL, U8, I8, F8_E4M3, F8_E5M2, U16, I16, F16, BF16, U32, I32, F32, U64, I64 or F64";

/// Reads exactly `size` bytes at `offset`; false if the file ends before.
bool read_exactly(int descriptor, std::uint64_t offset, void* target, std::uint64_t size) {
  auto* bytes = static_cast<char*>(target);
  while (size > 0) {
    const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(size, 1u << 30));
    const ssize_t count = ::pread(descriptor, bytes, step, static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes += count;
    offset += static_cast<std::uint64_t>(count);
    size -= static_cast<std::uint64_t>(count);
  }
  return true;
}

/// A value as it stands in the header, short enough for a message.
std::string shown(const json& value) {
  std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
  if (text.size() > 80) text = text.substr(0, 77) + "...";
  return text;
}

}  // namespace

/// One pass over one header; a struct so that every refusal names the file.
struct HeaderReader {
  const std::string& path;

  [[noreturn]] void refuse(const ErrorEntry& entry, const std::string& message,
                           std::string value = {}, std::string allowed = {},
                           const std::string& argument = {}) const {
    throw Error(entry, path + ": " + message,
                {argument.empty() ? path : argument, std::move(value), std::move(allowed), ""});
  }

  json parse(const std::string& header) const {
    // The parser keeps the last of two equal keys; a file with two tensors of one name is a lie.
    std::vector<std::set<std::string>> keys;
    const auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
      if (depth > max_nesting)
        refuse(errors::formats["safetensors-header-invalid"], "the header is nested too deeply");
      if (event == json::parse_event_t::object_start) {
        keys.emplace_back();
      } else if (event == json::parse_event_t::object_end) {
        keys.pop_back();
      } else if (event == json::parse_event_t::key &&
                 !keys.back().insert(parsed.get<std::string>()).second) {
        refuse(errors::formats["safetensors-header-invalid"], "the header holds a name twice",
               shown(parsed), "each name once", parsed.get<std::string>());
      }
      return true;
    };
    try {
      return json::parse(header, watch);
    } catch (const json::exception& error) {
      refuse(errors::formats["safetensors-header-invalid"],
             "the header is not valid JSON (" + std::string(error.what()) + ")", "",
             "a JSON object in UTF-8");
    }
  }

  std::vector<std::int64_t> shape(const std::string& tensor, const json& value) const {
    const std::string allowed = "a list of at most 32 integers from 0 on";
    if (!value.is_array() || value.size() > max_rank) {
      refuse(errors::formats["safetensors-tensor-invalid"],
             "tensor '" + tensor + "' has no usable shape", shown(value), allowed, tensor);
    }
    std::vector<std::int64_t> extents;
    for (const json& extent : value) {
      if (!extent.is_number_unsigned() || extent.get<std::uint64_t>() > INT64_MAX) {
        refuse(errors::formats["safetensors-tensor-invalid"],
               "tensor '" + tensor + "' has a bad extent", shown(extent), allowed, tensor);
      }
      extents.push_back(extent.get<std::int64_t>());
    }
    return extents;
  }

  TensorInfo tensor(const std::string& name, const json& entry, std::uint64_t data_bytes) const {
    const std::string label = "tensor '" + name + "'";
    if (!entry.is_object() || !entry.contains("dtype") || !entry.contains("shape") ||
        !entry.contains("data_offsets")) {
      refuse(errors::formats["safetensors-tensor-invalid"],
             label + " lacks dtype, shape or data_offsets", shown(entry),
             "an object with all three", name);
    }
    const json& type = entry["dtype"];
    const ElementType* known =
        type.is_string() ? find_element_type(type.get<std::string>()) : nullptr;
    if (known == nullptr)
      refuse(errors::formats["safetensors-tensor-invalid"], label + " has an unknown dtype",
             shown(type), known_types, name);

    TensorInfo info{name, *known, shape(name, entry["shape"]), 0, 0};
    const json& offsets = entry["data_offsets"];
    if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
        !offsets[1].is_number_unsigned()) {
      refuse(errors::formats["safetensors-tensor-invalid"], label + " has bad data_offsets",
             shown(offsets), "[begin, end] in bytes", name);
    }
    info.begin = offsets[0].get<std::uint64_t>();
    info.end = offsets[1].get<std::uint64_t>();
    if (info.begin > info.end || info.end > data_bytes) {
      refuse(errors::formats["safetensors-tensor-invalid"], label + " lies outside the file's data",
             shown(offsets), "0 <= begin <= end <= " + std::to_string(data_bytes), name);
    }
    std::uint64_t bytes = size_of(info.type);
    for (const std::int64_t extent : info.shape) {
      if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(extent), &bytes)) {
        refuse(errors::formats["safetensors-tensor-invalid"],
               label + " has a shape whose size overflows", shown(entry["shape"]),
               "at most 2^64 - 1 bytes", name);
      }
    }
    if (bytes != info.end - info.begin) {
      refuse(errors::formats["safetensors-tensor-invalid"],
             label + " has data_offsets that do not match its shape and dtype", shown(offsets),
             std::to_string(bytes) + " bytes for shape " + shown(entry["shape"]) + " of " +
                 shown(type),
             name);
    }
    return info;
  }

  std::map<std::string, std::string> metadata(const json& entry) const {
    std::map<std::string, std::string> texts;
    if (!entry.is_object()) {
      refuse(errors::formats["safetensors-header-invalid"], "__metadata__ is not an object",
             shown(entry), "an object of strings", "__metadata__");
    }
    for (const auto& [key, value] : entry.items()) {
      if (!value.is_string()) {
        refuse(errors::formats["safetensors-header-invalid"],
               "__metadata__ holds a value that is no text", shown(value), "strings only",
               "__metadata__");
      }
      texts[key] = value.get<std::string>();
    }
    return texts;
  }

  /// Data without holes or overlaps: each tensor starts where the one before it ends.
  void require_contiguous(const std::vector<TensorInfo>& tensors, std::uint64_t data_bytes) const {
    std::uint64_t expected = 0;
    for (const TensorInfo& tensor : tensors) {
      if (tensor.begin != expected) {
        refuse(errors::formats["safetensors-data-disagrees"],
               "tensor '" + tensor.name +
                   (tensor.begin < expected ? "' overlaps another" : "' follows a hole"),
               std::to_string(tensor.begin),
               "data_offsets that begin at " + std::to_string(expected), tensor.name);
      }
      expected = tensor.end;
    }
    if (expected != data_bytes) {
      refuse(errors::formats["safetensors-data-disagrees"],
             "the file holds bytes that belong to no tensor",
             std::to_string(data_bytes - expected) + " trailing bytes", "none");
    }
  }

  void read(const json& header, std::uint64_t data_bytes, SafetensorsFile& file) const {
    if (!header.is_object())
      refuse(errors::formats["safetensors-header-invalid"], "the header is not a JSON object",
             shown(header));
    for (const auto& [key, entry] : header.items()) {
      if (key == "__metadata__") {
        file.metadata_ = metadata(entry);
      } else {
        file.tensors_.push_back(tensor(key, entry, data_bytes));
      }
    }
    std::sort(file.tensors_.begin(), file.tensors_.end(), [](const auto& a, const auto& b) {
      return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
    });
    require_contiguous(file.tensors_, data_bytes);
  }

  void open(SafetensorsFile& file) const {
    const int raw = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (raw < 0)
      refuse(errors::formats["file-not-readable"], std::strerror(errno), "",
             "a readable safetensors file");
    file.descriptor_ = {new int(raw), [](const int* descriptor) {
                          ::close(*descriptor);
                          delete descriptor;
                        }};
    struct stat status {};
    if (::fstat(raw, &status) != 0 || !S_ISREG(status.st_mode)) {
      refuse(errors::formats["file-not-readable"], "not a regular file", "", "a safetensors file");
    }
    const auto size = static_cast<std::uint64_t>(status.st_size);
    std::array<unsigned char, 8> prefix{};
    if (size < prefix.size() || !read_exactly(raw, 0, prefix.data(), prefix.size())) {
      refuse(errors::formats["safetensors-header-invalid"], "too short for a safetensors file",
             std::to_string(size) + " bytes", "8 or more");
    }
    std::uint64_t length = 0;
    for (std::size_t i = 0; i < prefix.size(); ++i) length |= std::uint64_t{prefix[i]} << (8 * i);
    const std::uint64_t most = std::min(size - 8, max_header_bytes);
    if (length < 2 || length > most) {
      refuse(errors::formats["safetensors-header-invalid"],
             "the header's length does not fit the file", std::to_string(length),
             "2 to " + std::to_string(most) + " bytes");
    }
    std::string header(static_cast<std::size_t>(length), '\0');
    if (!read_exactly(raw, 8, header.data(), length))
      refuse(errors::formats["file-not-readable"], "the header cannot be read");
    file.data_begin_ = 8 + length;
    read(parse(header), size - file.data_begin_, file);
  }
};

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path) {
  SafetensorsFile file;
  file.path_ = path.string();
  HeaderReader{file.path_}.open(file);
  return file;
}

const TensorInfo* SafetensorsFile::find(std::string_view name) const {
  const auto found = std::find_if(tensors_.begin(), tensors_.end(),
                                  [&](const TensorInfo& tensor) { return tensor.name == name; });
  return found == tensors_.end() ? nullptr : &*found;
}

std::vector<std::byte> SafetensorsFile::read(const TensorInfo& tensor) const {
  std::vector<std::byte> bytes(static_cast<std::size_t>(tensor.end - tensor.begin));
  if (!read_exactly(*descriptor_, data_begin_ + tensor.begin, bytes.data(), bytes.size())) {
    HeaderReader{path_}.refuse(errors::formats["file-not-readable"],
                               "tensor '" + tensor.name + "' can no longer be read", "", "",
                               tensor.name);
  }
  return bytes;
}

}  // namespace tilewright::formats
