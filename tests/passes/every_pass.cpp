// Every pass keeps the meaning of random programs: after each one the IR is verified and the
// interpreter gives the same outputs as before it. What fails is made small and printed.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <optional>
#include <regex>

#include "agreement.hpp"
#include "build.hpp"
#include "ir/print.hpp"
#include "ir/verify.hpp"
#include "passes/analyze_masks.hpp"
#include "pipeline.hpp"
#include "random_program.hpp"
#include "tilewright/error.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

constexpr std::uint64_t first_seed = 20'000;

/// 500 programs; RANDOM_PROGRAMS asks for more, RANDOM_SEED for one of them.
int programs() {
  const char* asked = std::getenv("RANDOM_PROGRAMS");
  return asked != nullptr ? std::atoi(asked) : 500;
}

/// These may change how f32 results round (passes.hpp says how); all others keep every bit.
bool may_round(const std::string& pass) {
  return pass == "simplify" || pass == "share_reciprocals" || pass == "fuse_accumulate";
}
/// A factor of 0 becomes 2^-126 (fold_scale): what was 0 may be that, times a product.
bool may_leave_zero(const std::string& pass) { return pass == "fold_scale"; }

struct Tally {
  int exact = 0;      ///< programs in which nothing rounded, through every pass
  int scheduled = 0;  ///< programs the target has a schedule for
  int emitted = 0;
  int inexact = 0;                     ///< programs with a domain that is sound and not sharp
  std::map<std::string, int> changed;  ///< by pass: programs whose text it changed
  std::map<std::string, int> refusals;
  std::map<std::string, int> operations;
  void add(const Tally& other) {
    exact += other.exact, scheduled += other.scheduled, emitted += other.emitted;
    inexact += other.inexact;
    for (const auto& [pass, n] : other.changed) changed[pass] += n;
    for (const auto& [what, n] : other.refusals) refusals[what] += n;
    for (const auto& [what, n] : other.operations) operations[what] += n;
  }
};

struct Step {
  std::string pass;
  ir::Kernel kernel;
};

ir::Schedule wish_for(std::uint64_t seed, const ir::Kernel& traced) {
  Random random(mixed(seed, 3));
  ir::Schedule wish;
  for (const char* dim : {"m", "n", "p"})
    if (random.chance(85)) wish.tile[dim] = random.chance(75) ? 16 : 32;
  if (random.chance(60)) wish.stages = random.between(1, 3);
  for (const ir::Axis& axis : traced.axes)  // a tile that the kernel fixes is no choice
    if (axis.requested_tile > 0) wish.tile.erase(axis.dim);
  return wish;
}

/// The passes that need no target, on tiles of 16, for programs that no target has a schedule for.
void without_target(std::vector<Step>& steps) {
  ir::Kernel kernel = steps.back().kernel.clone();
  for (ir::Axis& axis : kernel.axes) {
    if (axis.kind != ir::Axis::Kind::whole) axis.tile = std::max(axis.requested_tile, 16);
    axis.padded = (std::max(axis.tile, 1) + 15) / 16 * 16;
  }
  const auto done = [&](const char* pass) {
    ir::verify(kernel, pass);
    steps.push_back({pass, kernel.clone()});
  };
  passes::analyze_masks(kernel), done("analyze_masks");
  passes::apply_masks(kernel), done("apply_masks");
  passes::fold_scale(kernel), done("fold_scale");
  passes::defer_reductions(kernel), done("defer_reductions");
}

void count_operations(const ir::Region& region, int depth, std::map<std::string, int>& seen) {
  for (const auto& operation : region.operations) {
    const std::string name(info(operation->op).name);
    ++seen[name];
    if (depth > 0 && (operation->op == Op::dot || is_reduction(operation->op)))
      ++seen[name + " in a loop"];
    if (operation->op == Op::for_blocks && !operation->regions[0]->operations.empty())
      ++seen["masked loop"];
    if (operation->follows_list()) ++seen["loop over a list"];
    if (depth > 0 && !operation->regions.empty()) ++seen["loop in a loop"];
    for (const auto& inner : operation->regions) count_operations(*inner, depth + 1, seen);
  }
}

