// Errors of variants and of the command that no other test provokes: with the real variants, in
// process.
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <tilewright/library/acsr.hpp>
#include <tilewright/library/documents.hpp>

#include "command/catalogue.hpp"
#include "command/command.hpp"
#include "command/errors.hpp"
#include "formats/errors.hpp"
#include "formats/file.hpp"
#include "formats/safetensors.hpp"
#include "ir/schedule.hpp"
#include "library/temporary_folder.hpp"
#include "passes/errors.hpp"
#include "plan_errors.hpp"
#include "provoked.hpp"
#include "reference/compare.hpp"
#include "scores/errors.hpp"
#include "variants/errors.hpp"
#include "variants/table.hpp"

using namespace tilewright;
using namespace tilewright::test;
using tilewright::library::Request;

namespace {

/// Runs the command and requires an error of this id; returns the error object.
nlohmann::json refused(const ErrorEntry& entry, std::vector<std::string> arguments,
                       command::Terminals terminals = {}) {
  std::ostringstream out, err, spoken;
  std::istringstream in;
  arguments.push_back("--json");
  const int status = command::command(arguments, library::variants(), out, err, terminals, in);
  INFO(out.str());
  CHECK(status != 0);
  const auto error = nlohmann::json::parse(out.str()).at("error");
  CHECK(error.at("id") == entry.id);
  CHECK(error.at("kind") == name(entry.kind));
  return error;
}

Request request_of(DType dtype) {
  Request request;
  request.shape.dtype = dtype;
  return request;
}

}  // namespace

TEST_CASE("what a variant cannot be asked for") {
  const TemporaryFolder folder;
  const auto schedule = folder / "schedule";
  write_text(schedule, "dot_precision f32\n");
  for (const char* variant : {"flash", "standard"})
    provoked(errors::variants["variant-type-unsupported"], [&] {
      (void)library::find_variant(library::variants(), variant)
          .make()
          ->dump(request_of(i8), "sm_80", library::Stage::cuda);
    });
  refused(errors::variants["variant-schedule-unsupported"],
          {"dump", "standard", "--schedule", schedule.string()});
  CHECK(refused(errors::variants["schedule-precision-disagrees"],
                {"dump", "flash", "--dtype", "f32", "--dot-precision", "tf32", "--schedule",
                 schedule.string()})
            .at("argument") == "--dot-precision");
  CHECK(refused(errors::variants["memory-budget-exceeded"],
                {"run", "standard", "--memory-budget", "3"})
            .at("value") == "3");
  refused(errors::variants["variant-unknown"], {"run", "flesh"});
  refused(errors::variants["variant-unknown"], {"run", "alibi+standard"});
  refused(errors::variants["variant-parts-exclude"], {"run", "rope+varlen"});
  refused(errors::variants["variant-parts-exclude"], {"run", "rope+sinusoidal"});
  refused(errors::variants["variant-parts-exclude"], {"run", "rope+csr"});
  refused(errors::variants["variant-parts-exclude"], {"run", "random+csr"});
  CHECK(refused(errors::variants["variant-parts-exclude"], {"run", "longformer+rope"})
            .at("allowed") == "--global-projections shared");
  refused(errors::variants["variant-parts-exclude"], {"run", "block_sparse+bigbird"});
  refused(errors::variants["variant-parts-exclude"],
          {"run", "varlen", "--causal", "--causal-alignment", "top-left"});
  refused(errors::variants["variant-table-too-large"],
          {"run", "block_sparse", "--seqlen-q", "1000000", "--block-size", "16"});
  refused(errors::variants["variant-table-too-large"],
          {"run", "varlen", "--seqlens", "1073741824,1073741824"});
  refused(errors::variants["variant-parts-exclude"], {"run", "block_sparse+rope"});
  refused(errors::variants["variant-twice"], {"run", "alibi+softcap+alibi"});
  CHECK(refused(errors::variants["variant-option-disagrees"],
                {"run", "prefix_lm", "--batch", "3", "--prefix", "1,2"})
            .at("argument") == "--prefix");
  CHECK(refused(errors::command["option-disagrees-with-variant"],
                {"run", "varlen", "--seqlens", "5,7", "--seqlen-q", "13"})
            .at("allowed") == "12");
}

