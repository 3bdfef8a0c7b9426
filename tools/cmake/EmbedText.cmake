# stele_embed_text(<target> <file> <symbol>): the file's text as `extern const char* const <symbol>`; the symbol may
# be qualified. The library is built again when the text changes.
function(stele_embed_text target file symbol)
    get_filename_component(name ${file} NAME_WLE)
    set(output ${CMAKE_CURRENT_BINARY_DIR}/${name}_text.cpp)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${file})
    file(READ ${file} text)
    string(REGEX REPLACE "::[^:]*$" "" scope ${symbol})
    string(REGEX REPLACE "^.*::" "" variable ${symbol})
    file(CONFIGURE OUTPUT ${output} @ONLY CONTENT
"namespace @scope@ {
extern const char* const @variable@;
const char* const @variable@ = R\"text(
@text@)text\";
}
")
    target_sources(${target} PRIVATE ${output})
endfunction()
