// The masks and score functions that have names (tilewright/library/mask.hpp, score.hpp).
#include <algorithm>
#include <cmath>
#include <tilewright/error.hpp>
#include <tilewright/library/score.hpp>

#include "scores/errors.hpp"

namespace tilewright {
namespace {

constexpr int most = 1 << 30;  ///< what is added to a position stays within 32 bits

void require(bool holds, const char* argument, const std::string& value, const char* allowed) {
  if (holds) return;
  throw Error(errors::scores["mask-number-out-of-range"],
              std::string(argument) + " is out of range", {argument, value, allowed, ""});
}

}  // namespace

Mask causal(CausalAlignment alignment) {
  return Mask([=](Index q, Index k) { return k <= (alignment == bottom_right ? position(q) : q); });
}

Mask window(int left, int right) {
  const char* allowed = "-1 (no limit), 0 to 1073741824";
  require(left >= -1 && left <= most, "window_left", std::to_string(left), allowed);
  require(right >= -1 && right <= most, "window_right", std::to_string(right), allowed);
  return Mask([=](Index q, Index k) {
    Mask visible;
    if (left >= 0) visible = visible && k >= position(q) - Index::scalar("window_left", left);
    if (right >= 0) visible = visible && k <= position(q) + Index::scalar("window_right", right);
    return visible;
  });
}

Mask sliding_window(int width) {
  require(width >= 1 && width <= most, "width", std::to_string(width), "1 to 1073741824");
  return Mask([=](Index q, Index k) {
    return k > position(q) - Index::scalar("window", width) && k <= position(q);
  });
}

Mask prefix_lm(int length) {
  require(length >= 0, "length", std::to_string(length), "0 and more");
  return Mask(
      [=](Index q, Index k) { return k < Index::scalar("prefix", length) || k <= position(q); });
}

Mask chunked(int width) {
  require(width >= 1, "width", std::to_string(width), "1 and more");
  return Mask(
      [=](Index q, Index k) { return k <= position(q) && k / width == position(q) / width; });
}

Mask block_matrix(int size) {
  require(size >= 1, "size", std::to_string(size), "1 and more");
  return Mask([=](Index, Index h, Index q, Index k) {
    const IndexTable blocks("blocks", {TableExtent::heads, TableExtent::any, TableExtent::any});
    return blocks(h, q / size, k / size) != 0;
  });
}

Mask tree(int size) {
  require(size >= 0 && size <= most, "size", std::to_string(size), "0 to 1073741824");
  return Mask([=](Index q, Index k) {
    const Index nodes = Index::scalar("draft_tokens", size);
    const Index node = q - (Index::seqlen_q() - nodes), seen = k - (Index::seqlen_kv() - nodes);
    const IndexTable ancestors("ancestors", {TableExtent::any, TableExtent::any});
    return (seen < 0 && k <= position(q)) ||
           (seen >= 0 && node >= 0 && (ancestors(node, seen >> 5) >> (seen & 31) & 1) == 1);
  });
}

std::vector<std::int32_t> tree_ancestors(const std::vector<std::vector<bool>>& sees) {
  const std::size_t words = std::max<std::size_t>((sees.size() + 31) / 32, 1);
  std::vector<std::int32_t> bits(sees.size() * words);
  for (std::size_t i = 0; i < sees.size(); ++i) {
    require(sees[i].size() == sees.size(), "sees", std::to_string(sees[i].size()),
            "as many columns as rows");
    for (std::size_t j = 0; j < sees.size(); ++j)
      if (sees[i][j]) bits[i * words + j / 32] |= static_cast<std::int32_t>(1u << j % 32);
  }
  return bits;
}

Mask neighborhood(int height, int width, int size) {
  const int limit = 1 << 15;
  require(height >= 1 && height <= limit, "height", std::to_string(height), "1 to 32768");
  require(width >= 1 && width <= limit, "width", std::to_string(width), "1 to 32768");
  require(size >= 1 && size <= limit, "size", std::to_string(size), "1 to 32768");
  const auto near = [=](const Index& row, const Index& key, int length) {
    const int square = std::min(size, length);
    const Index first = max(min(row - square / 2, length - square), 0);
    return key >= first && key < first + square;
  };
  return Mask([=](Index q, Index k) {
    return near(q / width, k / width, height) && near(q % width, k % width, width);
  });
}

ScoreMod softcap(double cap) {
  require(cap > 0 && std::isfinite(cap), "cap", std::to_string(cap), "a number above 0");
  return ScoreMod([=](Score s, Index, Index, Index, Index) {
    const Score most = Score::scalar("softcap", cap);
    return most * tanh(s / most);
  });
}

ScoreMod alibi() {
  return ScoreMod([](Score s, Index, Index h, Index q, Index k) {
    return s - ScoreTable("slopes", {TableExtent::heads})(h) * Score(abs(position(q) - k));
  });
}

std::vector<float> alibi_slopes(int heads) {
  require(heads >= 0, "heads", std::to_string(heads), "0 and more");
  int power = 1;
  while (power * 2 <= heads) power *= 2;
  std::vector<float> slopes;
  for (int i = 1; i <= heads; ++i) {
    const double exponent =
        i <= power ? -8.0 * i / power : -8.0 * (2 * (i - power) - 1) / (2.0 * power);
    slopes.push_back(static_cast<float>(std::exp2(exponent)));
  }
  return slopes;
}

}  // namespace tilewright
