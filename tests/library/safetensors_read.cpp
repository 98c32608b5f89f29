// The safetensors reader against files that lie: one lie each, one refusal each, naming the
// culprit.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <random>
#include <tilewright/error.hpp>

#include "formats/safetensors.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace tilewright;
using formats::SafetensorsFile;
using test::TemporaryFolder;

std::string length_prefix(std::uint64_t length) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(length >> (8 * i));
  return bytes;
}

std::string file_of(const std::string& header, std::size_t data_bytes) {
  return length_prefix(header.size()) + header + std::string(data_bytes, 'x');
}

std::string one(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"a":{"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets +
         "}}";
}

/// The refusal of these bytes, or a failed test.
struct Refusal {
  std::string argument, message, id;
};
Refusal refusal_of(const std::string& bytes) {
  const TemporaryFolder folder;
  const auto path = folder / "lie.safetensors";
  test::write_text(path, bytes);
  try {
    SafetensorsFile::open(path);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::invalid_file);
    return {error.argument(), error.what(), error.id()};
  }
  FAIL("the file was accepted");
  return {};
}

void require_refused(const std::string& bytes, const std::string& argument,
                     const std::string& words, const std::string& id = {}) {
  const Refusal refusal = refusal_of(bytes);
  INFO(refusal.message);
  if (!argument.empty()) CHECK(refusal.argument == argument);
  CHECK(refusal.message.find(words) != std::string::npos);
  if (!id.empty()) CHECK(refusal.id == id);
}

const char* const good_header =
    R"({"__metadata__":{"origin":"here"},"b":{"dtype":"BF16","shape":[2,3],"data_offsets":[4,16]},)"
    R"("a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})";

}  // namespace

TEST_CASE("a good file is read in the order of its data") {
  const TemporaryFolder folder;
  const auto path = folder / "good.safetensors";
  test::write_text(path, length_prefix(std::string(good_header).size()) + good_header +
                             std::string("0123456789abcdef"));
  const SafetensorsFile file = SafetensorsFile::open(path);
  REQUIRE(file.tensors().size() == 2);
  CHECK(file.tensors()[0].name == "a");
  CHECK(file.tensors()[0].shape.empty());
  CHECK(file.metadata().at("origin") == "here");
  CHECK(file.find("c") == nullptr);
  const auto* b = file.find("b");
  REQUIRE(b != nullptr);
  CHECK(b->type == formats::ElementType::bf16);
  CHECK(b->shape == std::vector<std::int64_t>{2, 3});
  const auto bytes = file.read(*b);
  CHECK(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()) == "456789abcdef");

  SUBCASE("one that shrinks after it was opened is noticed") {
    std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
    CHECK_THROWS_AS(file.read(*b), Error);
  }
}

TEST_CASE("files that are no safetensors files") {
  require_refused("", "", "too short", "safetensors-header-invalid");
  require_refused("1234567", "", "too short");
  require_refused(length_prefix(0), "", "header's length");
  require_refused(length_prefix(1000) + "{}", "", "header's length");
  require_refused(length_prefix(UINT64_MAX) + "{}", "", "header's length");
  require_refused(length_prefix(UINT64_MAX - 7) + "{}", "", "header's length");
  require_refused(file_of("[]", 0), "", "not a JSON object");
  require_refused(file_of("{\"a\":", 0), "", "not valid JSON", "safetensors-header-invalid");
  require_refused(file_of("{} {}", 0), "", "not valid JSON");
  require_refused(file_of("{\"\xff\":1}", 0), "", "not valid JSON");
  require_refused(file_of("{\"\\ud800\":1}", 0), "", "not valid JSON");
  require_refused(file_of(std::string(100000, '['), 0), "", "nested too deeply");
  require_refused(file_of("{\"a\":" + std::string(50, '['), 0), "", "nested too deeply");

  const TemporaryFolder folder;
  CHECK_THROWS_AS(SafetensorsFile::open(folder / "absent"), Error);
  CHECK_THROWS_AS(SafetensorsFile::open(folder / ""), Error);
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK_THROWS_AS(SafetensorsFile::open(folder / "pipe"), Error);
}

