// `tilewright warmup`: lists with good and bad lines, progress, statuses, the memory it takes.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <tilewright/error.hpp>

#include "command/command.hpp"
#include "runtime/cache.hpp"
#include "runtime/surroundings.hpp"
#include "variants/table.hpp"

using namespace tilewright;
using test::ScopedVariable;
using test::TemporaryFolder;

namespace {

struct Outcome {
  int status;
  std::string out, err;
  nlohmann::json json() const { return nlohmann::json::parse(out); }
};

/// `list` is standard input.
Outcome warm(const std::string& list, std::vector<std::string> options = {},
             bool terminal = false) {
  std::vector<std::string> words{"warmup", "-"};
  words.insert(words.end(), options.begin(), options.end());
  std::istringstream in(list);
  std::ostringstream out, err;
  const int status = command::command(words, library::variants(), out, err, {.err = terminal}, in);
  return {status, out.str(), err.str()};
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

constexpr const char* small = "flash --head-dim 16 --tile-q 16 --tile-kv 16 --warps 1 ";

}  // namespace

TEST_CASE("a list is compiled once; comments and blank lines are none") {
  TemporaryFolder folder;
  ScopedVariable cache("TILEWRIGHT_CACHE_DIR", folder.path().string());
  const std::string list = "# the kernels of a model\n\n   \t\n" + std::string(small) +
                           "--arch sm_80 # on an A100\r\n\t" + small +
                           "\"--device\" 'emulator:sm_80'#no comment\n";
  const auto refused = warm(list, {"--json"});
  CHECK(refused.status == 2);
  CHECK(refused.json().at("errors").at(0).at("line") == 5);

  const std::string good = std::string(small) + "--arch sm_80 # on an A100\r\n\n" + small;
  const auto first = warm(good, {"--device", "emulator:sm_80", "--jobs", "2"});
  CHECK(first.status == 0);
  CHECK(count(first.err, "\n") == 2);
  CHECK(holds(first.err, "[1/2] flash"));
  CHECK(holds(first.err, "[2/2] flash"));
  CHECK(holds(first.err, "--warps 1 --arch sm_80: cached"));  // by the list above
  CHECK(holds(first.out, "2 lines: 1 compiled, 1 cached (2 at a time"));
  const auto again = warm(good, {"--json", "--device", "emulator:sm_80"});
  CHECK(again.status == 0);
  CHECK(again.json().at("ok") == true);
  CHECK(again.json().at("cached") == 2);
  CHECK(again.json().at("compiled") == 0);
  CHECK(again.json().at("cache") == folder.path().string());
  CHECK(again.json().at("bytes").get<int>() > 1000);
  std::size_t ptx = 0;
  const auto entries = runtime::Cache(folder.path()).list();
  for (const auto& entry : entries) ptx += entry.label.kind == runtime::ImageKind::ptx;
  CHECK(entries.size() == 4);
  CHECK(ptx == 2);
}

TEST_CASE("a bad line is named with its number, and the rest is compiled") {
  TemporaryFolder folder;
  ScopedVariable cache("TILEWRIGHT_CACHE_DIR", (folder.path() / "cache").string());
  const std::string file = (folder.path() / "kernels.txt").string();
  std::ofstream(file) << "flash --head-dim 1000\n"
                      << "no_such_variant\n"
                      << small << "--arch sm_80\n"
                      << "flash --no-such-option\n"
                      << "flash --head-dim\n"
                      << "flash --arch sm_70\n"
                      << "flash --arch sm_80 --device emulator:sm_80\n"
                      << "flash --help\n"
                      << "flash --scores f32 --arch sm_80\n"
                      << "flash --device emulator:sm_80 --device\n"
                      << "standard 'unclosed\n";
  std::ostringstream out, err;
  const int status = command::command({"warmup", file, "--json"}, library::variants(), out, err);
  CHECK(status == 2);
  const auto object = nlohmann::json::parse(out.str());
  CHECK(object.at("ok") == false);
  CHECK(object.at("lines") == 11);
  CHECK(object.at("compiled") == 1);
  CHECK(object.at("refused") == 10);
  CHECK(object.at("error").at("argument") == "--head-dim");
  std::vector<int> numbers;
  for (const auto& error : object.at("errors")) {
    numbers.push_back(error.at("line"));
    CHECK(error.at("kind") == "invalid_argument");
    for (const char* field : {"text", "argument", "value", "allowed", "message"})
      CHECK(error.at(field).is_string());
  }
  CHECK(numbers == std::vector<int>{1, 2, 4, 5, 6, 7, 8, 9, 10, 11});
  CHECK(holds(err.str(), "tilewright: " + file + ":1: --head-dim is out of range"));
  CHECK(holds(err.str(), "[11/11] "));
}

TEST_CASE("on a terminal progress is one line that is written over") {
  TemporaryFolder folder;
  ScopedVariable cache("TILEWRIGHT_CACHE_DIR", folder.path().string());
  const std::string list =
      std::string(small) + "--arch sm_80\n" + small + "--causal --arch sm_80\n";
  const auto shown = warm(list, {}, true);
  CHECK(shown.status == 0);
  CHECK(count(shown.err, "\n") == 0);
  CHECK(count(shown.err, "\r\x1b[K") == 2);
  CHECK(shown.err.ends_with("\r\x1b[K"));
  std::size_t longest = 0, start = 0;
  for (std::size_t at; (at = shown.err.find('\r', start)) != std::string::npos; start = at + 4)
    longest = std::max(longest, at - start);
  CHECK(longest <= 79);
}

TEST_CASE("statuses: nothing kept is 1, a wrong request 2, what is missing 3") {
  TemporaryFolder folder;
  std::ofstream(folder.path() / "file") << "in the way";
  const std::string line = std::string(small) + "--arch sm_80\n";
  {
    ScopedVariable cache("TILEWRIGHT_CACHE_DIR", (folder.path() / "file" / "cache").string());
    const auto unkept = warm(line, {"--json"});
    CHECK(unkept.status == 1);
    CHECK(unkept.json().at("ok") == false);
    CHECK(unkept.json().at("not_kept") == 1);
    CHECK(unkept.json().at("error").at("kind") == "io");
    CHECK(unkept.json().at("error").at("id") == "cache-not-writable");
    CHECK(holds(warm(line).out, "1 not kept"));
  }
  ScopedVariable cache("TILEWRIGHT_CACHE_DIR", (folder.path() / "cache").string());
  const std::vector<std::pair<std::vector<std::string>, std::string>> refusals{
      {{"--jobs", "0"}, "--jobs"},
      {{"--jobs", "many"}, "--jobs"},
      {{"--memory", "1M"}, "--memory"},
      {{"--memory", "2000000000"}, "--memory"},
      {{"--arch", "sm_80", "--device", "auto"}, "--device"},
      {{"more"}, "arguments"},
  };
  for (auto [options, argument] : refusals) {
    CAPTURE(argument);
    options.push_back("--json");
    const auto refused = warm(line, options);
    CHECK(refused.status == 2);
    CHECK(refused.json().at("error").at("argument") == argument);
  }
  {
    ScopedVariable off("TILEWRIGHT_CACHE", "off");
    CHECK(warm(line).status == 2);
  }
  std::ostringstream out, err;
  CHECK(command::command({"warmup", (folder.path() / "no list").string()}, library::variants(), out,
                         err) == 2);
  CHECK(command::command({"warmup"}, library::variants(), out, err) == 2);
  CHECK(warm(std::string((1 << 20) + 1, '#')).status == 2);
  CHECK(warm("").status == 0);
  ScopedVariable nowhere("TILEWRIGHT_NVRTC_PATH", (folder.path() / "nowhere").string());
  const auto missing = warm(line, {"--json"});
  CHECK(missing.status == 3);
  CHECK(missing.json().at("error").at("argument") == "nvrtc");
}

TEST_CASE("a list larger than the cache says so") {
  TemporaryFolder folder;
  ScopedVariable cache("TILEWRIGHT_CACHE_DIR", folder.path().string());
  ScopedVariable limit("TILEWRIGHT_CACHE", "20K");
  const auto outcome =
      warm(std::string(small) + "--arch sm_80\nflash --arch sm_80 --head-dim 32\n");
  CHECK(holds(outcome.err, "but the cache keeps 20.0 KiB"));
}

TEST_CASE("the memory cap holds: peak of a process that was asked for more jobs than it allows") {
  TemporaryFolder folder;
  ScopedVariable cache("TILEWRIGHT_CACHE_DIR", (folder.path() / "cache").string());
  const std::string file = (folder.path() / "kernels.txt").string();
  {
    std::ofstream list(file);
    for (const int dim : {128, 112, 96, 80})
      list << "flash --arch sm_80 --head-dim " << dim << "\n";
  }
  const std::string summary = (folder.path() / "summary").string();
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    (void)!std::freopen(summary.c_str(), "w", stdout);
    (void)!std::freopen("/dev/null", "w", stderr);
    ::execl(TILEWRIGHT_COMMAND, "tilewright", "warmup", file.c_str(), "--jobs", "16", "--memory",
            "256M", "--json", nullptr);
    ::_exit(127);
  }
  int status = 0;
  rusage used{};
  REQUIRE(::wait4(child, &status, 0, &used) == child);
  CHECK(WEXITSTATUS(status) == 0);
  std::ifstream written(summary);
  const auto object = nlohmann::json::parse(written);
  CHECK(object.at("jobs") == 2);
  CHECK(object.at("compiled") == 4);
  CHECK(used.ru_maxrss < 256 * 1024);
  MESSAGE("peak " << used.ru_maxrss / 1024 << " MiB with two compiles at a time");
}
