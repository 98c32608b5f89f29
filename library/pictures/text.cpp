// See text.hpp.
#include "pictures/text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

namespace tilewright::pictures {
namespace {

struct Characters {
  const char *full, *visible, *hidden, *skipped, *some, *wrong;
  const char *across, *down, *top_left, *top, *top_right, *left, *cross, *right, *bottom_left,
      *bottom, *bottom_right;
};
constexpr Characters blocks{"█", "▓", "░", " ", "▒", "!", "─", "│", "┌",
                            "┬", "┐", "├", "┼", "┤", "└", "┴", "┘"};
constexpr Characters plain{"#", "x", ".", " ", "+", "!", "-", "|", "+",
                           "+", "+", "+", "+", "+", "+", "+", "+"};

std::string trimmed(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

/// The picture as cells, one character each, with borders between every `tile` of them or none.
class Sheet {
 public:
  /// `label(i)` names cell i of an axis.
  struct Axis {
    std::int64_t cells = 0;
    std::int64_t tile = 0;  ///< cells between borders; 0: no borders inside
    std::function<std::string(std::int64_t)> label;
    std::int64_t borders() const { return tile == 0 ? 0 : (cells - 1) / tile; }
  };

  Sheet(Axis rows, Axis keys, const Characters& characters)
      : rows_(std::move(rows)), keys_(std::move(keys)), c_(characters) {
    for (std::int64_t i = 0; i < rows_.cells; ++i)
      if (labelled(rows_, i)) margin_ = std::max(margin_, rows_.label(i).size());
    margin_ += 3;
  }

  std::string text(
      const std::function<const char*(std::int64_t row, std::int64_t key)>& cell) const {
    std::string text = header() + border(c_.top_left, c_.top, c_.top_right);
    for (std::int64_t i = 0; i < rows_.cells; ++i) {
      if (i > 0 && rows_.tile > 0 && i % rows_.tile == 0)
        text += border(c_.left, c_.cross, c_.right);
      const std::string label = labelled(rows_, i) ? rows_.label(i) : "";
      text += std::string(margin_ - 1 - label.size(), ' ') + label + " " + c_.down;
      for (std::int64_t j = 0; j < keys_.cells; ++j) {
        if (j > 0 && keys_.tile > 0 && j % keys_.tile == 0) text += c_.down;
        text += cell(i, j);
      }
      text += std::string(c_.down) + "\n";
    }
    return text + border(c_.bottom_left, c_.bottom, c_.bottom_right);
  }

 private:
  /// Rows are labelled at the borders, or every fourth.
  static bool labelled(const Axis& axis, std::int64_t i) {
    return i % (axis.tile == 0 ? 4 : axis.tile) == 0;
  }

  /// Labels of the keys where there is room for them.
  std::string header() const {
    std::string line(margin_, ' ');
    std::int64_t column = static_cast<std::int64_t>(margin_) + 1;
    for (std::int64_t j = 0; j < keys_.cells; ++j, ++column) {
      if (j > 0 && keys_.tile > 0 && j % keys_.tile == 0) ++column;
      if (!labelled(keys_, j)) continue;
      const auto length = static_cast<std::int64_t>(line.size());
      if (length > 0 && j > 0 && length + 1 >= column) continue;
      line += std::string(static_cast<std::size_t>(column - length), ' ') + keys_.label(j);
    }
    return trimmed(line);
  }

  std::string border(const char* left, const char* between, const char* right) const {
    std::string text = std::string(margin_, ' ') + left;
    for (std::int64_t j = 0; j < keys_.cells; ++j) {
      if (j > 0 && keys_.tile > 0 && j % keys_.tile == 0) text += between;
      text += c_.across;
    }
    return text + right + "\n";
  }

  Axis rows_, keys_;
  const Characters& c_;
  std::size_t margin_ = 1;
};

std::string number(std::int64_t at) { return at == nothing ? "-" : std::to_string(at); }

/// What stands in a rectangle of pairs inside one tile.
struct Seen {
  std::int64_t visible = 0, hidden = 0;
};

const char* cell_character(const Characters& c, TileClass tile, const Seen& seen) {
  if (seen.visible == 0 && seen.hidden == 0) return " ";
  switch (tile) {
    case TileClass::skipped: return seen.visible > 0 ? c.wrong : c.skipped;
    case TileClass::full: return seen.hidden > 0 ? c.wrong : c.full;
    case TileClass::cut: break;
  }
  if (seen.visible == 0) return c.hidden;
  return seen.hidden == 0 ? c.visible : c.some;
}

/// Along the sides of a character: pairs, which divide the tile, or tiles.
struct Step {
  std::int64_t q = 1, kv = 1;
};

std::string cells_text(const MaskPicture& picture, const Characters& c, Step step) {
  const auto cells = [](std::int64_t places, std::int64_t of) { return (places + of - 1) / of; };
  const Sheet sheet({cells(picture.places_q(), step.q), picture.tile_q / step.q,
                     [&](auto i) { return number(picture.row_at(i * step.q)); }},
                    {cells(picture.places_kv(), step.kv), picture.tile_kv / step.kv,
                     [&](auto j) { return number(picture.key_at(j * step.kv)); }},
                    c);
  PairRows rows(picture);
  std::int64_t current = -1;
  std::vector<Seen> seen;
  const auto look = [&](std::int64_t i) {
    seen.assign(static_cast<std::size_t>(cells(picture.places_kv(), step.kv)), {});
    const std::int64_t end = std::min((i + 1) * step.q, picture.places_q());
    for (std::int64_t place = i * step.q; place < end; ++place) {
      const std::span<const Pair> pairs = rows.at(place);
      for (std::size_t key = 0; key < pairs.size(); ++key) {
        Seen& cell = seen[key / static_cast<std::size_t>(step.kv)];
        cell.visible += pairs[key] == Pair::visible;
        cell.hidden += pairs[key] == Pair::hidden;
      }
    }
    current = i;
  };
  bool wrong = false, some = false;
  std::string text = sheet.text([&](std::int64_t i, std::int64_t j) {
    if (i != current) look(i);
    const TileClass tile = picture.tile(i * step.q / picture.tile_q, j * step.kv / picture.tile_kv);
    const char* character = cell_character(c, tile, seen[static_cast<std::size_t>(j)]);
    wrong |= character == c.wrong;
    some |= character == c.some;
    return character;
  });
  if (step.q * step.kv > 1)
    text += fmt::format("  a character is {} x {} pairs\n", step.q, step.kv);
  text += fmt::format("  {} full tile   {} visible, {}{} hidden in a cut tile   blank: skipped\n",
                      c.full, c.visible, some ? fmt::format("{} partly, ", c.some) : "", c.hidden);
  if (wrong) text += fmt::format("  {} the tile's class contradicts the mask\n", c.wrong);
  return text;
}

/// The finest step that fits; nothing if even two characters to a tile do not. Characters are twice
/// as high as wide, so a coarse step takes half as many rows as keys.
std::optional<Step> finest_step(const MaskPicture& picture, const TextStyle& style) {
  const auto widest = static_cast<std::int64_t>(std::to_string(picture.rows).size());
  const std::int64_t width = style.columns - widest - 4 - picture.tiles_kv();
  const std::int64_t height = style.lines - picture.tiles_q() - 2;
  const auto fits = [](std::int64_t places, std::int64_t step, std::int64_t room) {
    return (places + step - 1) / step <= room;
  };
  if (fits(picture.places_q(), 1, height) && fits(picture.places_kv(), 1, width)) return Step{};
  for (std::int64_t kv = 1; 2 * kv <= picture.tile_kv; ++kv) {
    if (picture.tile_kv % kv != 0 || !fits(picture.places_kv(), kv, width)) continue;
    for (std::int64_t q = std::min(2 * kv, picture.tile_q / 2); q >= 1 && 2 * q <= picture.tile_q;
         ++q)
      if (picture.tile_q % q == 0 && fits(picture.places_q(), q, height)) return Step{q, kv};
  }
  return {};
}

/// A group of tiles, as one character.
const char* group_character(const MaskPicture& picture, const Characters& c, Step group,
                            std::int64_t i, std::int64_t j) {
  std::int64_t skipped = 0, full = 0, all = 0;
  const std::int64_t rows = std::min((i + 1) * group.q, picture.tiles_q());
  const std::int64_t keys = std::min((j + 1) * group.kv, picture.tiles_kv());
  for (std::int64_t row = i * group.q; row < rows; ++row)
    for (std::int64_t key = j * group.kv; key < keys; ++key, ++all) {
      skipped += picture.tile(row, key) == TileClass::skipped;
      full += picture.tile(row, key) == TileClass::full;
    }
  if (skipped == all) return c.skipped;
  if (full == all) return c.full;
  return group.q * group.kv == 1 ? c.visible : c.some;
}

std::string tiles_text(const MaskPicture& picture, const Characters& c, const TextStyle& style) {
  const auto widest = static_cast<std::int64_t>(std::to_string(picture.rows).size());
  const auto needed = [](std::int64_t tiles, std::int64_t room) {
    return std::max<std::int64_t>((tiles + room - 1) / room, 1);
  };
  Step group;
  group.kv = needed(picture.tiles_kv(), std::max<std::int64_t>(style.columns - widest - 5, 8));
  group.q =
      std::max(needed(picture.tiles_q(), std::max<std::int64_t>(style.lines - 3, 1)), group.kv);
  const auto cells = [](std::int64_t tiles, std::int64_t of) { return (tiles + of - 1) / of; };
  const Sheet sheet(
      {cells(picture.tiles_q(), group.q), 0,
       [&](auto i) { return number(picture.row_at(i * group.q * picture.tile_q)); }},
      {cells(picture.tiles_kv(), group.kv), 0,
       [&](auto j) { return number(picture.key_at(j * group.kv * picture.tile_kv)); }},
      c);
  const std::string text = sheet.text(
      [&](std::int64_t i, std::int64_t j) { return group_character(picture, c, group, i, j); });
  if (group.q * group.kv == 1)
    return text + fmt::format("  a character is a tile: {} full, {} cut, blank: skipped\n", c.full,
                              c.visible);
  return text + fmt::format(
                    "  a character is {} x {} tiles: {} all full, {} some visited, blank: all "
                    "skipped\n",
                    group.q, group.kv, c.full, c.some);
}

}  // namespace

std::string to_text(const MaskPicture& picture, const TextStyle& style) {
  const Characters& c = style.ascii ? plain : blocks;
  std::string text = fmt::format("{}\n  {} rows x {} keys, tiles of {} x {}\n", picture.title,
                                 picture.rows, picture.keys, picture.tile_q, picture.tile_kv);
  const bool regrouped = !picture.row_order.empty() || !picture.key_order.empty();
  if (regrouped)
    text += fmt::format("  in the kernel's order: {} regrouped, numbers are those of the mask\n",
                        picture.row_order.empty()   ? "keys"
                        : picture.key_order.empty() ? "rows"
                                                    : "rows and keys");
  if (!picture.gathered.empty())
    text += "  in the kernel's order: keys gathered for each tile of rows, numbers count them\n";
  if (picture.places_q() == 0 || picture.places_kv() == 0) return text + "  no pairs\n";
  const std::optional<Step> step = finest_step(picture, style);
  return text + "\n" + (step ? cells_text(picture, c, *step) : tiles_text(picture, c, style));
}

}  // namespace tilewright::pictures