TEST_CASE("a truncated file, at every length") {
  const std::string whole = file_of(good_header, 16);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    refusal_of(whole.substr(0, length));
  }
  require_refused(whole.substr(0, whole.size() - 1), "b", "outside the file");
}

TEST_CASE("tensors that lie, by name") {
  require_refused(file_of(one("\"F32\"", "[2]", "[0,8]"), 9), "", "belong to no tensor");
  require_refused(file_of(one("\"F32\"", "[2]", "[0,8]"), 7), "a", "outside the file");
  require_refused(file_of(one("\"F32\"", "[2]", "[8,0]"), 8), "a", "outside the file");
  require_refused(file_of(one("\"F32\"", "[3]", "[0,8]"), 8), "a", "do not match its shape",
                  "safetensors-tensor-invalid");
  require_refused(file_of(one("\"F64\"", "[2]", "[0,8]"), 8), "a", "do not match its shape");
  require_refused(file_of(one("\"F32\"", "[1]", "[4,8]"), 8), "a", "follows a hole",
                  "safetensors-data-disagrees");
  require_refused(file_of(one("\"F33\"", "[2]", "[0,8]"), 8), "a", "unknown dtype");
  require_refused(file_of(one("7", "[2]", "[0,8]"), 8), "a", "unknown dtype");
  require_refused(file_of(one("\"F32\"", "2", "[0,8]"), 8), "a", "no usable shape");
  require_refused(file_of(one("\"F32\"", "[-2]", "[0,8]"), 8), "a", "bad extent");
  require_refused(file_of(one("\"F32\"", "[2.0]", "[0,8]"), 8), "a", "bad extent");
  require_refused(file_of(one("\"F32\"", "[1e400]", "[0,8]"), 8), "", "not valid JSON");
  require_refused(file_of(one("\"F32\"", "[2]", "[0]"), 8), "a", "bad data_offsets");
  require_refused(file_of(one("\"F32\"", "[2]", "[-8,0]"), 8), "a", "bad data_offsets");
  require_refused(file_of(one("\"F32\"", "[2]", "[0,18446744073709551616]"), 8), "a",
                  "bad data_offsets");
  require_refused(file_of(R"({"a":{"dtype":"F32","shape":[2]}})", 8), "a", "lacks");
  require_refused(file_of(R"({"a":3})", 8), "a", "lacks");
  require_refused(file_of(R"({"__metadata__":[1]})", 0), "__metadata__", "not an object");
  require_refused(file_of(R"({"__metadata__":{"x":1}})", 0), "__metadata__", "no text");
}

TEST_CASE("sizes that overflow do not wrap around to something that fits") {
  // 2^62 * 4 bytes is 2^64, which wraps to 0; so does the product of three extents.
  require_refused(file_of(one("\"F32\"", "[4611686018427387904]", "[0,0]"), 0), "a", "overflows");
  require_refused(file_of(one("\"F32\"", "[4294967296,4294967296,2]", "[0,0]"), 0), "a",
                  "overflows");
  require_refused(file_of(one("\"F32\"", "[18446744073709551615]", "[0,0]"), 0), "a", "bad extent");
}

TEST_CASE("names and places used twice") {
  require_refused(file_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                          R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
                          1),
                  "a", "twice");
  require_refused(
      file_of(R"({"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}})", 1), "dtype",
      "twice");
  require_refused(file_of(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                          R"("b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
                          3),
                  "b", "overlaps");
}

TEST_CASE("damaged at random, a file is read or refused, never worse") {
  std::mt19937 generator(7);
  const std::string whole = file_of(good_header, 16);
  const TemporaryFolder folder;
  const auto path = folder / "damaged";
  int refused = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = whole;
    for (int flips = 1 + round % 4; flips > 0; --flips) {
      bytes[generator() % bytes.size()] = static_cast<char>(generator());
    }
    test::write_text(path, bytes);
    try {
      const SafetensorsFile file = SafetensorsFile::open(path);
      for (const auto& tensor : file.tensors()) {
        CHECK(file.read(tensor).size() == tensor.end - tensor.begin);
      }
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::invalid_file);
      ++refused;
    }
  }
  CHECK(refused > 1000);
}
