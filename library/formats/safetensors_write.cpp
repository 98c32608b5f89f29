// The writer of safetensors.hpp: orders the tensors, states the header, hands both to write_file.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <tilewright/error.hpp>

#include "formats/errors.hpp"
#include "formats/file.hpp"
#include "formats/safetensors.hpp"

namespace tilewright::formats {
namespace {

void require_consistent(const TensorData& tensor) {
  std::uint64_t bytes = size_of(tensor.type);
  bool fits = true;
  for (const std::int64_t extent : tensor.shape) {
    fits = fits && extent >= 0 &&
           !__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(extent), &bytes);
  }
  if (!fits || bytes != tensor.bytes.size()) {
    throw Error(errors::formats["tensor-bytes-disagree"],
                "tensor '" + tensor.name + "': its data does not match its shape",
                {tensor.name, std::to_string(tensor.bytes.size()) + " bytes",
                 std::to_string(bytes) + " bytes", ""});
  }
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, std::span<const TensorData> tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::vector<const TensorData*> order;
  std::set<std::string> names{"__metadata__"};
  for (const TensorData& tensor : tensors) {
    require_consistent(tensor);
    if (!names.insert(tensor.name).second) {
      throw Error(errors::formats["tensor-name-taken"], "a tensor's name is taken",
                  {tensor.name, tensor.name, "each name once, and not __metadata__", ""});
    }
    order.push_back(&tensor);
  }
  std::stable_sort(order.begin(), order.end(), [](const TensorData* a, const TensorData* b) {
    return size_of(a->type) > size_of(b->type);
  });

  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t offset = 0;
  for (const TensorData* tensor : order) {
    const std::uint64_t end = offset + tensor->bytes.size();
    header[tensor->name] = {
        {"dtype", name(tensor->type)}, {"shape", tensor->shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const nlohmann::json::exception&) {
    throw Error(errors::formats["text-not-utf8"], "a tensor's name or metadata is not UTF-8",
                {"name", "", "UTF-8", ""});
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the data then starts at a multiple of 8

  std::array<std::byte, 8> prefix{};
  for (std::size_t i = 0; i < prefix.size(); ++i) prefix[i] = std::byte(text.size() >> (8 * i));
  std::vector<std::span<const std::byte>> parts{prefix, bytes_of(text)};
  for (const TensorData* tensor : order) parts.push_back(tensor->bytes);
  write_file(path, parts);
}

}  // namespace tilewright::formats
