// `tilewright mask VARIANT`: which pairs a variant sees and which tiles of them it visits, as
// numbers and as a picture.
//
// The tiles are the compiler's; the pairs are the variant's plain formula, looked at one by one, so
// each tells on the other: a skipped tile with a visible pair is a failure.
#include <sys/ioctl.h>
#include <unistd.h>

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "attention/block_checks.hpp"
#include "command/context.hpp"
#include "command/errors.hpp"
#include "command/shape_options.hpp"
#include "command/table_text.hpp"
#include "formats/file.hpp"
#include "pictures/errors.hpp"
#include "pictures/mask_picture.hpp"
#include "pictures/png.hpp"
#include "pictures/scene.hpp"
#include "pictures/svg.hpp"
#include "pictures/text.hpp"
#include "variants/table.hpp"

namespace tilewright::command {
namespace {

using library::AttentionShape;
using pictures::MaskPicture;

constexpr std::array<std::string_view, 6> architectures{"sm_80", "sm_86",  "sm_89",
                                                        "sm_90", "sm_90a", "sm_120"};

/// Some seconds of one processor.
constexpr std::uint64_t most_pairs = std::uint64_t{1} << 31;

void require_countable(const AttentionShape& s) {
  const auto number = [](std::int64_t extent) { return static_cast<std::uint64_t>(extent); };
  // A problem costs something without pairs, too.
  std::uint64_t pairs = 0, all = 0;
  const bool overflow =
      __builtin_mul_overflow(number(s.seqlen_q), number(s.seqlen_kv), &pairs) ||
      __builtin_add_overflow(pairs, number(s.seqlen_q + s.seqlen_kv + 256), &pairs) ||
      __builtin_mul_overflow(pairs, number(s.batch * s.heads), &all);
  if (!overflow && all <= most_pairs) return;
  throw Error(errors::pictures["mask-too-large"],
              "a mask is looked at pair by pair, and this one has too many",
              {"--seqlen-kv", std::to_string(s.seqlen_kv),
               fmt::format("--batch {} * --heads {} * --seqlen-q {} * --seqlen-kv of at most {}",
                           s.batch, s.heads, s.seqlen_q, most_pairs),
               ""});
}

struct Mask {
  const library::Request& request;
  library::Tiling tiling;
  library::RowMask visible;

  bool in_another_order() const { return !tiling.row_order.empty() || !tiling.key_order.empty(); }