/// An error's words without the program's lines and values.
std::string plain(const std::string& text) {
  static const std::regex particular(R"(tests/random\.cpp:\d+: |%[\w.]+ (= )?)");
  return std::regex_replace(text, particular, "");
}

bool domains_are_exact(const ir::Region& region) {
  return std::all_of(region.operations.begin(), region.operations.end(), [](const auto& operation) {
    return (!operation->domain || operation->domain->exact) &&
           std::all_of(operation->regions.begin(), operation->regions.end(),
                       [](const auto& inner) { return domains_are_exact(*inner); });
  });
}

/// What went wrong, or nothing.
std::optional<std::string> examine(const RandomProgram& program, Tally* tally) {
  std::vector<Step> steps;
  const bool aligned = program.seed() % 2 == 0;
  bool scheduled = false;
  std::optional<std::string> broken;  // a pass that threw; those before it are judged all the same
  const auto failed = [&](const std::string& pass, const std::string& what) {
    std::string text = "after " + pass + ": " + what;
    if (steps.size() > 1) text += "\n--- before\n" + ir::print(steps[steps.size() - 2].kernel);
    if (!steps.empty()) text += "\n--- after\n" + ir::print(steps.back().kernel);
    return text;
  };
  try {
    const ir::Kernel traced = build(program, program.recipe().bound());
    steps.push_back({"trace", traced.clone()});
    try {
      lower(traced, passes::target_of("sm_80"), wish_for(program.seed(), traced), aligned,
            [&](const std::string& pass, const ir::Kernel& kernel) {
              steps.push_back({pass, kernel.clone()});
              scheduled |= pass == "choose_schedule";
            });
      if (tally) ++tally->emitted;
    } catch (const std::exception& error) {
      const std::string words = plain(error.what());
      const bool emitting = steps.back().pass == "place_values";  // on_device.cpp judges that
      const auto* own = dynamic_cast<const Error*>(&error);
      const bool named = own != nullptr && own->kind() != ErrorKind::invalid_program &&
                         words.find("internal defect") == std::string::npos;
      if (!emitting && !named)
        broken = failed("the pass behind " + steps.back().pass, error.what());
      else if (tally)
        ++tally->refusals[words.substr(0, 70)];
      if (!scheduled) without_target(steps);
    }
  } catch (const std::exception& error) {
    return failed(steps.empty() ? "nothing" : "the pass behind " + steps.back().pass, error.what());
  }
  if (tally) {
    tally->scheduled += scheduled;
    count_operations(steps[0].kernel.body, 0, tally->operations);
  }
  // One tiling for all: the one that was chosen in the end.
  for (Step& step : steps)
    for (std::size_t i = 0; i < step.kernel.axes.size(); ++i)
      if (step.kernel.axes[i].tile == 0)
        step.kernel.axes[i].tile = steps.back().kernel.axes[i].tile;

  const ir::Inputs inputs = random_inputs(steps[0].kernel, program.recipe(), program.seed());
  bool exact = true;
  std::vector<Step> all = std::move(steps);
  steps.clear();
  try {
    steps.push_back({all[0].pass, all[0].kernel.clone()});
    Run before = interpreted(all[0].kernel, inputs);
    for (std::size_t i = 1; i < all.size(); ++i) {
      const std::string& pass = all[i].pass;
      steps.push_back({pass, all[i].kernel.clone()});
      Run after = interpreted(all[i].kernel, inputs);
      exact &= !before.rounded && !after.rounded;
      std::map<std::string, double> allowed;
      if (may_round(pass) && (before.rounded || after.rounded) &&
          !difference(before.result, after.result).empty())
        allowed = sensitivity(all[i - 1].kernel, inputs, before, program.seed());
      if (may_leave_zero(pass))
        for (const auto& [name, tensor] : inputs.tensors) allowed[name] = 0x1p-100;
      // Without a sharp domain, tiles that show nothing run as well, and what a body does to its
      // Vars where it sees nothing is the program's affair. The interpreter holds the domain itself
      // against the mask, tile by tile.
      const bool more_tiles = pass == "analyze_masks" && !domains_are_exact(all[i].kernel.body);
      if (more_tiles && tally) ++tally->inexact;
      const std::string wrong = more_tiles ? "" : difference(before.result, after.result, allowed);
      if (!wrong.empty()) return failed(pass, wrong);
      if (tally && ir::print(all[i - 1].kernel) != ir::print(all[i].kernel)) ++tally->changed[pass];
      before = std::move(after);
    }
  } catch (const std::exception& error) {
    return failed("interpreting " + steps.back().pass, error.what());
  }
  if (tally) tally->exact += exact;
  return broken;
}

