# An overlay port: vcpkg install tilewright --overlay-ports=.packaging/vcpkg
# It builds the tree it lies in. NVRTC and the driver are opened when a program runs; of the toolkit only
# two headers are used.
cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH folder)
cmake_path(GET folder PARENT_PATH folder)
cmake_path(GET folder PARENT_PATH SOURCE_PATH)

vcpkg_check_linkage(ONLY_STATIC_LIBRARY)  # and the emulator, which is opened by name
vcpkg_cmake_configure(
  SOURCE_PATH "${SOURCE_PATH}"
  OPTIONS -DTILEWRIGHT_BUILD_TESTS=OFF -DTILEWRIGHT_BUILD_EXAMPLES=OFF -DTILEWRIGHT_BUILD_BENCH=OFF
          -DTILEWRIGHT_INSTALL=ON)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(PACKAGE_NAME Tilewright CONFIG_PATH lib/cmake/Tilewright)
vcpkg_fixup_pkgconfig()
vcpkg_copy_tools(TOOL_NAMES tilewright AUTO_CLEAN)
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include")