  MaskPicture picture(std::int64_t b, std::int64_t h) const {
    MaskPicture picture;
    picture.rows = request.shape.seqlen_q;
    picture.keys = request.shape.seqlen_kv;
    picture.tile_q = tiling.tile_q;
    picture.tile_kv = tiling.tile_kv;
    picture.tiles = tiling.classes(b, h);
    if (visible)
      picture.visible = [&see = visible, b, h](std::int64_t q, std::span<std::uint8_t> row) {
        see(b, h, q, row);
      };
    picture.row_order = tiling.row_order;
    picture.key_order = tiling.key_order;
    if (tiling.gathered) picture.gathered = tiling.gathered(b, h);
    return picture;
  }
};

struct Totals {
  library::BlockCounts blocks;
  pictures::Measure measure;
};

/// Over all sequences and query heads, which are shared out among the processors.
Totals total(const Mask& mask) {
  const std::int64_t heads = mask.request.shape.heads, all = mask.request.shape.batch * heads;
  Totals totals;
  std::exception_ptr failure;
  std::mutex mutex;
  std::atomic<std::int64_t> next{0};
  const auto work = [&] {
    try {
      for (std::int64_t i = next++; i < all; i = next++) {
        const MaskPicture picture = mask.picture(i / heads, i % heads);
        const library::BlockCounts blocks = pictures::count(picture.tiles);
        const pictures::Measure measure = pictures::measure(picture);
        const std::lock_guard lock(mutex);
        totals.blocks.skipped += blocks.skipped;
        totals.blocks.full += blocks.full;
        totals.blocks.cut += blocks.cut;
        totals.measure += measure;
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
    }
  };
  const auto processors = std::min<std::int64_t>(std::thread::hardware_concurrency(), all);
  std::vector<std::thread> threads;
  for (std::int64_t i = 1; i < processors; ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  if (failure) std::rethrow_exception(failure);
  if (mask.in_another_order())
    totals.blocks.skipped = library::skipped_of_all(mask.request.shape, mask.tiling.tile_q,
                                                    mask.tiling.tile_kv, totals.blocks);
  return totals;
}

double share(std::int64_t part, double whole) {
  return whole > 0 ? static_cast<double>(part) / whole : 0;
}

double pairs_of(const AttentionShape& s) {
  return static_cast<double>(s.batch) * static_cast<double>(s.heads) *
         static_cast<double>(s.seqlen_q) * static_cast<double>(s.seqlen_kv);
}

std::string title_of(const Arguments& arguments, const library::Request& request) {
  std::string title = arguments.text("VARIANT");
  if (request.shape.causal)
    title += fmt::format(", causal {}", name(request.shape.causal_alignment));
  for (const auto& [option, value] : request.options)
    if (arguments.given(option))
      title += fmt::format(", {} {}", option.substr(option.find_first_not_of('-')), value);
  if (arguments.given("--batch-index")) title += ", sequence " + arguments.text("--batch-index");
  if (arguments.given("--head-index")) title += ", head " + arguments.text("--head-index");
  return title;
}

/// The one that is shown; without sequences or heads, an empty one.
MaskPicture shown(const Mask& mask, const Arguments& arguments) {
  const AttentionShape& s = mask.request.shape;
  const auto index = [&](std::string_view option, std::int64_t extent) {
    return arguments.integer(option, 0, 0, std::max<std::int64_t>(extent - 1, 0));
  };
  const std::int64_t b = index("--batch-index", s.batch), h = index("--head-index", s.heads);
  MaskPicture picture;
  if (s.batch > 0 && s.heads > 0)
    picture = mask.picture(b, h);
  else
    picture.tile_q = mask.tiling.tile_q, picture.tile_kv = mask.tiling.tile_kv;
  picture.title = title_of(arguments, mask.request);
  return picture;
}

std::int64_t terminal_columns(const Context& context) {
  constexpr std::int64_t usual = 80, least = 20;
  winsize size{};
  if (!context.terminals.out || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
    return usual;
  return std::max<std::int64_t>(size.ws_col, least);
}

std::vector<std::string> facts_of(const MaskPicture& picture) {
  const pictures::Measure measure = pictures::measure(picture);
  const auto [skipped, full, cut] = pictures::count(picture.tiles);
  const std::int64_t all =  // of the matrix: in another order they are others
      library::tiles_in(picture.rows, picture.tile_q) *
      library::tiles_in(picture.keys, picture.tile_kv);
  const double pairs = static_cast<double>(picture.rows) * static_cast<double>(picture.keys);
  return {fmt::format("visited {} of {} tiles, ideal {}", full + cut, all, measure.ideal_visited),
          fmt::format("{:.3g} % of the pairs are visible", 100 * share(measure.visible, pairs))};
}

void write_pictures(const MaskPicture& picture, const Arguments& arguments) {
  const std::vector<std::string> facts = facts_of(picture);
  if (arguments.given("--svg"))
    formats::write_file(arguments.text("--svg"), to_svg(scene_of(picture, facts)));
  // Pixels cost nothing by the rectangle.
  constexpr pictures::SceneLimits fine{.rects = 4'000'000, .squares = 720};
  if (arguments.given("--png"))
    formats::write_file(arguments.text("--png"), to_png(rasterize(scene_of(picture, facts, fine))));
}

std::string numbers_text(const Mask& mask, const Totals& totals) {
  const AttentionShape& s = mask.request.shape;
  const auto& [skipped, full, cut] = totals.blocks;
  const std::int64_t all = skipped + full + cut;
  const auto percent = [&](std::int64_t part) {
    return fmt::format("{} ({:.0f} %)", part, 100 * share(part, static_cast<double>(all)));
  };
  std::vector<std::vector<std::string>> rows{
      {"blocks", fmt::format("skipped {}, full {}, cut {}, over batch {}, heads {}",
                             percent(skipped), percent(full), percent(cut), s.batch, s.heads)},
      {"visited", fmt::format("{}, ideal {}", full + cut, totals.measure.ideal_visited)},
      {"density", fmt::format("{:.6g}", share(totals.measure.visible, pairs_of(s)))}};
  if (totals.measure.wrong != 0)
    rows.push_back({"WRONG", fmt::format("{} blocks contradict the mask", totals.measure.wrong)});
  return aligned(rows, "  ");
}

nlohmann::ordered_json to_json(const library::VariantEntry& entry, const Mask& mask,
                               const Totals& totals) {
  const auto& [skipped, full, cut] = totals.blocks;
  return {{"ok", totals.measure.wrong == 0},
          {"variant", entry.name},
          {"tile", {{"q", mask.tiling.tile_q}, {"kv", mask.tiling.tile_kv}}},
          {"blocks", {{"skipped", skipped}, {"full", full}, {"cut", cut}}},
          {"ideal_visited", totals.measure.ideal_visited},
          {"ideal_full", totals.measure.ideal_full},
          {"wrong", totals.measure.wrong},
          {"density", share(totals.measure.visible, pairs_of(mask.request.shape))}};
}

}  // namespace

int mask(const Context& context, const Arguments& arguments) {
  const library::VariantEntry& entry =
      library::find_variant(context.variants, arguments.text("VARIANT"));
  const std::string arch(architectures[arguments.choice("--arch", 0, architectures)]);
  const library::Request request = request_of(arguments, entry, context.variants);
  require_countable(request.shape);
  for (const char* option : {"--svg", "--png"})
    if (arguments.given(option)) formats::require_writable_target(arguments.text(option));

  const auto variant = entry.make();
  auto tiling = variant->tiling(request, arch);
  if (!tiling) {
    throw Error(errors::pictures["mask-not-drawn"],
                "the variant does not say which tiles of the mask it visits",
                {"VARIANT", std::string(entry.name), "a variant with a tiling", ""});
  }
  const Mask mask{request, std::move(*tiling), variant->formula(request).visible};
  const MaskPicture picture = shown(mask, arguments);
  const Totals totals = total(mask);
  write_pictures(picture, arguments);
  if (arguments.flag("--json")) {
    context.out << json_text(to_json(entry, mask, totals));
  } else {
    const bool ascii = arguments.flag("--ascii");
    context.out << to_text(picture, {.columns = terminal_columns(context), .ascii = ascii}) << "\n"
                << numbers_text(mask, totals);
    for (const char* option : {"--svg", "--png"})
      if (arguments.given(option)) context.out << "wrote " << arguments.text(option) << "\n";
  }
  return totals.measure.wrong == 0 ? success : failed;
}

}  // namespace tilewright::command
