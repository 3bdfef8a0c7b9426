# Compiles wrong_projections.cpp, which must fail, and looks for the message of each of its mistakes.
# usage: cmake -DCOMPILER=… -DINCLUDES=… -DSOURCE=… -P check_messages.cmake
list(TRANSFORM INCLUDES PREPEND -I)
if(COMPILER MATCHES "clang")
    set(every_error -ferror-limit=0)
endif()
execute_process(COMMAND ${COMPILER} -std=c++20 -fsyntax-only ${every_error} ${INCLUDES} ${SOURCE}
    RESULT_VARIABLE result ERROR_VARIABLE output OUTPUT_QUIET)
if(result EQUAL 0)
    message(FATAL_ERROR "${SOURCE} compiles; expected it to be refused")
endif()
foreach(expected IN ITEMS
        "a projection that lists this event in `events` needs an overload for exactly this event"
        "OnlyByConversion"
        "a projection needs a name"
        "a projection needs a version"
        "a projection needs to make its tables: void setup(stele::Model&)"
        "a projection needs handlers: void on(const stele::Event&, stele::Model&)"
        "a typed event needs the name of its type"
        "a typed event needs the version of its schema"
        "a typed event needs a default constructor and a conversion from nlohmann::json"
        "a keyed projection that lists this event in `events` needs an overload for exactly this event"
        "key takes a const stele::Event& and returns a text or an integer"
        "a keyed projection needs a fold: State fold(State, const stele::Event&)"
        "a keyed projection with a table of its own needs all of setup(stele::Model&)"
        "the State of a keyed projection needs a default constructor and conversions"
        "have the same type and version")
    string(FIND "${output}" "${expected}" found)
    if(found EQUAL -1)
        message(FATAL_ERROR "expected the compiler to say: ${expected}\nit said:\n${output}")
    endif()
endforeach()