TEST_CASE("bounds of packed sequences that bound nothing") {
  using Bounds = std::vector<std::int32_t>;
  const Bounds good{0, 3, 3, 10};
  for (const Bounds& wrong : {Bounds{}, Bounds{1, 4}, Bounds{0, 3, 2, 10}, Bounds{0, 10}})
    for (const bool rows : {true, false}) {
      const Error error = provoked(errors::scores["document-bounds-wrong"], [&] {
        (void)document_tables(rows ? wrong : good, rows ? good : wrong);
      });
      if (wrong.size() != 2 || wrong[0] != 0)
        CHECK(error.argument() == (rows ? "cu_seqlens_q" : "cu_seqlens_k"));
    }
  CHECK(document_tables(good, good).start == Bounds{0, 0, 0, 3, 3, 3, 3, 3, 3, 3});
}

TEST_CASE("rows that are no arithmetic sequences") {
  const auto wrong = [](auto&&... arguments) {
    return std::string(
        provoked(errors::scores["acsr-row-wrong"], [&] { (void)Acsr(arguments...); }).argument());
  };
  using Numbers = std::vector<std::int32_t>;
  CHECK(wrong(4, 0, Numbers{0}, Numbers{1}) == "step");
  CHECK(wrong(-1, 1, Numbers{0}, Numbers{1}) == "keys");
  CHECK(wrong(4, 1, Numbers{0}, Numbers{1, 2}) == "count");
  CHECK(wrong(4, 1, Numbers{-1}, Numbers{1}) == "start");
  CHECK(wrong(4, 1, Numbers{0}, Numbers{-1}) == "count");
  CHECK(wrong(4, 2, Numbers{1}, Numbers{3}) == "count");
  provoked(errors::scores["acsr-row-wrong"], [] { (void)Acsr::windowed(3, 3, -1, true); });
  provoked(errors::scores["acsr-row-wrong"], [] { (void)Acsr::blocked(3, 3, 0); });
  provoked(errors::scores["acsr-row-wrong"], [] { (void)Acsr::strided(3, 3, 0); });
  for (const Acsr& one : {Acsr::windowed(10, 12, 3, false), Acsr::windowed(12, 10, 3, true),
                          Acsr::blocked(11, 11, 4), Acsr::strided(9, 14, 4)})
    CHECK(Acsr::from_dense(one.rows(), one.keys(), one.dense()).dense() == one.dense());
  using Rows = std::vector<std::vector<AcsrSegment>>;
  CHECK(wrong(9, Rows{{}, {{0, 1, 1}, {1, 1, 1}, {2, 1, 1}, {3, 1, 1}, {4, 1, 1}}}) == "segments");
  CHECK(wrong(9, Rows{{{0, 2, 3}, {1, 3, 2}}}) == "segments");
  const Error twice = provoked(errors::scores["acsr-row-wrong"], [] {
    (void)Acsr(99, Rows{{}, {{8, 7, 6}, {10, 11, 4}}});
  });
  CHECK(twice.value() == "key 43 twice at row 1");
  CHECK(wrong(9, Rows{{{0, 1, 1}, {3, 0, 1}}}) == "step");
  CHECK(wrong(9, Rows{{{0, 1, 1}, {3, 2, 4}}}) == "count");
  // No three of these nine keys are equally far apart: two to a segment.
  std::vector<std::uint8_t> sparse(2 * 28);
  for (const int key : {0, 1, 3, 4, 9, 10, 12, 13, 27})
    sparse[static_cast<std::size_t>(28 + key)] = 1;
  const Error many =
      provoked(errors::scores["acsr-row-wrong"], [&] { (void)Acsr::from_dense(2, 28, sparse); });
  CHECK(many.argument() == "visible");
  CHECK(many.value() == "row 1");
  provoked(errors::scores["acsr-row-wrong"], [&] { (void)Acsr::from_dense(3, 28, sparse); });
  provoked(errors::scores["acsr-row-wrong"], [] { (void)Acsr::dilated(3, 3, 1, 0); });
  provoked(errors::scores["acsr-row-wrong"], [] { (void)Acsr::longformer(3, 3, 1, -1); });
  const std::vector<std::uint8_t> good{0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0};
  CHECK(Acsr::from_dense(3, 4, good).dense() == good);
}

