"""Tilewright for Conan 2: conan create .packaging/conan

Of CUDA only cuda.h and nvrtc.h are needed, from an installed toolkit (CMakeLists.txt says where it looks);
NVRTC and the driver are opened when a program runs.
"""

import os

from conan import ConanFile
from conan.tools.cmake import CMake, CMakeToolchain, CMakeDeps, cmake_layout
from conan.tools.files import copy


class TilewrightConan(ConanFile):
    name = "tilewright"
    version = "0.1.0"
    description = "A tile language for attention kernels, embedded in C++20"
    settings = "os", "arch", "compiler", "build_type"
    package_type = "static-library"

    def requirements(self):
        self.requires("boost/[>=1.74]", options={"header_only": True}, transitive_headers=True)
        self.requires("fmt/[>=9]")
        self.requires("nlohmann_json/[>=3.11]")
        self.requires("cli11/[>=2.2]")
        self.requires("xxhash/[>=0.8]")
        self.requires("libpng/[>=1.6]", visible=False)  # only the command's pictures

    def export_sources(self):
        root = os.path.join(self.recipe_folder, "..", "..")
        for pattern in ("CMakeLists.txt", ".packaging/*", "dsl/*", "lowering/*", "library/*"):
            copy(self, pattern, root, self.export_sources_folder)

    def layout(self):
        cmake_layout(self)

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        for part in ("TESTS", "EXAMPLES", "BENCH"):
            toolchain.cache_variables[f"TILEWRIGHT_BUILD_{part}"] = False
        toolchain.cache_variables["TILEWRIGHT_INSTALL"] = True
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()

    def package_info(self):
        # The package's own files serve find_package(Tilewright CONFIG), as they do outside of Conan.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = [os.path.join("lib", "cmake", "Tilewright")]