std::string smallest(std::uint64_t seed) {
  return made_small(seed, [](const RandomProgram& program) { return examine(program, nullptr); });
}

}  // namespace

TEST_CASE("500 random programs through every pass") {
  const char* only = std::getenv("RANDOM_SEED");  // of a program to look at again
  if (only != nullptr) {
    const std::uint64_t seed = std::strtoull(only, nullptr, 10);
    const auto wrong = examine(RandomProgram(seed), nullptr);
    if (wrong) FAIL(smallest(seed));
    return;
  }
  struct Share {
    Tally tally;
    std::map<std::uint64_t, std::string> failed;
  };
  constexpr int workers = 2;
  const int count = programs();
  std::vector<std::future<Share>> shares;
  for (int worker = 0; worker < workers; ++worker)
    shares.push_back(std::async(std::launch::async, [worker, count] {
      Share share;
      for (int i = worker; i < count; i += workers) {
        const std::uint64_t seed = first_seed + static_cast<std::uint64_t>(i);
        if (const auto wrong = examine(RandomProgram(seed), &share.tally))
          share.failed[seed] = wrong->substr(0, wrong->find('\n'));
      }
      return share;
    }));
  Tally tally;
  std::map<std::uint64_t, std::string> failed;
  for (auto& share : shares) {
    const Share done = share.get();
    tally.add(done.tally);
    failed.insert(done.failed.begin(), done.failed.end());
  }
  std::printf(
      "%d programs: %d without any rounding, %d scheduled, %d with CUDA text, %d with a domain "
      "that is "
      "not sharp\n",
      count, tally.exact, tally.scheduled, tally.emitted, tally.inexact);
  for (const auto* counts : {&tally.changed, &tally.operations, &tally.refusals}) {
    for (const auto& [what, count] : *counts) std::printf("  %s: %d\n", what.c_str(), count);
    std::printf("\n");
  }
  for (const auto& [seed, wrong] : failed)
    std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), wrong.c_str());
  int shown = 0;
  for (const auto& [seed, wrong] : failed)
    if (++shown <= 3) FAIL_CHECK(smallest(seed));
  CHECK(failed.empty());
  // What all of this is worth depends on what the programs hold.
  CHECK(tally.exact * 3 >= count);
  CHECK(tally.scheduled * 10 >= count * 7);
  for (const char* pass :
       {"simplify", "vector_products", "hoist_invariants", "normalize_masks", "share_reciprocals",
        "fuse_accumulate", "choose_schedule", "analyze_masks", "apply_masks", "fold_scale",
        "defer_reductions", "stage_copies", "place_values", "sink_conditions"})
    CHECK_MESSAGE(tally.changed[pass] > 0, pass);
  // Branches and sums over memory have tests of their own (tests/language).
  CHECK(tally.operations["loop over a list"] > 0);
  for (int op = 0; op < static_cast<int>(Op::shared_alloc); ++op)
    if (op != static_cast<int>(Op::when) && op != static_cast<int>(Op::atomic_add))
      CHECK_MESSAGE(tally.operations[std::string(info(static_cast<Op>(op)).name)] > 0,
                    info(static_cast<Op>(op)).name);
}
