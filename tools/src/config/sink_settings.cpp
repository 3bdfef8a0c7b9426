#include "sink_settings.hpp"

#include "sql_settings.hpp"

#include <chrono>
#include <variant>

namespace stele::tool {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto shortest_timeout = 1ms;
constexpr auto longest_timeout = std::chrono::milliseconds{24h};
constexpr auto longest_pause = std::chrono::milliseconds{24h * 365};

const std::vector<std::string> sink_types{"webhook", "email", "exec", "jsonl", "log", "stream"};

// `https://host:port` of an address.
std::string scheme_and_host(const std::string& address) {
    const auto host = address.find("://");
    if (host == std::string::npos) return address;
    const auto end = address.find_first_of("/?#", host + 3);
    auto authority = address.substr(host + 3, end == std::string::npos ? end : end - host - 3);
    authority.erase(0, authority.rfind('@') + 1);
    return address.substr(0, host + 3) + authority;
}

class SinkReader {
public:
    SinkReader(TableReader& table, const fs::path& folder) : table_(table), folder_(folder) {}

    std::optional<sinks::Sink> read(std::size_t type) {
        switch (type) {
            case 0:
                return webhook();
            case 1:
                return email();
            case 2:
                return exec();
            case 3:
                return jsonl();
            case 4:
                return log();
            default:
                return stream();
        }
    }
    [[nodiscard]] std::vector<SecretReference>& secrets() noexcept { return secrets_; }
    [[nodiscard]] std::vector<MissingFile>& missing() noexcept { return missing_; }

private:
    std::optional<sinks::Sink> webhook() {
        sinks::Webhook webhook;
        table_.expect("url", "an address");
        if (auto url = table_.word("url", "an address that begins with http:// or https://")) {
            webhook.url = std::move(*url);
            if (sinks::Secret::is_reference(webhook.url)) (void)secret(table_, "url", *table_.find("url"));
        }
        for (const char* key : {"secrets", "secret"})
            for (auto& one : secrets_under(key)) webhook.secrets.push_back(std::move(one));
        webhook.headers = table_.texts_by_name("headers");
        if (const auto* headers = table_.table("secret_headers")) {
            for (const auto& header : headers->members)
                if (auto value = secret(table_, "secret_headers", header.value))
                    webhook.secret_headers.emplace(header.key, std::move(*value));
        }
        if (const auto* oauth = table_.table("oauth")) webhook.oauth = read_oauth(*oauth);
        timeouts(webhook);
        if (auto permanent = table_.wholes("permanent", 300, 599)) webhook.permanent = std::move(*permanent);
        take(table_.duration("longest_retry_after", 0ms, longest_pause), webhook.longest_retry_after);
        if (const auto redirects = table_.whole("redirects", 0, 20))
            webhook.redirects = static_cast<int>(*redirects);
        take(table_.flag("allow_private"), webhook.allow_private);
        certificates(webhook);
        return webhook;
    }

    std::optional<sinks::OAuth> read_oauth(const TomlValue& value) {
        TableReader table{value, table_.what() + ": oauth", table_.mistakes()};
        table.expect("token_url", "an address");
        table.expect("client_id", "a name");
        table.expect("client_secret", "a reference to a secret");
        const auto url = table.word("token_url", "an address that begins with http:// or https://");
        const auto id = table.word("client_id", "a name");
        const auto scope = table.text("scope");
        auto parameters = table.texts_by_name("parameters");
        const auto in_body = table.flag("credentials_in_body");
        const auto* text = table.find("client_secret");
        const auto password = text == nullptr ? std::nullopt : secret(table, "client_secret", *text);
        table.finish();
        if (!url || !id || !password) return std::nullopt;
        return sinks::OAuth{
            *url, *id, *password, scope.value_or(""), std::move(parameters), in_body.value_or(false)};
    }

    std::optional<sinks::Sink> email() {
        sinks::Email email;
        for (const auto& [key, expected] :
             {std::pair{"server", "smtp://host[:port] or smtps://host[:port]"}, std::pair{"from", "an address"},
              std::pair{"to", "at least one address"}, std::pair{"subject", "a text"}, std::pair{"body", "a text"}})
            if (std::string_view{key} != "to" || (table_.find("cc") == nullptr && table_.find("bcc") == nullptr))
                table_.expect(key, expected);
        take(table_.word("server", "smtp://host[:port] or smtps://host[:port]"), email.server);
        using Tls = sinks::Email::Tls;
        if (const auto tls = table_.choice("tls", {"required", "optional", "none"}))
            email.tls = *tls == 0 ? Tls::required : *tls == 1 ? Tls::optional : Tls::none;
        take(table_.word("user", "a name"), email.user);
        if (const auto* password = table_.find("password")) email.password = secret(table_, "password", *password);
        take(read_template(table_, "from"), email.from);
        email.to = read_templates(table_, "to");
        email.cc = read_templates(table_, "cc");
        email.bcc = read_templates(table_, "bcc");
        take(read_template(table_, "subject"), email.subject);
        take(read_template(table_, "body"), email.body);
        timeouts(email);
        certificates(email);
        return email;
    }

    std::optional<sinks::Sink> exec() {
        sinks::Exec exec;
        table_.expect("command", "a list: the program and its arguments");
        if (const auto* command = table_.find("command")) {
            if (command->kind != TomlValue::Kind::list || command->list.empty())
                table_.wrong("command", *command, "a list: the program and its arguments");
            for (const auto& word : command->list) {
                if (word.kind == TomlValue::Kind::text) {
                    exec.command.push_back(word.text);
                } else {
                    table_.wrong("command", word, "a text in quotes");
                }
            }
        }
        exec.environment = table_.texts_by_name("environment");
        if (const auto folder = table_.word("folder", "a path in quotes")) exec.folder = in_project(*folder);
        if (auto permanent = table_.wholes("permanent", 1, 255)) exec.permanent = std::move(*permanent);
        take(table_.duration("timeout", shortest_timeout, longest_timeout), exec.timeout);
        take(table_.duration("grace", shortest_timeout, longest_timeout), exec.grace);
        return exec;
    }

