// Writing: what was written is read back, and a failure leaves the old file and no rest of the new.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <sstream>
#include <tilewright/error.hpp>

#include "formats/file.hpp"
#include "formats/safetensors.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace tilewright;
using namespace tilewright::formats;
using test::TemporaryFolder;

/// The id of the Error that `action` throws; empty if it throws none.
std::string id_of_failure(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.id();
  }
  return "";
}

}  // namespace

TEST_CASE("what was written is read back, wider types first") {
  const TemporaryFolder folder;
  const auto path = folder / "x.safetensors";
  const std::array<std::uint16_t, 3> out{1, 2, 3};
  const std::array<float, 2> lse{1.5f, -2.f};
  const std::array tensors{
      TensorData{"out", ElementType::bf16, {3, 1}, std::as_bytes(std::span(out))},
      TensorData{"lse", ElementType::f32, {2}, std::as_bytes(std::span(lse))},
      TensorData{"empty", ElementType::f64, {0, 4}, {}}};
  write_safetensors(path, tensors, {{"note", "quote \" and \xc3\xa9"}});
  const SafetensorsFile file = SafetensorsFile::open(path);
  REQUIRE(file.tensors().size() == 3);
  CHECK(file.tensors()[0].name == "empty");
  CHECK(file.find("lse")->begin == 0);
  CHECK(file.find("out")->begin == 8);
  CHECK(file.find("out")->shape == std::vector<std::int64_t>{3, 1});
  CHECK(file.metadata().at("note") == "quote \" and \xc3\xa9");
  const auto bytes = file.read(*file.find("lse"));
  CHECK(std::equal(bytes.begin(), bytes.end(), tensors[1].bytes.begin(), tensors[1].bytes.end()));
  CHECK(static_cast<unsigned char>(test::read_text(path)[0]) % 8 == 0);  // the data is aligned
}

TEST_CASE("tensors that contradict themselves are refused") {
  const TemporaryFolder folder;
  const auto path = folder / "x";
  const std::array<std::byte, 4> bytes{};
  const auto write = [&](std::vector<TensorData> tensors) {
    return id_of_failure([&] { write_safetensors(path, tensors); });
  };
  CHECK(write({{"a", ElementType::f32, {2}, bytes}}) == "tensor-bytes-disagree");
  CHECK(write({{"a", ElementType::f32, {-1}, bytes}}) == "tensor-bytes-disagree");
  CHECK(write({{"a", ElementType::f32, {1}, bytes}, {"a", ElementType::f32, {1}, bytes}}) ==
        "tensor-name-taken");
  CHECK(write({{"__metadata__", ElementType::f32, {1}, bytes}}) == "tensor-name-taken");
  CHECK(write({{"\xff", ElementType::f32, {1}, bytes}}) == "text-not-utf8");
  CHECK(folder.files() == 0);
}

TEST_CASE("a file is replaced whole, through a link, and devices are left in place") {
  const TemporaryFolder folder;
  test::write_text(folder / "real", "old");
  std::filesystem::create_symlink(folder / "real", folder / "link");
  write_file(folder / "link", "new");
  CHECK(test::read_text(folder / "real") == "new");
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(folder.files() == 2);
  write_file("/dev/null", "gone");
  CHECK(std::filesystem::is_character_file("/dev/null"));
}

TEST_CASE("paths that cannot be written are refused at once and by name") {
  const TemporaryFolder folder;
  for (const std::string& path :
       {(folder / "no/such/folder").string(), (folder / "").string(), std::string()}) {
    CHECK(id_of_failure([&] { require_writable_target(path); }) == "file-not-written");
    CHECK(id_of_failure([&] { write_file(path, "x"); }) == "file-not-written");
  }
  if (std::filesystem::exists("/dev/full")) {
    CHECK(id_of_failure([] { write_file("/dev/full", "x"); }) == "file-not-written");
  }
  CHECK(folder.files() == 0);
}

TEST_CASE("a disk that fills up leaves the old file and nothing else") {
  const TemporaryFolder folder;
  const auto path = folder / "x";
  test::write_text(path, "old");
  struct rlimit before {};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit small = before;
  small.rlim_cur = 1000;  // a file may not grow past this: the write fails as on a full disk
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const auto id = id_of_failure([&] { write_file(path, std::string(5000, 'x')); });
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  CHECK(id == "file-not-written");
  CHECK(test::read_text(path) == "old");
  CHECK(folder.files() == 1);
}

TEST_CASE("text files are read up to a limit") {
  const TemporaryFolder folder;
  test::write_text(folder / "t", "12345");
  CHECK(read_text(folder / "t", "--schedule", 5) == "12345");
  CHECK(id_of_failure([&] { read_text(folder / "t", "--schedule", 4); }) == "file-too-long");
  CHECK(id_of_failure([&] { read_text(folder / "absent", "--schedule", 4); }) ==
        "file-not-readable");
  // Size 0 for who asks, and yet there is something to read.
  CHECK(id_of_failure([&] { read_text("/proc/self/maps", "--schedule", 4); }) == "file-too-long");
  std::istringstream endless(std::string(1 << 20, 'x'));
  CHECK(read_text(endless, 10).size() < 5000);
  std::istringstream brief("12");
  CHECK(read_text(brief, 10) == "12");
}
