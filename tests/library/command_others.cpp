// `list`, `dump`, `cache`, `doctor`, the help, and streams that fail.
#include <stdlib.h>

#include <map>
#include <optional>

#include "command_harness.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace tilewright;
using test::invoke;

/// An environment variable for the length of a test.
class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name) {
    if (const char* old = ::getenv(name)) before_ = old;
    ::setenv(name, value.c_str(), 1);
  }
  ~Environment() {
    if (before_) {
      ::setenv(name_, before_->c_str(), 1);
    } else {
      ::unsetenv(name_);
    }
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

}  // namespace

TEST_CASE("list shows every variant, with options and their defaults") {
  const auto outcome = invoke("list --json");
  CHECK(outcome.status == 0);
  const auto variants = outcome.json().at("variants");
  REQUIRE(variants.size() == 2);
  CHECK(variants[0].at("name") == "fake");
  CHECK(variants[0].at("origin") == "the tests");
  CHECK(variants[0].at("summary") == "attention by the formula");
  std::map<std::string, std::string> defaults;
  for (const auto& option : variants[0].at("options")) {
    CHECK(option.at("help").is_string());
    defaults[option.at("name")] = option.at("default");
  }
  CHECK(defaults.at("--plant") == "none");
  CHECK(defaults.at("--heads") == "8");
  CHECK(defaults.at("--dtype") == "bf16");
  CHECK(defaults.count("--window") == 0);
  CHECK(invoke("list").out.find("fake") != std::string::npos);
  CHECK(invoke("--json list").json().at("variants").size() == 2);
}

TEST_CASE("help and version are answers, not failures") {
  for (const char* line : {"--help", "run --help", "run fake --help", "dump -h", "cache --help"}) {
    CAPTURE(line);
    const auto outcome = invoke(line);
    CHECK(outcome.status == 0);
    CHECK(outcome.err.empty());
    CHECK(outcome.out.find("Usage: tilewright") != std::string::npos);
  }
  const std::string help = invoke("run --help").out;
  for (const char* words : {"--causal-alignment", "bottom-right", "1/sqrt(head-dim)", "--plant",
                            "(default: 512)", "normal numbers", "Exit status"}) {
    CAPTURE(words);
    CHECK(help.find(words) != std::string::npos);
  }
  // A terminal's width: nothing is cut or wrapped by it.
  for (const char* line : {"", "list", "doctor", "run", "bench", "dump", "mask", "warmup", "cache",
                           "cache ls", "cache path", "cache clear"}) {
    std::istringstream lines(invoke(std::string(line) + " --help").out);
    for (std::string one; std::getline(lines, one);) CHECK_MESSAGE(one.size() <= 100, one);
  }
  CHECK(invoke("--version").out == "tilewright 0.1.0\n");
}

TEST_CASE("dump prints a stage, or writes it") {
  const test::TemporaryFolder folder;
  CHECK(invoke("dump fake").out == "sm_80 stage 3 q 512\n");
  CHECK(invoke("dump fake --arch sm_90a --stage schedule --seqlen-q 7").out ==
        "sm_90a stage 2 q 7\n");
  test::write_text(folder / "plan", "tile q 16\n");
  CHECK(invoke("dump fake --schedule " + (folder / "plan").string()).out ==
        "sm_80 stage 3 q 512\ntile q 16\n");

  const auto path = folder / "k.cu";
  const auto outcome = invoke("dump fake -o " + path.string());
  CHECK(outcome.status == 0);
  CHECK(outcome.out.empty());
  CHECK(test::read_text(path) == "sm_80 stage 3 q 512\n");
  const auto object = invoke("dump fake --json --stage ptx").json();
  CHECK(object.at("ok") == true);
  CHECK(object.at("text") == "sm_80 stage 4 q 512\n");
}

