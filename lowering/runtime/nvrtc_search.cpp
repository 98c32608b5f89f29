// File names are matched, not opened: libnvrtc.so.13, libnvrtc.so.12.4.127, libnvrtc.so.
// Major versions below 12 are passed over: they know neither sm_90a nor C++20-era options.
#include "runtime/nvrtc_search.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "runtime/environment.hpp"
#include "runtime/shared_library.hpp"

namespace tilewright::runtime {
namespace {

namespace fs = std::filesystem;

constexpr int oldest_major = 12;
constexpr const char* stem = "libnvrtc.so";

/// 13 for libnvrtc.so.13 and libnvrtc.so.13.0.48, 0 for libnvrtc.so; nothing for other names.
std::optional<int> major_version(const std::string& file_name) {
  if (file_name.rfind(stem, 0) != 0) return std::nullopt;
  const std::string rest = file_name.substr(std::string(stem).size());
  if (rest.empty()) return 0;
  int major = 0;
  const auto [stop, error] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), major);
  if (rest[0] != '.' || error != std::errc{}) return std::nullopt;
  return stop == rest.data() + rest.size() || *stop == '.' ? std::optional(major) : std::nullopt;
}

/// NVRTC in exactly this folder: the newest major version, else the unversioned name.
std::optional<fs::path> in_folder(const fs::path& folder) {
  std::optional<fs::path> best;
  int best_major = -1;
  std::error_code error;
  for (const auto& item : fs::directory_iterator(folder, error)) {
    const auto major = major_version(item.path().filename().string());
    if (!major || (*major != 0 && *major < oldest_major) || *major < best_major) continue;
    if (!fs::is_regular_file(item.path(), error)) continue;  // follows links; broken ones fail
    // Among equal majors the shortest name is the one meant for loading.
    if (*major == best_major && item.path().native().size() >= best->native().size()) continue;
    best = item.path();
    best_major = *major;
  }
  return best;
}

void look_in(NvrtcSearch& search, const fs::path& folder) {
  if (folder.empty()) return;
  search.looked.push_back(folder.string());
  std::error_code error;
  if (const auto file = in_folder(fs::absolute(folder, error)))
    search.candidates.push_back(file->string());
}

/// A folder a person may name: one of libraries, a toolkit, or site-packages.
void look_below(NvrtcSearch& search, const fs::path& folder) {
  for (const char* below : {"", "lib64", "lib", "targets/x86_64-linux/lib",
                            "targets/sbsa-linux/lib", "nvidia/cu13/lib", "nvidia/cuda_nvrtc/lib"})
    look_in(search, *below ? folder / below : folder);
}

/// /usr/local/cuda and /usr/local/cuda-<version>, newest first.
std::vector<fs::path> installed_toolkits() {
  std::vector<fs::path> folders;
  std::error_code error;
  for (const auto& item : fs::directory_iterator("/usr/local", error))
    if (item.path().filename().string().rfind("cuda-", 0) == 0) folders.push_back(item.path());
  std::sort(folders.rbegin(), folders.rend());
  folders.insert(folders.begin(), "/usr/local/cuda");
  return folders;
}

}  // namespace

NvrtcSearch search_nvrtc() {
  NvrtcSearch search;
  if (const std::string given = environment::nvrtc_path(); !given.empty()) {
    std::error_code error;
    if (fs::is_regular_file(given, error)) {
      search.looked.push_back(given);
      search.candidates.push_back(fs::absolute(given, error).string());
    } else {
      look_below(search, given);
    }
    return search;
  }
  const fs::path here = folder_of_this_binary();
  look_in(search, here);
  look_in(search, here.parent_path() / "lib");
  look_below(search, here / "cuda");
  for (const auto& folder : environment::linker_search_folders()) look_in(search, folder);
  for (const auto& folder : run_paths_of_this_binary()) {
    look_in(search, folder);
    look_below(search, folder / "cuda");  // beside the emulator of a build tree
  }
  for (const char* bare : {"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"}) {
    search.looked.emplace_back(std::string(bare) + " (dynamic linker)");
    search.candidates.emplace_back(bare);
  }
  for (const auto& folder : installed_toolkits()) look_below(search, folder);
  return search;
}

}  // namespace tilewright::runtime
