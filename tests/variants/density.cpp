// Work follows density: against causal attention over the same lengths, the tensor operations of a
// sparse variant are in the ratio of the blocks that the two visit, and so are the bytes that are
// read for blocks. Counted by the emulator. What a variant reads besides is counted out by its
// formula, to the byte: entries of a list in every visited tile, a table in cut tiles alone.
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <sstream>

#include "command/command.hpp"
#include "variants/table.hpp"

using namespace tilewright;

namespace {

struct Work {
  double visited = 0, tensor = 0, bytes = 0;
};

constexpr int length = 1024, heads = 2, dim = 64, tile = 64;

/// What a kernel reads beside q, k and v.
struct Reads {
  bool list = false;   ///< of the tiles to visit
  bool table = false;  ///< a mask's, of an i32 for each pair
};

Work work_of(const std::string& line, Reads reads = {}) {
  std::istringstream stream("run " + line +
                            " --json --seqlen-q 1024 --heads 2 --tile-q 64 --tile-kv 64" +
                            " --device emulator:sm_80");
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  std::ostringstream out, err;
  if (command::command(words, library::variants(), out, err) != 0) {
    std::printf("%s\n%s\n", line.c_str(), out.str().c_str());
    return {};
  }
  const auto report = nlohmann::json::parse(out.str());
  const auto& blocks = report.at("blocks");
  // q and out once, and lse: whatever is visited.
  constexpr double fixed = heads * length * (2.0 * dim * 2 + 4);
  const double cut = blocks.at("cut").get<double>(),
               visited = blocks.at("full").get<double>() + cut;
  // A list: where a row of tiles begins and ends, and each of its entries once, read by all threads
  // of a block.
  constexpr double threads = 128, rows_of_tiles = heads * length / tile;
  const double list = reads.list ? (2 * rows_of_tiles + visited) * threads : 0;
  const double table = reads.table ? cut * tile * tile : 0;
  return {visited, report.at("counters").at("tensor_ops").get<double>(),
          report.at("counters").at("global_bytes").get<double>() - fixed - 4 * (list + table)};
}

}  // namespace

int main() {
  const Work causal = work_of("flash --causal");
  int failures = causal.visited == heads * 136 ? 0 : 1;
  std::printf("%-46s %8s %8s %8s\n", "against flash --causal", "blocks", "tensor", "bytes");
  const Reads blocks_by_list{.list = true, .table = true};
  for (const auto& [line, reads] : std::initializer_list<std::pair<const char*, Reads>>{
           {"sliding_window --window-left 127", {}},
           {"sliding_window --window-left 63 --window-right 63", {}},
           {"prefix_lm --prefix 200", {}},
           {"chunked --chunk 100", {}},
           {"local --block-size 64", {}},
           {"global --global-tokens 16 --window 32", {}},
           {"strided --stride 16 --regroup on", {}},
           {"strided --stride 16 --regroup off", {}},
           {"strided --stride 200 --regroup off", {}},
           {"dilated --window 16 --dilation 4", {}},
           {"fixed --stride 256 --summary 64", {}},
           {"factorized --integration merged --stride 32", {}},
           {"factorized --integration multihead --stride 200", {}},
           {"sinks --window-left 100", {}},
           {"block_sparse --density 0.3", blocks_by_list},
           {"block_sparse --density 0.3 --block-size 32", blocks_by_list},
           {"bigbird", blocks_by_list},
           {"bigbird --block-size 128", blocks_by_list}}) {
    const Work work = work_of(line, reads);
    const double blocks = work.visited / causal.visited, tensor = work.tensor / causal.tensor,
                 bytes = work.bytes / causal.bytes;
    const bool right = work.visited > 0 && std::abs(tensor / blocks - 1) <= 0.02 &&
                       std::abs(bytes / blocks - 1) <= 0.02;
    failures += !right;
    std::printf("%-46s %8.4f %8.4f %8.4f%s\n", line, blocks, tensor, bytes, right ? "" : "  WRONG");
  }
  return failures == 0 ? 0 : 1;
}