    std::optional<sinks::Sink> jsonl() {
        sinks::Jsonl jsonl;
        table_.expect("path", "a path");
        const auto* value = table_.find("path");
        if (const auto path = table_.word("path", "a path in quotes")) {
            jsonl.path = in_project(*path);
            std::error_code failed;
            if (!fs::is_directory(jsonl.path.parent_path(), failed))
                is_missing(value->place, "path: expected a folder at " + jsonl.path.parent_path().string() +
                                             ", found none; make it");
        }
        return jsonl;
    }

    std::optional<sinks::Sink> log() {
        sinks::Log log;
        if (const auto format = table_.choice("format", {"text", "json"}))
            log.format = *format == 0 ? sinks::Log::Format::text : sinks::Log::Format::json;
        return log;
    }

    std::optional<sinks::Sink> stream() {
        sinks::Stream stream;
        table_.expect("stream", "[tenant:]Type/id");
        take(read_template(table_, "stream"), stream.stream);
        take(read_template(table_, "event"), stream.type);
        take(read_expression(table_, "data"), stream.data);
        if (const auto version = table_.whole("schema_version", 1, std::numeric_limits<int>::max()))
            stream.schema_version = static_cast<int>(*version);
        stream.tags = read_templates(table_, "tags");
        return stream;
    }

    template <class Settings>
    void timeouts(Settings& settings) {
        take(table_.duration("connect_timeout", shortest_timeout, longest_timeout), settings.connect_timeout);
        take(table_.duration("timeout", shortest_timeout, longest_timeout), settings.timeout);
    }
    template <class Settings>
    void certificates(Settings& settings) {
        const auto file = table_.word("ca_file", "a path in quotes");
        if (!file) return;
        settings.ca_file = in_project(*file);
        std::error_code failed;
        if (!fs::exists(settings.ca_file, failed))
            is_missing(table_.place_of("ca_file"), "ca_file: " + settings.ca_file + ": no such file");
    }

    // What this machine lacks must not keep `stele health`, or a pause, from reading the configuration on another.
    void is_missing(Place place, const std::string& what) {
        missing_.push_back({place, table_.what() + ": " + what});
    }

    template <class Value>
    static void take(std::optional<Value> from, Value& to) {
        if (from) to = std::move(*from);
    }

    // What stands there may be a secret by mistake, so it is never repeated.
    std::optional<sinks::Secret> secret(TableReader& table, const char* key, const TomlValue& value) {
        try {
            auto parsed = sinks::Secret::parse(value.kind == TomlValue::Kind::text ? value.text : "", key);
            secrets_.push_back({parsed, value.place});
            return parsed;
        } catch (const InvalidInput& error) {
            table.mistake(value.place, error.what());
            return std::nullopt;
        }
    }
    std::vector<sinks::Secret> secrets_under(const char* key) {
        std::vector<sinks::Secret> all;
        const auto* value = table_.find(key);
        if (value == nullptr) return all;
        const bool is_list = value->kind == TomlValue::Kind::list;
        for (const auto& one : is_list ? value->list : std::vector{*value})
            if (auto read = secret(table_, key, one)) all.push_back(std::move(*read));
        return all;
    }

    [[nodiscard]] std::string in_project(const std::string& path) const {
        return fs::absolute(folder_ / path).lexically_normal().string();
    }

    TableReader& table_;
    const fs::path& folder_;
    std::vector<SecretReference> secrets_;
    std::vector<MissingFile> missing_;
};

struct TargetOf {
    std::string operator()(const sinks::Webhook& webhook) const { return scheme_and_host(webhook.url); }
    std::string operator()(const sinks::Email& email) const { return scheme_and_host(email.server); }
    template <class Other>
    std::string operator()(const Other&) const {
        return {};
    }
};

// What the sink itself says of settings that were understood.
void check(TableReader& table, const sinks::Sink& sink) {
    Listener::Head head;
    head.name = "probe";
    try {
        (void)sinks::sink_listener(std::move(head), sink);
    } catch (const InvalidInput& error) {
        note_invalid(table, error);
    } catch (const sql::DefinitionError& error) {
        table.mistake({error.line(), 1}, error.what());
    }
}

}  // namespace

std::optional<DeclaredSink> read_sink(const TomlValue& value, const std::string& listener, const fs::path& folder,
                                      Mistakes& mistakes) {
    const auto mistakes_before = mistakes.count();
    TableReader table{value, listener + ": sink", mistakes};
    table.expect("type", "\"webhook\", \"email\", \"exec\", \"jsonl\", \"log\" or \"stream\"");
    const auto type = table.choice("type", sink_types);
    if (!type) return std::nullopt;  // without it nobody knows the other keys
    table.rename(listener + ": " + sink_types[*type]);

    SinkReader reader{table, folder};
    const auto sink = reader.read(*type);
    table.finish();
    if (sink && mistakes.count() == mistakes_before) check(table, *sink);
    if (!sink || mistakes.count() != mistakes_before) return std::nullopt;
    return DeclaredSink{*sink, std::move(reader.secrets()), std::move(reader.missing()),
                        std::visit(TargetOf{}, *sink)};
}

}  // namespace stele::tool