TEST_CASE("a result of the wrong size is no result") {
  library::AttentionShape shape;
  library::RunResult result;
  result.out.resize(1);
  provoked(errors::variants["result-size-wrong"],
           [&] { (void)library::compare(shape, result, {}, {}); });
}

TEST_CASE("options that exclude each other, and files") {
  refused(errors::command["options-exclude-each-other"],
          {"warmup", "-", "--arch", "sm_80", "--device", "emulator:sm_80"});
  refused(errors::command["option-misused"], {"doctor", "tile-invalid"});
  refused(errors::command["cubin-to-terminal"], {"dump", "flash", "--stage", "cubin"}, {true});
  refused(errors::plan["warmup-memory-too-small"], {"warmup", "-", "--memory", "1M"});
  refused(errors::command["option-not-a-number"], {"warmup", "-", "--memory", "much"});
  const TemporaryFolder folder;
  const std::vector<std::byte> bytes(2 * 4 * 4);
  const auto tensor = [&](const char* name) {
    return formats::TensorData{name, formats::ElementType::bf16, {1, 1, 4, 4}, bytes};
  };
  const std::array tensors{tensor("q"), tensor("k"), tensor("v")};
  const auto path = (folder / "in").string();
  formats::write_safetensors(path, tensors);
  refused(errors::command["option-disagrees-with-input"],
          {"run", "flash", "--input", path, "--seqlen-q", "5"});
  provoked(errors::formats["file-too-long"],
           [&] { (void)formats::read_text(path, "--schedule", 4); });
}

TEST_CASE("the catalogue is printed, whole and by id") {
  std::ostringstream out, err;
  CHECK(command::command({"doctor", "--errors"}, library::variants(), out, err) == 0);
  std::istringstream lines(out.str());
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    CHECK(line.size() <= 100);
  }
  std::ostringstream object;
  CHECK(command::command({"doctor", "--errors", "--json"}, library::variants(), object, err) == 0);
  const auto listed = nlohmann::json::parse(object.str()).at("errors");
  const auto entries = command::catalogue();
  REQUIRE(listed.size() == entries.size());
  std::set<std::string> ids;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const ErrorEntry& entry = *entries[i];
    CAPTURE(std::string(entry.id));
    CHECK(ids.insert(entry.id).second);
    CHECK(out.str().find("\n  " + std::string(entry.id) + "\n") != std::string::npos);
    CHECK(listed[i] == nlohmann::json{{"id", entry.id},
                                      {"kind", name(entry.kind)},
                                      {"cause", entry.cause},
                                      {"remedy", entry.remedy}});
    CHECK(std::string(entry.cause).back() == '.');
    CHECK(std::string(entry.remedy).back() == '.');
  }
  std::ostringstream one;
  CHECK(command::command({"doctor", "--errors", "tensor-null"}, library::variants(), one, err) ==
        0);
  CHECK(one.str().find("tensor-null") != std::string::npos);
  CHECK(one.str().find("tensor-misaligned") == std::string::npos);
  const auto unknown = refused(errors::command["error-unknown"], {"doctor", "--errors", "tile-in"});
  CHECK(unknown.at("allowed").get<std::string>().find("tile-invalid") != std::string::npos);
}

TEST_CASE("a sentence that does not say what to do is followed by the remedy") {
  std::ostringstream out, err;
  CHECK(command::command({"dump", "flash", "--schedule", "/"}, library::variants(), out, err) == 2);
  CHECK(err.str().find("\n  ") == std::string::npos);  // it says what is allowed
}
