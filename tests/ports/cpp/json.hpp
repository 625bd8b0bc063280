// Reading JSON, as much of it as the protocol needs.
#pragma once

#include <cstdlib>
#include <istream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

struct Json {
  double number = 0;  // also of true and false
  std::string text;
  std::vector<Json> items;
  std::map<std::string, Json> fields;

  const Json& operator[](const std::string& key) const { return fields.at(key); }

  static Json parse(const std::string& line) {
    std::istringstream in(line);
    return value(in);
  }

 private:
  static Json value(std::istream& in) {
    Json json;
    const char c = next(in);
    if (c == '"') {
      json.text = string(in);
    } else if (c == '[') {
      for (char d = peek(in) == ']' ? next(in) : ','; d == ','; d = next(in)) json.items.push_back(value(in));
    } else if (c == '{') {
      for (char d = peek(in) == '}' ? next(in) : ','; d == ','; d = next(in)) {
        next(in);  // the quote that opens the key
        const std::string key = string(in);
        next(in);  // the colon
        json.fields[key] = value(in);
      }
    } else {
      std::string word(1, c);
      while (in && std::string(",]} \t").find(char(in.peek())) == std::string::npos && in.peek() != EOF)
        word += char(in.get());
      json.number = word == "true" ? 1 : std::strtod(word.c_str(), nullptr);
    }
    return json;
  }

  static char peek(std::istream& in) { return char((in >> std::ws).peek()); }

  static char next(std::istream& in) {
    char c;
    if (!(in >> c)) throw std::runtime_error("the line ends too early");
    return c;
  }

  static std::string string(std::istream& in) {
    std::string text;
    for (char c; in.get(c) && c != '"';) text += c;  // the oracle escapes nothing that a port has to read
    return text;
  }
};
