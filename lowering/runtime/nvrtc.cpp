// Opening NVRTC and one compile. The builtins library is loaded first and by its own path, because
// NVRTC asks the dynamic linker for it by bare name, which fails outside standard folders.
// Next: tests/runtime/nvrtc_test.cpp.
#include "runtime/nvrtc.hpp"

#include <nvrtc.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <tilewright/error.hpp>
#include <utility>

#include "runtime/errors.hpp"
#include "runtime/log.hpp"
#include "runtime/nvrtc_search.hpp"
#include "runtime/shared_library.hpp"

namespace tilewright::runtime {

struct Nvrtc::Functions {
  decltype(&nvrtcVersion) version = nullptr;
  decltype(&nvrtcGetErrorString) error_string = nullptr;
  decltype(&nvrtcGetNumSupportedArchs) architecture_count = nullptr;
  decltype(&nvrtcGetSupportedArchs) architectures = nullptr;
  decltype(&nvrtcCreateProgram) create = nullptr;
  decltype(&nvrtcDestroyProgram) destroy = nullptr;
  decltype(&nvrtcCompileProgram) compile = nullptr;
  decltype(&nvrtcGetProgramLogSize) log_size = nullptr;
  decltype(&nvrtcGetProgramLog) log = nullptr;
  decltype(&nvrtcGetPTXSize) ptx_size = nullptr;
  decltype(&nvrtcGetPTX) ptx = nullptr;
  decltype(&nvrtcGetCUBINSize) cubin_size = nullptr;
  decltype(&nvrtcGetCUBIN) cubin = nullptr;

  bool resolve(const SharedLibrary& library) {
    const auto one = [&](auto& function, const char* symbol) {
      function =
          reinterpret_cast<std::remove_reference_t<decltype(function)>>(library.find(symbol));
      return function != nullptr;
    };
    return one(version, "nvrtcVersion") && one(error_string, "nvrtcGetErrorString") &&
           one(architecture_count, "nvrtcGetNumSupportedArchs") &&
           one(architectures, "nvrtcGetSupportedArchs") && one(create, "nvrtcCreateProgram") &&
           one(destroy, "nvrtcDestroyProgram") && one(compile, "nvrtcCompileProgram") &&
           one(log_size, "nvrtcGetProgramLogSize") && one(log, "nvrtcGetProgramLog") &&
           one(ptx_size, "nvrtcGetPTXSize") && one(ptx, "nvrtcGetPTX") &&
           one(cubin_size, "nvrtcGetCUBINSize") && one(cubin, "nvrtcGetCUBIN");
  }
};

namespace {

void preload_builtins(const std::filesystem::path& folder) {
  std::error_code error;
  for (const auto& item : std::filesystem::directory_iterator(folder, error)) {
    const std::string file = item.path().filename().string();
    if (file.rfind("libnvrtc-builtins.so.", 0) == 0) SharedLibrary::preload(item.path());
  }
}

std::string lines(const std::vector<std::string>& places) {
  std::string text;
  for (const std::string& place : places) text += "\n  " + place;
  return text;
}

/// Sizes an NVRTC text or image, then fetches it.
template <class Size, class Get>
std::string fetch(nvrtcProgram program, Size size, Get get) {
  std::size_t bytes = 0;
  if (size(program, &bytes) != NVRTC_SUCCESS || bytes == 0) return {};
  std::string text(bytes, '\0');
  if (get(program, text.data()) != NVRTC_SUCCESS) return {};
  return text;
}

std::string without_trailing_zeros(std::string text) {
  while (!text.empty() && text.back() == '\0') text.pop_back();
  return text;
}

/// The rooted file name keeps NVRTC from writing the working directory into the image; people
/// should not see the root in messages.
std::string readable(std::string log, const std::string& file) {
  for (std::size_t at = 0; (at = log.find("/" + file, at)) != std::string::npos;) log.erase(at, 1);
  return log;
}

/// Places for compiles, as many as are allowed by now.
class CompileSlots {
 public:
  void allow(int count) {
    std::lock_guard lock(mutex_);
    allowed_ = std::max(allowed_, count);
    changed_.notify_all();
  }
  void acquire() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return taken_ < allowed_; });
    ++taken_;
  }
  void release() {
    std::lock_guard lock(mutex_);
    --taken_;
    changed_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int allowed_ = 8, taken_ = 0;
};

CompileSlots& compile_slots() {
  static auto* slots = new CompileSlots;
  return *slots;
}

}  // namespace

Nvrtc::Nvrtc(std::filesystem::path file, std::unique_ptr<Functions> functions)
    : file_(std::move(file)), functions_(std::move(functions)) {
  functions_->version(&major_, &minor_);
}

Nvrtc::~Nvrtc() = default;

void Nvrtc::allow_compiles_at_once(int count) { compile_slots().allow(count); }

std::string Nvrtc::version() const { return std::to_string(major_) + "." + std::to_string(minor_); }

