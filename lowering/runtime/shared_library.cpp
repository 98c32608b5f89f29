// dlopen, dlsym and dladdr behind shared_library.hpp.
// The one subtlety is telling "not there" from "there but broken": dlerror gives only a sentence,
// so the sentence is compared with the requested name.
#include "runtime/shared_library.hpp"

#include <dlfcn.h>
#include <link.h>

#include <cstddef>

namespace tilewright::runtime {

std::optional<SharedLibrary> SharedLibrary::open(const std::string& name, Failure& failure) {
  if (void* handle = dlopen(name.c_str(), RTLD_LOCAL | RTLD_NOW)) return SharedLibrary(handle);
  const char* text = dlerror();
  failure.reason = text ? text : "unknown reason";
  // A library that is there but lacks a dependency starts with the dependency's name instead.
  failure.absent = failure.reason.rfind(name + ": cannot open shared object file", 0) == 0;
  return std::nullopt;
}

void SharedLibrary::preload(const std::filesystem::path& path) {
  dlopen(path.c_str(), RTLD_GLOBAL | RTLD_NOW);
}

void* SharedLibrary::find(const char* symbol) const { return dlsym(handle_, symbol); }

std::filesystem::path SharedLibrary::file_of(const void* symbol_address) {
  Dl_info info{};
  if (!symbol_address || !dladdr(symbol_address, &info) || !info.dli_fname) return {};
  // The main executable is reported as it was typed (argv[0]): a relative name may mean nothing
  // after a chdir or a PATH lookup, while the kernel's own link stays right.
  std::filesystem::path file = info.dli_fname;
  std::error_code ignored;
  if (!file.is_absolute()) return std::filesystem::read_symlink("/proc/self/exe", ignored);
  auto resolved = std::filesystem::canonical(file, ignored);
  return ignored ? file : resolved;
}

std::filesystem::path folder_of_this_binary() {
  return SharedLibrary::file_of(reinterpret_cast<const void*>(&folder_of_this_binary))
      .parent_path();
}

std::vector<std::filesystem::path> run_paths_of_this_binary() {
  std::vector<std::filesystem::path> folders;
  void* program = dlopen(nullptr, RTLD_LAZY);
  Dl_serinfo size{};
  if (program == nullptr || dlinfo(program, RTLD_DI_SERINFOSIZE, &size) != 0) return folders;
  std::vector<std::max_align_t> memory(size.dls_size / sizeof(std::max_align_t) + 1);
  auto* info = reinterpret_cast<Dl_serinfo*>(memory.data());
  *info = size;
  if (dlinfo(program, RTLD_DI_SERINFO, info) != 0) return folders;
  for (unsigned i = 0; i < info->dls_cnt; ++i)
    if ((info->dls_serpath[i].dls_flags & LA_SER_RUNPATH) != 0)
      folders.emplace_back(info->dls_serpath[i].dls_name);
  return folders;
}

}  // namespace tilewright::runtime
