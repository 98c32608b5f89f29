// Many threads at once: they open devices, compile the same and different kernels, load, allocate
// and launch on streams of their own, and every result is right. Also run under ThreadSanitizer
// (.ci/sanitize --thread).
#include "threads.hpp"

#include <atomic>

#include "runtime/surroundings.hpp"

using namespace plans;

namespace {

const std::string nothing_wrong;
constexpr int threads = 6;

}  // namespace

TEST_CASE("one device, opened by many threads at once") {
  std::vector<std::optional<Device>> opened(threads);
  CHECK(at_once(threads, [&](int t) -> std::string {
          for (int i = 0; i < 20; ++i)
            opened[static_cast<std::size_t>(t)] =
                Device::open(t % 2 == 0 ? "emulator:sm_80" : "emulator:sm_90a");
          return opened[static_cast<std::size_t>(t)]->arch() == (t % 2 == 0 ? 80 : 90)
                     ? ""
                     : "another device";
        }) == nothing_wrong);
  for (std::size_t t = 2; t < opened.size(); ++t) CHECK(*opened[t] == *opened[t - 2]);
  CHECK_FALSE(*opened[0] == *opened[1]);
}

TEST_CASE("the same and different kernels, compiled and launched by many threads at once") {
  // An empty cache: all threads compile, two of them each kernel.
  const test::TemporaryFolder folder;
  const test::ScopedVariable cache("TILEWRIGHT_CACHE_DIR", folder.path().string());
  const Device device = Device::open("emulator:sm_80");
  CHECK(at_once(threads, [&](int t) -> std::string {
          const auto factor = static_cast<float>(2 + t / 2);
          const Plan plan = compile(device, scaled(factor));
          std::vector<Stream> streams;
          for (int i = 0; i < 3; ++i) streams.emplace_back(device);
          std::vector<Pair> pairs;
          for (int i = 0; i < 6; ++i) {
            pairs.emplace_back(device, 3, 65 + i, static_cast<float>(100 * t + i));
            plan.launch(streams[static_cast<std::size_t>(i % 3)], pairs.back().arguments());
          }
          for (const Stream& stream : streams) stream.synchronize();
          int wrong = 0;
          for (const Pair& pair : pairs) wrong += pair.wrong(factor);
          return wrong_elements(wrong);
        }) == nothing_wrong);
}

TEST_CASE("one plan, launched by many threads on streams of their own") {
  const Device& device = emulator();
  const Plan plan = compile(device, scaled(3));
  std::atomic<int> launches{0};
  CHECK(at_once(threads, [&](int t) -> std::string {
          const Stream stream(device);
          for (int i = 0; i < 8; ++i) {
            // Aligned and unaligned rows: both forms of the kernel.
            const Pair pair(device, 2 + t, i % 2 == 0 ? 64 : 63, static_cast<float>(1000 * t + i));
            const Stream common = Stream::default_stream(device);
            plan.launch(i % 4 < 2 ? stream : common, pair.arguments());
            if (i % 3 == 0) device.synchronize();
            if (const int wrong = pair.wrong(3); wrong != 0) return wrong_elements(wrong);
            ++launches;
          }
          return "";
        }) == nothing_wrong);
  CHECK(launches == 8 * threads);
}

TEST_CASE("many small launches of one plan: no launch runs with another's arguments") {
  const Device& device = emulator();
  const Plan plan = compile(device, scaled(11));
  CHECK(at_once(threads, [&](int t) -> std::string {
          const Stream stream(device);
          std::vector<Pair> pairs;
          for (int i = 0; i < 200; ++i)
            pairs.emplace_back(device, 1, 8, static_cast<float>(1000 * t + i));
          for (const Pair& pair : pairs) plan.launch(stream, pair.arguments());
          stream.synchronize();
          int wrong = 0;
          for (const Pair& pair : pairs) wrong += pair.wrong(11);
          return wrong_elements(wrong);
        }) == nothing_wrong);
}

TEST_CASE("one plan of four kernels, each thread with a workspace of its own") {
  const Plan plan = chain();
  const Device& device = plan.device();
  const Extents extents{{R, 5}, {C, 77}};
  const std::size_t bytes = plan.workspace_bytes(extents);
  const auto result = [](float x) { return static_cast<float>(expected(x)); };
  CHECK(at_once(threads, [&](int t) -> std::string {
          Plan own = plan;  // copies share the kernels, and reserve for themselves
          const Buffer workspace(device, bytes);
          if (t % 2 == 0) own.reserve(extents);
          const Stream stream(device);
          int wrong = 0;
          for (int i = 0; i < 4; ++i) {
            const Pair pair(device, 5, 77, static_cast<float>(t) / 4);
            if (t % 2 == 0)
              own.launch(stream, pair.arguments());
            else
              plan.launch(stream, pair.arguments(), workspace);
            stream.synchronize();
            wrong += pair.wrong(result);
          }
          return wrong_elements(wrong);
        }) == nothing_wrong);
}

TEST_CASE("refusals on some threads leave the launches of others alone") {
  const Device& device = emulator();
  const Plan plan = compile(device, scaled(5));
  CHECK(at_once(threads, [&](int t) -> std::string {
          const Stream stream(device);
          const Pair pair(device, 4, 50, static_cast<float>(t));
          for (int i = 0; i < 20; ++i) {
            if (t % 2 == 0) {
              plan.launch(stream, pair.arguments());
              continue;
            }
            try {
              plan.launch(stream, {{"x", pair.x()}});
              if (i == 0) continue;  // an output that is not given is not written
            } catch (const Error& error) {
              return error.what();
            }
            try {
              plan.launch(stream, {{"y", pair.y()}});
              return "launched without its input";
            } catch (const Error& error) {
              if (error.argument() != "x") return error.what();
            }
          }
          stream.synchronize();
          return t % 2 == 0 ? wrong_elements(pair.wrong(5)) : "";
        }) == nothing_wrong);
}

TEST_CASE("both architectures at once, each from several threads") {
  const Device older = emulator(), newer = Device::open("emulator:sm_90a");
  CHECK(at_once(threads, [&](int t) -> std::string {
          const Device& device = t % 2 == 0 ? older : newer;
          const auto factor = static_cast<float>(7 + t % 3);
          const Plan plan = compile(device, scaled(factor));
          const Stream stream(device);
          int wrong = 0;
          for (int i = 0; i < 4; ++i) {
            const Pair pair(device, 3, 129, static_cast<float>(10 * t + i));
            plan.launch(stream, pair.arguments());
            wrong += pair.wrong(factor);  // waits for the default stream only
            stream.synchronize();
            wrong += pair.wrong(factor);
          }
          return wrong_elements(wrong);
        }) == nothing_wrong);
}
