#include "mail_message.hpp"

#include "text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

namespace stele::sinks {
namespace {

constexpr std::string_view line_end = "\r\n";
constexpr std::size_t longest_header_text = 10'000;

bool is_printable_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= 0x20 && c < 0x7f; });
}

// RFC 2047: words of base64, at most 75 characters each, none of which cuts a character in two.
std::string encoded_words(std::string_view text) {
    constexpr std::size_t bytes_per_word = 45;
    std::string words;
    while (!text.empty()) {
        std::size_t size = std::min(bytes_per_word, text.size());
        const auto goes_on = [&] {
            return size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80;
        };
        while (size > 1 && goes_on()) --size;
        if (!words.empty()) words += "\r\n ";
        words += "=?UTF-8?B?" + base64(text.substr(0, size)) + "?=";
        text.remove_prefix(size);
    }
    return words;
}

// A subject: as it is where that is plain and short, else encoded. `=?` would be taken for an encoded word.
std::string unstructured(std::string_view given) {
    constexpr std::size_t short_enough = 66;
    const auto text = printable(given, longest_header_text);
    const bool is_plain =
        is_printable_ascii(text) && text.size() <= short_enough && text.find("=?") == std::string::npos;
    return is_plain ? text : encoded_words(text);
}

std::string display_name(std::string_view given) {
    const auto name = printable(given, 200);
    if (!is_printable_ascii(name) || name.find("=?") != std::string::npos) return encoded_words(name);
    std::string quoted_string = "\"";
    for (const char c : name) {
        if (c == '"' || c == '\\') quoted_string.push_back('\\');
        quoted_string.push_back(c);
    }
    return quoted_string + "\"";
}

std::string written(const MailAddress& address) {
    if (address.name.empty()) return address.address;
    return display_name(address.name) + " <" + address.address + ">";
}

std::string written(const std::vector<MailAddress>& addresses) {
    std::string list;
    for (const auto& address : addresses) {
        if (!list.empty()) list += ",\r\n ";
        list += written(address);
    }
    return list;
}

// RFC 5322, 3.3. Not by strftime(), whose names of days depend on the locale.
std::string written(Timestamp time) {
    constexpr std::array<const char*, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d +0000",
                  days[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday,
                  months[static_cast<std::size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour, utc.tm_min,
                  utc.tm_sec);
    return text.data();
}

// Lines as they are, with CR LF. Empty where one is too long, or not printable ASCII.
std::optional<std::string> as_plain_lines(std::string_view body) {
    constexpr std::size_t longest_line = 900;
    std::string lines;
    while (!body.empty()) {
        const auto end = body.find('\n');
        auto line = body.substr(0, end);
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        if (line.size() > longest_line || !is_printable_ascii(line)) return std::nullopt;
        lines.append(line).append(line_end);
        body.remove_prefix(end == std::string_view::npos ? body.size() : end + 1);
    }
    return lines;
}

std::string as_base64_lines(std::string_view body) {
    constexpr std::size_t width = 76;
    const auto encoded = base64(body);
    std::string lines;
    for (std::size_t at = 0; at < encoded.size(); at += width) {
        lines.append(encoded, at, width).append(line_end);
    }
    return lines;
}

}  // namespace

std::optional<MailAddress> MailAddress::parse(std::string_view text) {
    text = trimmed(text);
    MailAddress found;
    if (!text.empty() && text.back() == '>') {
        const auto opens = text.rfind('<');
        if (opens == std::string_view::npos) return std::nullopt;
        auto name = trimmed(text.substr(0, opens));
        if (name.size() >= 2 && name.front() == '"' && name.back() == '"') name = name.substr(1, name.size() - 2);
        // A name with such characters may have been meant for several addresses.
        if (name.find_first_of("<>@\"\r\n") != std::string_view::npos) return std::nullopt;
        found.name = name;
        text = text.substr(opens + 1, text.size() - opens - 2);
    }
    constexpr std::string_view never = "<>()[],;:\\\" ";
    constexpr std::size_t longest = 254;
    const auto at = text.find('@');
    const bool has_both = at != std::string_view::npos && at > 0 && at + 1 < text.size();
    const bool is_one = has_both && text.find('@', at + 1) == std::string_view::npos && text.size() <= longest &&
                        is_printable_ascii(text) && text.find_first_of(never) == std::string_view::npos;
    if (!is_one) return std::nullopt;
    found.address = text;
    return found;
}

std::string to_message(const Mail& mail) {
    std::string message;
    const auto header = [&](std::string_view name, std::string_view value) {
        message.append(name).append(": ").append(value).append(line_end);
    };
    header("Date", written(mail.date));
    header("From", written(mail.from));
    if (!mail.to.empty()) header("To", written(mail.to));
    if (!mail.cc.empty()) header("Cc", written(mail.cc));
    header("Subject", unstructured(mail.subject));
    header("Message-ID", "<" + mail.message_id + ">");
    header("Auto-Submitted", "auto-generated");  // RFC 3834: out-of-office replies are not wanted
    header("MIME-Version", "1.0");
    header("Content-Type", "text/plain; charset=utf-8");
    if (const auto plain = as_plain_lines(mail.body)) {
        header("Content-Transfer-Encoding", "7bit");
        message.append(line_end).append(*plain);
    } else {
        header("Content-Transfer-Encoding", "base64");
        message.append(line_end).append(as_base64_lines(mail.body));
    }
    return message;
}

}  // namespace stele::sinks
