// `--mask FILE`: graphs of tokens and matrices of blocks from safetensors files, in each form and
// type they may have; what is no such file is refused by name.
#include <doctest/doctest.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <sstream>

#include "command/command.hpp"
#include "formats/safetensors.hpp"
#include "library/temporary_folder.hpp"
#include "variants/errors.hpp"
#include "variants/table.hpp"

using namespace tilewright;
using namespace tilewright::test;
using formats::ElementType;

namespace {

struct Tensor {
  std::string name;
  ElementType type;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> numbers;
};

/// The file's path.
std::string written(const TemporaryFolder& folder, const std::vector<Tensor>& tensors) {
  const auto path = folder / ("mask-" + std::to_string(folder.files()));
  std::vector<std::vector<std::byte>> bytes;
  std::vector<formats::TensorData> data;
  for (const Tensor& one : tensors) {
    std::vector<std::byte>& into = bytes.emplace_back();
    for (const std::int64_t number : one.numbers) {  // little endian: the low bytes come first
      const auto* from = reinterpret_cast<const std::byte*>(&number);
      into.insert(into.end(), from, from + formats::size_of(one.type));
    }
  }
  for (std::size_t i = 0; i < tensors.size(); ++i)
    data.push_back({tensors[i].name, tensors[i].type, tensors[i].shape, bytes[i]});
  formats::write_safetensors(path, data);
  return path.string();
}

nlohmann::json run(const std::string& line) {
  std::istringstream stream("run " + line + " --check --json --device emulator:sm_80");
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  std::ostringstream out, err;
  (void)command::command(words, library::variants(), out, err);
  return nlohmann::json::parse(out.str());
}

void refuses(const char* id, const char* argument, const std::string& line) {
  CAPTURE(line);
  const auto report = run(line);
  REQUIRE(report.contains("error"));
  CHECK(report.at("error").at("id") == id);
  CHECK(report.at("error").at("argument") == argument);
}

const std::string of_four = " --seqlen-q 4 --seqlen-kv 100 --heads 2 --tile-q 16 --tile-kv 32";

}  // namespace

TEST_CASE("a graph for all heads, and one for each") {
  const TemporaryFolder folder;
  const Tensor keys{"indices", ElementType::i64, {7}, {3, 99, 0, 50, 51, 52, 53}};
  for (const auto& shape : {std::vector<std::int64_t>{5}, {1, 5}}) {
    const auto report = run(
        "csr --mask " +
        written(folder, {{"indptr", ElementType::i32, shape, {0, 2, 2, 3, 7}}, keys}) + of_four);
    CHECK(report.at("ok") == true);
    CHECK(report.at("blocks") == nlohmann::json{{"skipped", 6}, {"full", 0}, {"cut", 2}});
  }
  std::vector<std::int64_t> every(40);  // 40 keys of one head, none of the other
  for (std::size_t i = 0; i < every.size(); ++i) every[i] = static_cast<std::int64_t>(i);
  const auto report =
      run("csr --causal --causal-alignment bottom-right --mask " +
          written(folder, {{"indptr", ElementType::u16, {2, 5}, {0, 40, 40, 40, 40, 0, 0, 0, 0, 0}},
                           {"indices", ElementType::u8, {40}, every}}) +
          of_four);
  CHECK(report.at("ok") == true);
  CHECK(report.at("blocks") == nlohmann::json{{"skipped", 6}, {"full", 0}, {"cut", 2}});
}

TEST_CASE("blocks as a matrix and as indices, for all heads and for each") {
  const TemporaryFolder folder;
  const std::string line =
      " --block-size 32 --seqlen-q 64 --seqlen-kv 96 --heads 2 --tile-q 32 "
      "--tile-kv 32";
  const auto blocks = [&](const std::vector<Tensor>& tensors) {
    const auto report = run("block_sparse --mask " + written(folder, tensors) + line);
    CHECK(report.at("ok") == true);
    return report.at("blocks");
  };
  const nlohmann::json shared{{"skipped", 6}, {"full", 6}, {"cut", 0}};
  CHECK(blocks({{"blocks", ElementType::boolean, {2, 3}, {1, 0, 1, 0, 1, 0}}}) == shared);
  CHECK(blocks({{"indptr", ElementType::i32, {3}, {0, 2, 3}},
                {"indices", ElementType::i32, {3}, {2, 0, 1}}}) == shared);
  const nlohmann::json own{{"skipped", 8}, {"full", 4}, {"cut", 0}};
  CHECK(blocks({{"blocks", ElementType::u8, {2, 2, 3}, {1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1}}}) ==
        own);
  CHECK(blocks({{"indptr", ElementType::i64, {2, 3}, {0, 2, 3, 3, 3, 4}},
                {"indices", ElementType::u64, {4}, {0, 2, 1, 2}}}) == own);
}

TEST_CASE("a file that holds no mask for the request is refused by name") {
  const TemporaryFolder folder;
  const auto csr = [&](const std::vector<Tensor>& tensors) {
    return "csr --mask " + written(folder, tensors) + of_four;
  };
  const auto i32 = ElementType::i32;
  const Tensor indptr{"indptr", i32, {5}, {0, 1, 1, 1, 2}}, indices{"indices", i32, {2}, {0, 1}};
  CHECK(run(csr({indptr, indices})).at("ok") == true);
  refuses("mask-tensor-missing", "indices", csr({indptr}));
  refuses("mask-tensor-missing", "indptr", csr({indices}));
  refuses("mask-tensor-type", "indices", csr({indptr, {"indices", ElementType::f32, {2}, {0, 1}}}));
  refuses("mask-tensor-disagrees", "indices", csr({indptr, {"indices", i32, {1, 2}, {0, 1}}}));
  refuses("mask-tensor-disagrees", "indptr", csr({{"indptr", i32, {4}, {0, 1, 1, 2}}, indices}));
  refuses("mask-tensor-disagrees", "indptr",
          csr({{"indptr", i32, {3, 5}, std::vector<std::int64_t>(15)}, indices}));
  refuses("mask-number-too-large", "indices",
          csr({indptr, {"indices", ElementType::i64, {2}, {0, std::int64_t{1} << 40}}}));
  refuses("block-index-out-of-range", "indices", csr({indptr, {"indices", i32, {2}, {0, 100}}}));
  refuses("block-index-out-of-range", "indices",
          csr({indptr, {"indices", i32, {2}, {0, -1}}}) + " --causal");
  refuses("block-list-descends", "indptr", csr({{"indptr", i32, {5}, {0, 2, 1, 2, 2}}, indices}));
  refuses("block-list-descends", "indptr",
          csr({{"indptr", i32, {5}, {0, 2, 2, 2, 3}}, indices}) + " --causal");
  refuses("block-index-twice", "indices",
          csr({{"indptr", i32, {5}, {0, 2, 2, 2, 2}}, {"indices", i32, {2}, {7, 7}}}));
  refuses("mask-tensor-disagrees", "blocks",
          "block_sparse --seqlen-q 64 --mask " +
              written(folder, {{"blocks", i32, {2, 8}, std::vector<std::int64_t>(16)}}));
  const std::string nowhere = (folder / "none").string();
  refuses("file-not-readable", nowhere.c_str(), "csr --mask " + nowhere);
}
