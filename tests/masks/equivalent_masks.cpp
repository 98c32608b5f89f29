// A mask written in any equivalent way is the same mask: the same domain, and the same CUDA text,
// byte for byte. Each family is one mask; masks that differ by one key must differ in their text.
#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <tilewright/compile.hpp>
#include <tilewright/dsl.hpp>

#include "ir/print.hpp"

using namespace tilewright;

namespace {

inline constexpr Dim<"q"> M;
inline constexpr Dim<"kv"> N;
inline constexpr Dim<"d"> D;
inline constexpr Dim<"e"> E;
using Window = Scalar<"window", i32>;
using Prefix = Scalar<"prefix", i32>;

/// One kernel for all: what a mask is used by, on one line each, so that no line number differs.
template <typename Mask>
Program program_of(Mask mask) {
  const auto source = kernel(
      "masked", [mask](In<"q", bf16, M, D> Q, In<"k", bf16, N, D> K, In<"v", bf16, N, E> V,
                       Out<"out", bf16, M, E> O, Scalar<"scale", f32> scale, Window w, Prefix p) {
        auto m = blocks(M);
        auto q = let("q", load(Q(m, D)));
        OnlineSoftmax<M, E> softmax;
        for_blocks(N, mask(w, p), [&](auto n) {
          softmax.update(let("s", dot(q, load(K(n, D)), D) * scale), load(V(n, E)), N);
        });
        store(O(m, E), softmax.result());
      });
  return make_program(source, "sm_80", {.extents = {{"d", 64}, {"e", 64}}, .schedule = {}});
}

struct Seen {
  std::string domain, aligned, general;
  bool operator==(const Seen&) const = default;
};

std::string domain_in(const ir::Region& region) {
  for (const auto& operation : region.operations)
    if (operation->domain) return ir::print_domain(*operation->domain);
  return "";
}

/// Every mask of a family must look like its first.
class Family {
 public:
  explicit Family(std::string name) : name_(std::move(name)) {}
  template <typename Mask>
  Family& operator()(const char* spelled, Mask mask) {
    const Program program = program_of(mask);
    const Seen seen{domain_in(program.aligned.scheduled.body), program.aligned.text.text,
                    program.general.text.text};
    if (first_.domain.empty()) {
      first_ = seen;
      return *this;
    }
    CAPTURE(name_);
    CAPTURE(spelled);
    CHECK(seen.domain == first_.domain);
    CHECK(first_difference(seen.aligned, first_.aligned) == "");
    CHECK(first_difference(seen.general, first_.general) == "");
    return *this;
  }

 private:
  static std::string first_difference(const std::string& a, const std::string& b) {
    if (a == b) return "";
    std::size_t at = 0;
    while (at < a.size() && at < b.size() && a[at] == b[at]) ++at;
    const auto line = [&](const std::string& text) {
      const std::size_t from = text.rfind('\n', at) + 1;
      return text.substr(from, text.find('\n', at) - from);
    };
    return line(a) + "\n  instead of\n" + line(b);
  }
  std::string name_;
  Seen first_;
};

template <typename A, typename B>
bool same_text(A a, B b) {
  return program_of(a).aligned.text.text == program_of(b).aligned.text.text;
}

// clang-format off
#define SPELLED(expression) \
#expression, [](auto w, auto p) { (void)w, (void)p; return expression; }

}  // namespace

TEST_CASE("rows see keys up to their own") {
  Family("aligned at the end")
  (SPELLED(causal(M, N)))
  (SPELLED(position(M) >= index(N)))
  (SPELLED(index(N) <= position(M)))
  (SPELLED(index(N) < position(M) + 1))
  (SPELLED(!(index(N) > position(M))))
  (SPELLED(!(position(M) < index(N))))
  (SPELLED(position(M) - index(N) >= 0))
  (SPELLED(0 <= position(M) - index(N)))
  (SPELLED(-1 < position(M) - index(N)))
  (SPELLED(index(M) + extent(N) - extent(M) >= index(N)))
  (SPELLED(extent(N) + index(M) - extent(M) >= index(N)))
  (SPELLED(index(M) - index(N) >= extent(M) - extent(N)))
  (SPELLED(index(N) - index(M) <= extent(N) - extent(M)))
  (SPELLED(2 * position(M) >= 2 * index(N)))
  (SPELLED(-index(N) >= -position(M)))
  (SPELLED(where(position(M) >= index(N), true, false)))
  (SPELLED(causal(M, N) && causal(M, N)))
  (SPELLED(causal(M, N) && index(N) >= 0))
  (SPELLED(index(N) < extent(N) && causal(M, N)))
  (SPELLED(causal(M, N) || index(N) < 0))
  (SPELLED(max(position(M) - index(N), 0) == position(M) - index(N)))
  (SPELLED(min(position(M), index(N)) == index(N)));
  Family("aligned at the start")
  (SPELLED(causal(M, N, top_left)))
  (SPELLED(index(M) >= index(N)))
  (SPELLED(!(index(M) < index(N))))
  (SPELLED(index(M) - index(N) > -1))
  (SPELLED(index(N) - index(M) < 1))
  (SPELLED((index(M) | 0) >= (index(N) << 0) || false));
}