std::shared_ptr<const Nvrtc> Nvrtc::open(const std::string& candidate, std::string& reason) {
  const std::filesystem::path path = candidate;
  if (path.is_absolute()) preload_builtins(path.parent_path());
  SharedLibrary::Failure failure;
  const auto library = SharedLibrary::open(candidate, failure);
  if (!library) {
    reason = failure.absent ? "" : failure.reason;
    return nullptr;
  }
  auto functions = std::make_unique<Functions>();
  if (!functions->resolve(*library)) {
    reason = candidate + " is not NVRTC 12.0 or newer";
    return nullptr;
  }
  auto file = SharedLibrary::file_of(reinterpret_cast<const void*>(functions->version));
  if (!path.is_absolute()) preload_builtins(file.parent_path());
  return std::shared_ptr<const Nvrtc>(new Nvrtc(std::move(file), std::move(functions)));
}

std::shared_ptr<const Nvrtc> Nvrtc::find(std::vector<std::string>& notes) {
  static auto* mutex = new std::mutex;
  static auto* opened = new std::map<std::string, std::shared_ptr<const Nvrtc>>;
  const NvrtcSearch search = search_nvrtc();
  notes = search.looked;
  std::lock_guard lock(*mutex);
  for (const std::string& candidate : search.candidates) {
    if (const auto found = opened->find(candidate); found != opened->end()) return found->second;
    std::string reason;
    if (auto nvrtc = open(candidate, reason)) {
      log_debug("NVRTC " + nvrtc->version() + " " + nvrtc->file().string());
      return opened->emplace(candidate, std::move(nvrtc)).first->second;
    }
    if (!reason.empty()) notes.push_back(reason);
  }
  return nullptr;
}

std::shared_ptr<const Nvrtc> Nvrtc::load() {
  std::vector<std::string> notes;
  if (auto nvrtc = find(notes)) return nvrtc;
  const ErrorEntry& entry = errors::runtime["nvrtc-not-found"];
  throw Error(entry,
              "NVRTC (libnvrtc.so), which compiles the kernels, was not found. " +
                  std::string(entry.remedy) + " Searched:" + lines(notes),
              {"nvrtc", "", "", ""});
}

std::vector<int> Nvrtc::architectures() const {
  int count = 0;
  if (functions_->architecture_count(&count) != NVRTC_SUCCESS || count <= 0) return {};
  std::vector<int> numbers(static_cast<std::size_t>(count));
  if (functions_->architectures(numbers.data()) != NVRTC_SUCCESS) return {};
  return numbers;
}

CompiledImage Nvrtc::compile(const std::string& text, const std::string& name,
                             const std::string& architecture, ImageKind kind,
                             const std::vector<std::string>& options,
                             const LineOrigins& origins) const {
  const std::string number = architecture.substr(std::min<std::size_t>(3, architecture.size()));
  std::vector<std::string> words{"--gpu-architecture=" +
                                 (kind == ImageKind::ptx ? "compute_" + number : architecture)};
  words.insert(words.end(), options.begin(), options.end());
  std::vector<const char*> pointers;
  for (const std::string& word : words) pointers.push_back(word.c_str());

  compile_slots().acquire();
  struct Slot {
    ~Slot() { compile_slots().release(); }
  } slot;

  const Functions& api = *functions_;
  const std::string file = name + ".cu";
  struct Program {
    const Functions& api;
    nvrtcProgram handle = nullptr;
    ~Program() {
      if (handle) api.destroy(&handle);
    }
  } program{api};
  nvrtcResult result =
      api.create(&program.handle, text.c_str(), ("/" + file).c_str(), 0, nullptr, nullptr);
  if (result == NVRTC_SUCCESS)
    result = api.compile(program.handle, static_cast<int>(pointers.size()), pointers.data());

  CompiledImage image;
  image.kind = kind;
  image.architecture = architecture;
  if (program.handle)
    image.log =
        readable(without_trailing_zeros(fetch(program.handle, api.log_size, api.log)), file);
  if (result == NVRTC_ERROR_INVALID_OPTION &&
      image.log.find("gpu-architecture") != std::string::npos) {
    std::string known;
    for (const int arch : architectures())
      known += (known.empty() ? "sm_" : ", sm_") + std::to_string(arch);
    throw Error(errors::runtime["architecture-unsupported"],
                "NVRTC " + version() + " does not know this architecture",
                {"architecture", architecture, known, ""});
  }
  if (result != NVRTC_SUCCESS) {
    const NvrtcMessages messages = explained(image.log, text, file, origins);
    throw Error(errors::runtime["nvrtc-refused"],
                "NVRTC refused " + file + " for " + architecture + ": " + api.error_string(result) +
                    "\n" + messages.text,
                {name, "", "", messages.where});
  }

  image.bytes = kind == ImageKind::ptx
                    ? without_trailing_zeros(fetch(program.handle, api.ptx_size, api.ptx))
                    : fetch(program.handle, api.cubin_size, api.cubin);
  if (image.bytes.empty())
    throw Error(errors::runtime["nvrtc-empty-image"], "NVRTC produced an empty image for " + file);
  return image;
}

}  // namespace tilewright::runtime
