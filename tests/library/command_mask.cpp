// `mask`: numbers, pictures, and what is refused; then the real variants against the definition.
#include <algorithm>

#include "command_harness.hpp"
#include "formats/file.hpp"
#include "temporary_folder.hpp"
#include "variants/table.hpp"

namespace {

using namespace tilewright;
using test::invoke;
using test::require_refused;

nlohmann::json real_mask(const std::string& line) {
  std::istringstream words("mask " + line + " --json");
  std::vector<std::string> arguments;
  for (std::string word; words >> word;) arguments.push_back(word);
  std::ostringstream out, err;
  CAPTURE(line);
  CHECK(command::command(arguments, library::variants(), out, err) == 0);
  CHECK(err.str().empty());
  return nlohmann::json::parse(out.str());
}

}  // namespace

TEST_CASE("mask gives the tile, the blocks, the ideal and the density") {
  const auto outcome = invoke("mask fake --causal --seqlen-q 12 --heads 2 --batch 3 --json");
  CHECK(outcome.status == 0);
  const auto object = outcome.json();
  CHECK(object.at("ok") == true);
  CHECK(object.at("variant") == "fake");
  CHECK(object.at("tile") == nlohmann::json{{"q", 4}, {"kv", 4}});
  CHECK(object.at("blocks") == nlohmann::json{{"skipped", 18}, {"full", 18}, {"cut", 18}});
  CHECK(object.at("ideal_visited") == 36);
  CHECK(object.at("ideal_full") == 18);
  CHECK(object.at("wrong") == 0);
  CHECK(object.at("density") == doctest::Approx(78. / 144));
}

TEST_CASE("mask shows text, in blocks or plain") {
  const std::string text = invoke("mask fake --causal --seqlen-q 12 --ascii").out;
  CHECK(text.starts_with("fake, causal bottom-right\n  12 rows x 12 keys, tiles of 4 x 4\n"));
  CHECK(text.find("  4 |####|x...|    |\n") != std::string::npos);
  CHECK(text.find("  visited  48, ideal 48\n") != std::string::npos);
  CHECK(text.find("  density  0.541667\n") != std::string::npos);
  CHECK(invoke("mask fake --causal --seqlen-q 12").out.find("│████│▓░░░│") != std::string::npos);
  const auto other = invoke("mask fake --seqlen-q 9 --head-index 7 --plant lse --tile-q 16");
  CHECK(other.out.starts_with("fake, plant lse, head 7\n  9 rows x 9 keys, tiles of 16 x 4\n"));
}