TEST_CASE("a cubin goes to a file or a pipe, never to a terminal") {
  const test::TemporaryFolder folder;
  const std::string image(
      "\x7f"
      "ELF\0\1\2",
      7);
  CHECK(invoke("dump fake --stage cubin").out == image);
  const auto refused = invoke("dump fake --stage cubin", true);
  CHECK(refused.status == 2);
  CHECK(refused.out.empty());
  const auto path = folder / "k.cubin";
  CHECK(invoke("dump fake --stage cubin --output " + path.string(), true).status == 0);
  CHECK(test::read_text(path) == image);
  test::require_refused("dump fake --stage cubin --output " + (folder / "a/b").string(), 1, "io",
                        "output");
}

TEST_CASE("the cache is named, listed and cleared") {
  const test::TemporaryFolder folder;
  const std::string root = (folder / "cache").string();
  const Environment cache("TILEWRIGHT_CACHE_DIR", root);
  CHECK(invoke("cache path").out == root + "\n");
  CHECK(invoke("cache path --json").json().at("path") == root);
  const auto list = invoke("cache ls --json").json();
  CHECK(list.at("entries") == nlohmann::json::array());
  CHECK(list.at("path") == root);
  CHECK(invoke("cache ls").status == 0);
  CHECK(invoke("cache clear --json").json().at("removed") == 0);
}

TEST_CASE("doctor reports a missing NVRTC with its remedy, and the rest all the same") {
  const test::TemporaryFolder folder;
  const Environment nvrtc("TILEWRIGHT_NVRTC_PATH", (folder / "nowhere").string());
  const Environment cache("TILEWRIGHT_CACHE_DIR", (folder / "cache").string());
  const auto outcome = invoke("doctor --json");
  CHECK(outcome.status == 3);
  const auto object = outcome.json();
  CHECK(object.at("ok") == false);
  CHECK(object.at("error").at("kind") == "missing");
  CHECK(object.at("error").at("argument") == "nvrtc");
  CHECK(object.at("nvrtc").at("found") == false);
  CHECK(object.at("nvrtc").at("install").get<std::string>().find("nvrtc") != std::string::npos);
  CHECK(object.at("cache").at("path") == (folder / "cache").string());
  CHECK(object.at("cache").at("writable") == true);
  CHECK(object.at("cache").at("entries") == 0);
  for (const char* part : {"gpu_driver", "emulator", "devices"}) CHECK(object.contains(part));
  const auto spoken = invoke("doctor");
  CHECK(spoken.status == 3);
  CHECK(spoken.out.find("MISSING") != std::string::npos);
  CHECK(spoken.out.find((folder / "nowhere/lib64").string() + "\n") != std::string::npos);
  CHECK(spoken.out.find("pip install --target") != std::string::npos);
  CHECK(object.at("error").at("id") == "nvrtc-not-found");
  CHECK(spoken.out.find("Not ready") != std::string::npos);
}

TEST_CASE("doctor names a cache that cannot be written, and what mends it") {
  const test::TemporaryFolder folder;
  test::write_text(folder / "file", "in the way");
  const Environment cache("TILEWRIGHT_CACHE_DIR", (folder / "file/cache").string());
  const auto found = invoke("doctor --json").json().at("cache");
  CHECK(found.at("writable") == false);
  CHECK(found.at("problem").is_string());
  CHECK(found.at("install").get<std::string>().find("TILEWRIGHT_CACHE_DIR") != std::string::npos);
  const auto spoken = invoke("doctor").out;
  CHECK(spoken.find("READ-ONLY") != std::string::npos);
  CHECK(spoken.find("TILEWRIGHT_CACHE_DIR") != std::string::npos);
}

TEST_CASE("doctor survives a wrong word in the environment") {
  const Environment cache("TILEWRIGHT_CACHE", "perhaps");
  const auto object = invoke("doctor --json").json();
  CHECK(object.at("cache").at("problem").is_string());
}

TEST_CASE("a standard output that fails is an output that could not be written") {
  std::ostringstream out, err;
  out.setstate(std::ios::badbit);
  CHECK(command::command({"list"}, test::fake_variants(), out, err) == 1);
  CHECK(err.str().find("standard output") != std::string::npos);
}
