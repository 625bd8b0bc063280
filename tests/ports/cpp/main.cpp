// The conversation with the oracle, see docs/protocol.rst.

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>
#include <string>
#include <type_traits>

#include "json.hpp"
#include "optimizers.hpp"

// Numbers travel as bit patterns.
template <typename Real>
using Bits = std::conditional_t<sizeof(Real) == 8, std::uint64_t, std::uint32_t>;

template <typename Real>
Real number(const Json& json) {
  const auto bits = Bits<Real>(std::stoull(json.text, nullptr, 16));
  Real x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

template <typename Real>
Vector<Real> numbers(const Json& json) {
  Vector<Real> vector;
  for (const Json& item : json.items) vector.push_back(number<Real>(item));
  return vector;
}

template <typename Real>
std::string written(const Vector<Real>& vector) {
  std::string text;
  for (Real x : vector) {
    Bits<Real> bits;
    std::memcpy(&bits, &x, sizeof x);
    char digits[32];
    std::snprintf(digits, sizeof digits, "\"0x%0*llx\"", int(2 * sizeof x), static_cast<unsigned long long>(bits));
    text += (text.empty() ? "" : ", ") + std::string(digits);
  }
  return "[" + text + "]";
}

Json heard() {
  std::string line;
  if (!std::getline(std::cin, line)) throw std::runtime_error("nobody is there");
  return Json::parse(line);
}

void say(const std::string& line) { std::cout << line << std::endl; }

// The loss is the oracle's.
template <typename Real>
Evaluation<Real> loss(const Vector<Real>& theta) {
  say("{\"evaluate\": " + written(theta) + "}");
  const Json answer = heard();
  return {number<Real>(answer["value"]), numbers<Real>(answer["gradient"])};
}

template <typename Real>
std::string roll(const Json& order) {
  const Json& hyper = order["hyper"];
  RollingBall<Real> ball;
  ball.learning_rate = Real(hyper["learning_rate"].number);
  ball.radius = Real(hyper["radius"].number);
  ball.projection_rate = Real(hyper["projection_rate"].number);
  ball.projection_steps = int(hyper["projection_steps"].number);
  const auto theta = ball.step(loss<Real>, numbers<Real>(order["theta"]));
  return "\"theta\": " + written(theta) + ", \"normal\": " + written(ball.normal) + ", \"tangent\": " +
         written(ball.tangent) + ", \"center\": " + written(ball.center) + ", \"candidate\": " + written(ball.candidate);
}

template <typename Real>
std::string iterate(const Json& order) {
  const Json& hyper = order["hyper"];
  Adam<Real> adam;
  adam.learning_rate = Real(hyper["learning_rate"].number);
  adam.beta1 = Real(hyper["betas"].items[0].number);
  adam.beta2 = Real(hyper["betas"].items[1].number);
  adam.epsilon = Real(hyper["epsilon"].number);
  auto theta = numbers<Real>(order["theta"]);
  std::string iterates;
  for (int t = 0; t < int(order["iterations"].number); ++t) {
    theta = adam.step(loss<Real>, theta);
    iterates += (t ? ", " : "") + written(theta);
  }
  return "\"iterates\": [" + iterates + "]";
}

template <typename Real>
std::string result(const Json& order) {
  return order["optimizer"].text == "adam" ? iterate<Real>(order) : roll<Real>(order);
}

int main() {
  for (Json order = heard(); order["command"].text != "stop"; order = heard()) {
    if (order["command"].text == "start") {
      say("{\"version\": 1, \"name\": \"optimizers.hpp\", \"language\": \"C++\", "
          "\"optimizers\": [\"rolling-ball\", \"adam\"], \"dtypes\": [\"float32\", \"float64\"]}");
      continue;
    }
    const bool single = order["dtype"].text == "float32";
    say("{\"id\": " + std::to_string(int(order["id"].number)) + ", " +
        (single ? result<float>(order) : result<double>(order)) + "}");
  }
}
