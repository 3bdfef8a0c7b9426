# stele_requires(<folder> <package> [<version>] …): finds a package that the folder's library needs, and has
# stele-config.cmake find it again for whoever uses the installed library. A static library carries no list of what
# it was built with, so packages that only our .cpp files name are needed as well.
macro(stele_requires folder package)
    find_package(${package} ${ARGN} REQUIRED)
    set_property(GLOBAL APPEND PROPERTY STELE_PACKAGES_${folder} "${package} ${ARGN}")
endmacro()

# stele_library(<folder> HEADERS <files> SOURCES <files> [PRECOMPILE <headers>]): the target stele_<folder>, known as
# stele::<folder>, with the folder's public headers as a file set: installed as they stand in the tree, and each
# compiled alone by the target all_verify_interface_header_sets. A header that stands there and is not named is an
# error: it would be missing after installation. PRECOMPILE is for stele_precompile().
function(stele_library folder)
    cmake_parse_arguments(arg "" "" "HEADERS;SOURCES;PRECOMPILE" ${ARGN})
    add_library(stele_${folder} ${arg_SOURCES})
    add_library(stele::${folder} ALIAS stele_${folder})
    list(TRANSFORM arg_HEADERS PREPEND include/stele/${folder}/)
    file(GLOB_RECURSE forgotten CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} include/*.hpp)
    list(REMOVE_ITEM forgotten ${arg_HEADERS})
    if(forgotten)
        message(FATAL_ERROR "${folder}: stele_library() does not name the header ${forgotten}: add it to HEADERS")
    endif()
    target_sources(stele_${folder} PUBLIC FILE_SET HEADERS BASE_DIRS include FILES ${arg_HEADERS})
    target_include_directories(stele_${folder} PRIVATE src)
    target_compile_features(stele_${folder} PUBLIC cxx_std_20)
    set_target_properties(stele_${folder} PROPERTIES
        EXPORT_NAME ${folder}
        POSITION_INDEPENDENT_CODE ON
        VERIFY_INTERFACE_HEADER_SETS ON)
    stele_precompile(stele_${folder} ${arg_PRECOMPILE})
    stele_unity(stele_${folder})
    set_property(GLOBAL APPEND PROPERTY STELE_FOLDERS ${folder})
endfunction()

# stele_unity(<target>): with STELE_UNITY_BUILD, the compiler takes several files of the target at a time. With GCC 12,
# ten at a time, the stele command took 340 s of processor time, file by file 710 s. Names in unnamed
# namespaces must then differ (docs/layout.md). Only the release preset asks for it, so that a file which forgets an
# include is found by the other presets.
function(stele_unity target)
    if(NOT STELE_UNITY_BUILD)
        return()
    endif()
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${STELE_UNITY_BATCH})
    # GCC takes types of unnamed namespaces for those of a header, as no file is the main one.
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endfunction()

# stele_precompile(<target> [<header>...]): with STELE_PRECOMPILED_HEADERS, the headers of others that nearly every
# file of ours includes are read once for all targets, or, where further headers are named, once for that target
# together with those: a third off a full build, file by file. Only the release preset asks for it, so that a file
# which forgets an include is found by the other presets.
function(stele_precompile target)
    if(NOT STELE_PRECOMPILED_HEADERS)
        return()
    endif()
    set(shared <nlohmann/json.hpp> <algorithm> <array> <chrono> <compare> <filesystem> <functional> <iterator> <map>
        <memory> <optional> <ostream> <ranges> <span> <string> <string_view> <variant> <vector>)
    if(ARGN)
        target_precompile_headers(${target} PRIVATE ${shared} ${ARGN})
        return()
    endif()
    if(NOT TARGET stele_precompiled)
        add_library(stele_precompiled STATIC ${PROJECT_SOURCE_DIR}/tools/cmake/precompiled.cpp)
        target_compile_features(stele_precompiled PRIVATE cxx_std_20)
        set_target_properties(stele_precompiled PROPERTIES POSITION_INDEPENDENT_CODE ON)
        target_link_libraries(stele_precompiled PRIVATE nlohmann_json::nlohmann_json)
        target_precompile_headers(stele_precompiled PRIVATE ${shared})
    endif()
    target_precompile_headers(${target} REUSE_FROM stele_precompiled)
endfunction()