TEST_CASE("mask writes pictures, whole or not at all") {
  const test::TemporaryFolder folder;
  const std::string svg = (folder / "m.svg").string(), png = (folder / "m.png").string();
  const auto outcome = invoke("mask fake --seqlen-q 12 --causal --svg " + svg + " --png " + png);
  CHECK(outcome.status == 0);
  CHECK(outcome.out.find("wrote " + svg + "\n") != std::string::npos);
  CHECK(test::read_text(svg).starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
  CHECK(test::read_text(svg).find("visited 6 of 9 tiles, ideal 6") != std::string::npos);
  CHECK(test::read_text(png).starts_with("\x89PNG\r\n"));
  const std::string nowhere = (folder / "none/m.png").string();
  require_refused("mask fake --png " + nowhere, 1, "io", "output", nowhere, "file-not-written");
  require_refused("mask fake --svg " + (folder / "").string(), 1, "io", "output");
}

TEST_CASE("a tile that is skipped in spite of a visible pair is a failure") {
  const auto outcome = invoke("mask fake --plant skipped --causal --seqlen-q 12 --json");
  CHECK(outcome.status == 1);
  CHECK(outcome.json().at("ok") == false);
  CHECK(outcome.json().at("wrong") == 1);
  const std::string text =
      invoke("mask fake --plant skipped --causal --seqlen-q 12 --head-index 1 --ascii").out;
  CHECK(text.find("  0 |!   |    |    |\n") != std::string::npos);
  CHECK(text.find("1 blocks contradict the mask") != std::string::npos);
}

TEST_CASE("empty problems have empty masks") {
  for (const char* shape : {"--seqlen-q 0", "--seqlen-kv 0", "--batch 0", "--heads 0"}) {
    CAPTURE(shape);
    const auto object = invoke(std::string("mask fake --json ") + shape).json();
    CHECK(object.at("density") == 0);
    CHECK(object.at("ideal_visited") == 0);
    CHECK(invoke(std::string("mask fake ") + shape).out.find("no pairs") != std::string::npos);
  }
}

TEST_CASE("what mask cannot do is refused by name") {
  require_refused("mask fake --batch-index 1", 2, "invalid_argument", "--batch-index", "1",
                  "option-out-of-range");
  require_refused("mask fake --head-index 8", 2, "invalid_argument", "--head-index", "8",
                  "option-out-of-range");
  require_refused("mask fake --head-index x", 2, "invalid_argument", "--head-index", "x",
                  "option-not-a-number");
  require_refused("mask fake --arch sm_70", 2, "invalid_argument", "--arch", "sm_70",
                  "option-value-unknown");
  require_refused("mask fake --seqlen-q 100000", 2, "invalid_argument", "--seqlen-kv", "100000",
                  "mask-too-large");
  require_refused("mask fake --batch 100000 --heads 1000 --seqlen-q 1 --head-dim 1", 2,
                  "invalid_argument", "--seqlen-kv", "1", "mask-too-large");
  require_refused("mask fake --plant tiles", 2, "unsupported", "VARIANT", "fake", "mask-not-drawn");
  require_refused("mask nothing", 2, "invalid_argument", "VARIANT", "nothing", "variant-unknown");
  require_refused("mask", 2, "invalid_argument", "VARIANT");
  require_refused("mask fake --device cuda:0", 2, "invalid_argument", "--device");
}

TEST_CASE("the real variants visit what the definition says") {
  for (const char* mask : {"", " --causal", " --causal --causal-alignment top-left"})
    for (const char* shape : {"--seqlen-q 300 --seqlen-kv 300", "--seqlen-q 65 --seqlen-kv 257",
                              "--seqlen-q 257 --seqlen-kv 65", "--seqlen-q 1 --seqlen-kv 1000",
                              "--seqlen-q 1000 --seqlen-kv 1"})
      for (const char* tile : {"--tile-q 16 --tile-kv 16", "--tile-q 64 --tile-kv 32", ""}) {
        const std::string line = std::string(shape) + mask + " --batch 2 --heads 3 " + tile;
        CAPTURE(line);
        const auto flash = real_mask("flash " + line), standard = real_mask("standard " + line);
        const auto all = [](const nlohmann::json& object) {
          const auto& blocks = object.at("blocks");
          return blocks.at("skipped").get<std::int64_t>() + blocks.at("full").get<std::int64_t>() +
                 blocks.at("cut").get<std::int64_t>();
        };
        const auto tiles = [](std::int64_t length, const nlohmann::json& tile_size) {
          const auto size = tile_size.get<std::int64_t>();
          return (length + size - 1) / size;
        };
        const std::int64_t rows = std::stoll(std::string(shape).substr(11));
        const std::int64_t keys = std::stoll(line.substr(line.find("--seqlen-kv") + 11));
        CHECK(all(flash) == 6 * tiles(rows, flash["tile"]["q"]) * tiles(keys, flash["tile"]["kv"]));
        CHECK(flash["blocks"]["full"] == flash["ideal_full"]);
        CHECK(flash["blocks"]["full"].get<std::int64_t>() +
                  flash["blocks"]["cut"].get<std::int64_t>() ==
              flash["ideal_visited"]);
        CHECK(standard["blocks"]["skipped"] == 0);
        CHECK(standard["blocks"]["full"] == standard["ideal_full"]);
        CHECK(standard["density"] == flash["density"]);
      }
}

TEST_CASE("no variant skips a visible pair or calls a tile full that hides one") {
  for (const library::VariantEntry& entry : library::variants()) {
    std::vector<std::string> lines{entry.name};
    for (const std::string& one : entry.cases) lines.push_back(entry.name + " " + one);
    for (const std::string& line : lines) {
      const auto object = real_mask(line);
      CHECK(object.at("wrong") == 0);
      const auto& blocks = object.at("blocks");
      CHECK(blocks.at("full").get<std::int64_t>() + blocks.at("cut").get<std::int64_t>() >=
            object.at("ideal_visited").get<std::int64_t>());
    }
  }
}

TEST_CASE("rows and keys that a kernel regroups by residue are shown so, and counted as run does") {
  // Residues 0 … 3 of 50 by 61: 13, 13, 12, 12 rows and 16, 15, 15, 15 keys, a tile each.
  const auto object = real_mask(
      "strided --stride 4 --regroup on --seqlen-q 50 --seqlen-kv 61 --heads 3 --tile-q 16 "
      "--tile-kv 16");
  const auto& blocks = object.at("blocks");
  CHECK(blocks.at("full").get<int>() + blocks.at("cut").get<int>() == 3 * 4);
  CHECK(blocks.at("skipped").get<int>() == 3 * 4 * 4 - 3 * 4);  // what is left of the matrix
  CHECK(object.at("ideal_visited") == 3 * 4);
  std::int64_t visible = 0;
  for (std::int64_t q = 0; q < 50; ++q)
    for (std::int64_t k = 0; k < 61; ++k) visible += k <= q + 11 && (q + 11 - k) % 4 == 0;
  CHECK(object.at("density") == doctest::Approx(static_cast<double>(visible) / (50 * 61)));
  // More residues than rows: keys that no row sees stand at the end.
  CHECK(real_mask("strided --stride 50 --regroup on --seqlen-q 3 --seqlen-kv 200").at("wrong") ==
        0);
  std::ostringstream out, err;
  CHECK(command::command(
            {"mask", "strided", "--stride", "4", "--regroup", "on", "--seqlen-q", "50", "--ascii"},
            library::variants(), out, err) == 0);
  CHECK(out.str().find("rows and keys regrouped") != std::string::npos);
}