TEST_CASE("windows") {
  Family("w keys up to the row's own")
  (SPELLED(causal(M, N) && index(N) > position(M) - w))
  (SPELLED(index(N) > position(M) - w && causal(M, N)))
  (SPELLED(causal(M, N) && index(N) + w > position(M)))
  (SPELLED(causal(M, N) && position(M) - index(N) < w))
  (SPELLED(causal(M, N) && !(index(N) <= position(M) - w)))
  (SPELLED(!(index(N) > position(M) || index(N) <= position(M) - w)))
  (SPELLED(!(index(N) > position(M)) && !(index(N) <= position(M) - w)))
  (SPELLED(position(M) - index(N) >= 0 && position(M) - index(N) < w))
  (SPELLED(index(N) >= position(M) - (w - 1) && index(N) <= position(M)));
  Family("w keys to either side")
  (SPELLED(abs(index(M) - index(N)) <= w))
  (SPELLED(abs(index(N) - index(M)) <= w))
  (SPELLED(index(M) - index(N) <= w && index(N) - index(M) <= w))
  (SPELLED(index(N) >= index(M) - w && index(N) <= index(M) + w))
  (SPELLED(max(index(M) - index(N), index(N) - index(M)) <= w))
  (SPELLED(!(abs(index(M) - index(N)) > w)))
  (SPELLED(abs(index(M) - index(N)) < w + 1));
  Family("of 128 keys")
  (SPELLED(causal(M, N) && index(N) > position(M) - 128))
  (SPELLED(causal(M, N) && index(N) >= position(M) - 127))
  (SPELLED(causal(M, N) && position(M) - index(N) <= 127))
  (SPELLED(causal(M, N) && 128 > position(M) - index(N)));
}

TEST_CASE("chunks") {
  Family("of w keys")
  (SPELLED(index(N) / w == index(M) / w))
  (SPELLED(index(M) / w == index(N) / w))
  (SPELLED(index(N) / w - index(M) / w == 0))
  (SPELLED(index(N) / w <= index(M) / w && index(N) / w >= index(M) / w))
  (SPELLED(!(index(N) / w != index(M) / w)))
  (SPELLED(index(N) >= index(M) / w * w && index(N) < (index(M) / w + 1) * w));
  Family("of 64 keys")
  (SPELLED(index(N) / 64 == index(M) / 64))
  (SPELLED((index(N) >> 6) == (index(M) >> 6)))
  (SPELLED((index(N) / 1) / 64 == index(M) / 64 + index(M) % 1))
  (SPELLED(index(N) >= index(M) - index(M) % 64 && index(N) <= index(M) - index(M) % 64 + 63))
  (SPELLED(index(N) >= index(M) - (index(M) & 63) && index(N) < index(M) - (index(M) & 63) + 64));
}

TEST_CASE("unions") {
  Family("a prefix for all, then up to the row's own")
  (SPELLED(index(N) < p || causal(M, N)))
  (SPELLED(causal(M, N) || index(N) < p))
  (SPELLED(!(index(N) >= p && index(N) > position(M))))
  (SPELLED(index(N) < max(p, position(M) + 1)))
  (SPELLED(index(N) <= position(M) || p > index(N)))
  (SPELLED(where(index(N) < p, true, causal(M, N))));
  Family("sinks and a window")
  (SPELLED(causal(M, N) && (index(N) < p || index(N) > position(M) - w)))
  (SPELLED((index(N) > position(M) - w || index(N) < p) && causal(M, N)))
  (SPELLED((causal(M, N) && index(N) < p) || (causal(M, N) && index(N) > position(M) - w)))
  (SPELLED(!(!causal(M, N) || (index(N) >= p && index(N) <= position(M) - w))));
}

TEST_CASE("everything, nothing, lengths") {
  Family("everything")
  (SPELLED(index(N) >= 0))
  (SPELLED(index(N) < extent(N)))
  (SPELLED(index(M) >= index(N) || index(M) < index(N)))
  (SPELLED(index(N) * 0 == 0))
  (SPELLED((index(M) / 3 * 2 + index(N)) % 1 == 0))
  (SPELLED(!(index(N) < 0)));
  Family("nothing")
  (SPELLED(index(N) < 0))
  (SPELLED(index(N) >= extent(N)))
  (SPELLED(index(M) > index(N) && index(M) < index(N)))
  (SPELLED(!(index(N) >= 0)));
  Family("the first p keys")
  (SPELLED(index(N) < p))
  (SPELLED(p > index(N)))
  (SPELLED(index(N) - p < 0))
  (SPELLED(index(N) + 1 <= p))
  (SPELLED(!(p <= index(N))))
  (SPELLED(2 * index(N) < 2 * p))
  (SPELLED(index(N) < min(p, extent(N))));
}

TEST_CASE("one key more or less is another mask") {
  const auto mask = [](auto w, auto) { return causal(M, N) && index(N) > position(M) - w; };
  CHECK(same_text(mask, mask));
  CHECK_FALSE(same_text(mask, [](auto w, auto) { return causal(M, N) && index(N) >= position(M) - w; }));
  CHECK_FALSE(same_text(mask, [](auto w, auto) { return index(N) < position(M) && index(N) > position(M) - w; }));
  CHECK_FALSE(same_text(mask, [](auto w, auto) { return causal(M, N, top_left) && index(N) > index(M) - w; }));
  CHECK_FALSE(same_text(mask, [](auto w, auto) { return causal(M, N) || index(N) > position(M) - w; }));
}
