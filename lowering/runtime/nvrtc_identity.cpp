// The record is text: one line per library, "<searched name>\t<path>\t<size>\t<mtime>\t<identity>".
// A bare name is remembered with the path the dynamic linker settled on. Any line that does not
// parse, or does not match the file as it is now, is ignored and rewritten.
#include "runtime/nvrtc_identity.hpp"

#include <optional>
#include <sstream>
#include <vector>

#include "runtime/atomic_file.hpp"
#include "runtime/nvrtc.hpp"
#include "runtime/nvrtc_search.hpp"

namespace tilewright::runtime {
namespace {

namespace fs = std::filesystem;

struct Record {
  std::string searched;
  std::string path;
  std::string size;
  std::string time;
  std::string identity;
};

/// Size and time of the file as it is now; nothing when it is gone.
std::optional<std::pair<std::string, std::string>> stamp(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) return std::nullopt;
  const auto time = fs::last_write_time(path, error);
  if (error) return std::nullopt;
  return std::pair(std::to_string(size), std::to_string(time.time_since_epoch().count()));
}

std::vector<Record> read_records(const fs::path& file) {
  std::vector<Record> records;
  std::istringstream text(read_file(file, 1 << 20).value_or(""));
  for (std::string line; std::getline(text, line);) {
    std::istringstream fields(line);
    Record record;
    if (std::getline(fields, record.searched, '\t') && std::getline(fields, record.path, '\t') &&
        std::getline(fields, record.size, '\t') && std::getline(fields, record.time, '\t') &&
        std::getline(fields, record.identity) && !record.identity.empty())
      records.push_back(record);
  }
  return records;
}

void remember(const fs::path& file, std::vector<Record> records, const Record& fresh) {
  // Tabs or line breaks in a path would break the format; such a library is opened each time.
  if ((fresh.searched + fresh.path).find_first_of("\t\n") != std::string::npos) return;
  std::erase_if(records, [&](const Record& old) { return old.searched == fresh.searched; });
  records.push_back(fresh);
  std::string text;
  for (const Record& record : records)
    text += record.searched + '\t' + record.path + '\t' + record.size + '\t' + record.time + '\t' +
            record.identity + '\n';
  // A cache that cannot be written warns where the image is stored.
  (void)write_atomically(file, text);
}

std::string identity_of(const Nvrtc& nvrtc) {
  const auto now = stamp(nvrtc.file());
  return nvrtc.version() + "+" + (now ? now->first : "0");
}

}  // namespace

std::string nvrtc_identity(const fs::path& cache_root) {
  if (cache_root.empty()) return identity_of(*Nvrtc::load());
  const fs::path file = cache_root / "nvrtc-identities";
  std::vector<Record> records = read_records(file);
  const NvrtcSearch search = search_nvrtc();
  // Only the first candidate can be trusted unopened: a later one counts when the earlier fail.
  if (!search.candidates.empty()) {
    for (const Record& record : records) {
      if (record.searched != search.candidates.front()) continue;
      const auto now = stamp(record.path);
      if (now && now->first == record.size && now->second == record.time) return record.identity;
    }
  }
  const auto nvrtc = Nvrtc::load();
  const std::string identity = identity_of(*nvrtc);
  if (const auto now = stamp(nvrtc->file()))
    remember(
        file, std::move(records),
        {search.candidates.front(), nvrtc->file().string(), now->first, now->second, identity});
  return identity;
}

}  // namespace tilewright::runtime
