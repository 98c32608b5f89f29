// Every variant of the table, as `tilewright run NAME --check --json` gives it, over awkward sizes:
// right, without a fault, and with as many blocks skipped, full and cut as its plain formula has,
// tile by tile and pair by pair.
//
//   variants_sweep SHARE SHARES [NAME]      one share of the runs, or of one variant's
#include <array>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "command/command.hpp"
#include "command/command_line.hpp"
#include "command/shape_options.hpp"
#include "variants/table.hpp"

using namespace tilewright;
using namespace tilewright::library;

namespace {

/// One run: what is asked of it, in the command's words.
struct Case {
  std::string variant, line;
};

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

/// `option value` unless the line has the option already.
void add(std::string& line, const std::string& option, const std::string& value) {
  if ((line + " ").find(option + " ") == std::string::npos) line += " " + option + " " + value;
}

std::vector<Case> cases_of(const VariantEntry& entry) {
  static constexpr const char* dims[] = {"64", "128", "40", "80"};
  struct Size {
    const char *rows, *keys, *heads;
  };
  static constexpr Size sizes[] = {{"257", "257", "3"}, {"1", "1", "2"},     {"63", "64", "2"},
                                   {"65", "1000", "2"}, {"1000", "65", "2"}, {"64", "64", "12"},
                                   {"65", "63", "71"}};
  std::vector<Case> cases;
  std::vector<std::string> options{""};
  options.insert(options.end(), entry.cases.begin(), entry.cases.end());
  for (std::size_t i = 0; i < options.size(); ++i)
    for (std::size_t j = 0; j < std::size(sizes); ++j) {
      // The first options at every dimension and type, the others each at one of them.
      const std::size_t form = i == 0 ? j : i;
      std::string line = options[i];
      if (!entry.shape) {
        add(line, "--seqlen-q", sizes[j].rows);
        add(line, "--seqlen-kv", sizes[j].keys);
      }
      if (entry.shape && j > 3 && i > 0) continue;  // lengths are its own: fewer differ
      add(line, "--heads", sizes[j].heads);
      if (sizes[j].heads == std::string("71")) add(line, "--kv-heads", "1");
      add(line, "--head-dim", dims[form % 4]);
      add(line, "--dtype", form % 2 == 0 ? "bf16" : "f16");
      if (form % 3 != 0) line += " --tile-q 64 --tile-kv 64";
      cases.push_back({entry.name, line});
    }
  return cases;
}

/// The same for rows and keys regrouped by residue: those of one residue, `stride` apart
/// (`row_stride`), are neighbours. Tiles that are skipped are not counted: which keys meet which
/// rows is up to the order.
BlockCounts ideal_regrouped(const Formula& formula, const AttentionShape& s,
                            std::int64_t row_stride, std::int64_t stride, std::int64_t tile_q,
                            std::int64_t tile_kv) {
  BlockCounts counts;
  for (std::int64_t b = 0; b < s.batch; ++b)
    for (std::int64_t h = 0; h < s.heads; ++h) {
      // Of a tile of rows of one residue, and a tile of keys of one: pairs visible, and all.
      std::map<std::array<std::int64_t, 4>, std::int64_t> seen;
      for (std::int64_t q = 0; q < s.seqlen_q; ++q) {
        std::vector<std::uint8_t> visible(static_cast<std::size_t>(s.seqlen_kv), 1);
        formula.visible(b, h, q, visible);
        for (std::int64_t k = 0; k < s.seqlen_kv; ++k)
          if (visible[static_cast<std::size_t>(k)] != 0)
            ++seen[{q % row_stride, q / row_stride / tile_q, k % stride, k / stride / tile_kv}];
      }
      const auto part = [&](std::int64_t length, std::int64_t residue, std::int64_t by,
                            std::int64_t tile, std::int64_t size) {
        const std::int64_t all = (length - residue + by - 1) / by;
        return std::min(all, (tile + 1) * size) - tile * size;
      };
      for (const auto& [at, pairs] : seen)
        ++(pairs == part(s.seqlen_q, at[0], row_stride, at[1], tile_q) *
                        part(s.seqlen_kv, at[2], stride, at[3], tile_kv)
               ? counts.full
               : counts.cut);
    }
  return counts;
}

/// The same where each tile of rows gathers the keys that any of its rows sees, in ascending order.
BlockCounts ideal_gathered(const Formula& formula, const AttentionShape& s, std::int64_t tile_q,
                           std::int64_t tile_kv) {
  const std::int64_t tiles = (s.seqlen_kv + tile_kv - 1) / tile_kv;
  BlockCounts counts;
  for (std::int64_t b = 0; b < s.batch; ++b)
    for (std::int64_t h = 0; h < s.heads; ++h)
      for (std::int64_t first = 0; first < s.seqlen_q; first += tile_q) {
        std::map<std::int64_t, std::int64_t> rows_of;  // of a key: the rows that see it
        const std::int64_t end = std::min(first + tile_q, s.seqlen_q);
        for (std::int64_t q = first; q < end; ++q) {
          std::vector<std::uint8_t> visible(static_cast<std::size_t>(s.seqlen_kv), 1);
          formula.visible(b, h, q, visible);
          for (std::size_t k = 0; k < visible.size(); ++k)
            if (visible[k] != 0) ++rows_of[static_cast<std::int64_t>(k)];
        }
        counts.skipped += tiles;
        std::int64_t in_tile = 0, full = 0;
        for (auto key = rows_of.begin(); key != rows_of.end();) {
          full += key->second == end - first;
          ++key, ++in_tile;
          if (in_tile < tile_kv && key != rows_of.end()) continue;
          ++(full == tile_kv ? counts.full : counts.cut);
          --counts.skipped;
          in_tile = full = 0;
        }
      }
  return counts;
}

/// Counted from the formula: no list of blocks, no interval. Rows with inputs of their own have
/// tiles of their own.
BlockCounts ideal(const Formula& formula, const AttentionShape& s, std::int64_t tile_q,
                  std::int64_t tile_kv) {
  const auto tiles = static_cast<std::size_t>((s.seqlen_kv + tile_kv - 1) / tile_kv);
  BlockCounts counts;
  for (std::int64_t b = 0; b < s.batch; ++b)
    for (std::int64_t h = 0; h < s.heads; ++h)
      for (std::int64_t first = 0, end = 0; first < s.seqlen_q; first = end) {
        end = std::min(first + tile_q, s.seqlen_q);
        if (first < formula.own.rows) end = std::min(end, formula.own.rows);
        std::vector<std::int64_t> seen(tiles), all(tiles);
        for (std::int64_t q = first; q < end; ++q) {
          std::vector<std::uint8_t> visible(static_cast<std::size_t>(s.seqlen_kv), 1);
          if (formula.visible) formula.visible(b, h, q, visible);
          for (std::size_t k = 0; k < visible.size(); ++k) {
            seen[k / static_cast<std::size_t>(tile_kv)] += visible[k];
            ++all[k / static_cast<std::size_t>(tile_kv)];
          }
        }
        for (std::size_t j = 0; j < tiles; ++j)
          ++(seen[j] == 0 ? counts.skipped : seen[j] == all[j] ? counts.full : counts.cut);
      }
  return counts;
}

/// What is wrong with the run; empty: nothing.
std::string wrong(const VariantEntry& entry, const Case& one) {
  std::vector<std::string> words = words_of("run " + one.variant + " " + one.line);
  const Request request =
      command::request_of(command::parse(words, variants()).arguments, entry, variants());
  for (const char* more : {"--check", "--json"}) words.emplace_back(more);
  std::ostringstream out, err;
  const int status = command::command(words, variants(), out, err);
  const auto report = nlohmann::json::parse(out.str());
  if (status != 0 || report.at("ok") != true) return report.dump();
  // `standard` computes what it does not see, too.
  if (entry.name == "standard") return "";
  const std::int64_t stride = report.at("stride"), row_stride = report.at("row_stride"),
                     tile_q = report.at("tile").at("q"), tile_kv = report.at("tile").at("kv");
  const Formula formula = entry.make()->formula(request);
  BlockCounts wanted =
      report.at("gathered") == true ? ideal_gathered(formula, request.shape, tile_q, tile_kv)
      : stride > 1 ? ideal_regrouped(formula, request.shape, row_stride, stride, tile_q, tile_kv)
                   : ideal(formula, request.shape, tile_q, tile_kv);
  if (stride > 1) wanted.skipped = report.at("blocks").at("skipped");
  const nlohmann::json ideal_blocks = {
      {"skipped", wanted.skipped}, {"full", wanted.full}, {"cut", wanted.cut}};
  if (report.at("blocks") == ideal_blocks) return "";
  return "blocks " + report.at("blocks").dump() + ", ideal " + ideal_blocks.dump();
}

}  // namespace

int main(int count, char** arguments) {
  const int share = count > 1 ? std::stoi(arguments[1]) : 0;
  const int shares = count > 2 ? std::stoi(arguments[2]) : 1;
  const std::string only = count > 3 ? arguments[3] : "";
  std::map<std::string, int> runs;
  int number = 0, failures = 0;
  for (const VariantEntry& entry : variants()) {
    if (!only.empty() && entry.name != only) continue;
    for (const Case& one : cases_of(entry)) {
      if (number++ % shares != share) continue;
      ++runs[one.variant];
      const std::string what = wrong(entry, one);
      if (what.empty()) continue;
      ++failures;
      std::printf("tilewright run %s %s --check --json\n  %s\n", one.variant.c_str(),
                  one.line.c_str(), what.c_str());
    }
  }
  for (const auto& [variant, ran] : runs) std::printf("%4d %s\n", ran, variant.c_str());
  return failures == 0 && !runs.empty() ? 0 : 1;
}
