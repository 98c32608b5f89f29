// See targets.hpp. The reader takes a path; an anonymous file in memory has one.
#include <sys/mman.h>
#include <unistd.h>

#include <optional>
#include <tilewright/error.hpp>

#include "command/tensors.hpp"
#include "formats/safetensors.hpp"
#include "targets.hpp"

namespace tilewright::fuzz {
namespace {

class MemoryFile {
 public:
  explicit MemoryFile(std::string_view content) : descriptor_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    require(descriptor_ >= 0, "a file in memory can be made");
    while (!content.empty()) {
      const ssize_t count = ::write(descriptor_, content.data(), content.size());
      require(count > 0, "a file in memory can be written");
      content.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

std::string header_length(std::size_t bytes) {
  std::string text;
  for (int i = 0; i < 8; ++i) text += static_cast<char>((bytes >> (8 * i)) & 0xff);
  return text;
}

void read(const std::string& path) {
  try {
    const auto file = formats::SafetensorsFile::open(path);
    for (const formats::TensorInfo& tensor : file.tensors()) {
      std::uint64_t bytes = formats::size_of(tensor.type);
      for (const std::int64_t extent : tensor.shape) bytes *= static_cast<std::uint64_t>(extent);
      require(file.read(tensor).size() == bytes, "a tensor has the bytes of its shape");
      require(file.find(tensor.name) == &tensor, "a tensor is found by its name");
    }
  } catch (const Error&) {}
}

void read_request(const std::string& path, library::Layout layout) {
  try {
    const command::InputFile file(path, layout);
    const library::AttentionShape shape = command::shape_of({}, file.shape());
    const auto tensors = file.read();
    const auto width = static_cast<std::size_t>(size_of(shape.dtype));
    require(tensors.q.size() == static_cast<std::size_t>(shape.q_elements()) * width &&
                tensors.k.size() == static_cast<std::size_t>(shape.k_elements()) * width &&
                tensors.v.size() == static_cast<std::size_t>(shape.v_elements()) * width,
            "q, k and v have the bytes of the request's shape");
  } catch (const Error&) {}
}

}  // namespace

void safetensors(std::string_view input) {
  // A first byte '{' stands for a file without its length, which is then made right: a fuzzer that
  // must guess it gets no further.
  const bool whole = input.empty() || input.front() != '{';
  const std::size_t end = input.find('\n');
  const std::size_t header = end == std::string_view::npos ? input.size() : end;
  const MemoryFile file(whole ? std::string(input) : header_length(header) + std::string(input));
  read(file.path());
  for (const auto layout : {library::Layout::bhsd, library::Layout::bshd})
    read_request(file.path(), layout);
}

}  // namespace tilewright::fuzz
