// Two optimizers, as one writes them in C++: nothing here knows that they will be judged.
#pragma once

#include <cmath>
#include <cstddef>
#include <functional>
#include <numeric>
#include <vector>

template <typename Real>
using Vector = std::vector<Real>;

template <typename Real>
struct Evaluation {
  Real value;
  Vector<Real> gradient;
};

template <typename Real>
using Loss = std::function<Evaluation<Real>(const Vector<Real>&)>;

template <typename Real>
class RollingBall {
 public:
  Real learning_rate, radius, projection_rate;
  int projection_steps;

  // Of the latest step; the height is the last coordinate.
  Vector<Real> normal, tangent, center, candidate;

  Vector<Real> step(const Loss<Real>& loss, Vector<Real> theta) {
    const auto [height, gradient] = loss(theta);
    roll(theta, height, gradient);
    for (int k = 0; k < projection_steps; ++k) {
      const auto [value, slope] = loss(theta);
      const Real drop = value - candidate.back();
      for (std::size_t i = 0; i < theta.size(); ++i)
        theta[i] -= projection_rate * (theta[i] - candidate[i] + drop * slope[i]);
    }
    return theta;
  }

 private:
  void roll(const Vector<Real>& theta, Real height, const Vector<Real>& gradient) {
    const Real square = std::inner_product(gradient.begin(), gradient.end(), gradient.begin(), Real(0));
    const Real stretch = std::sqrt(1 + square);
    normal.clear();
    for (Real g : gradient) normal.push_back(-g / stretch);
    normal.push_back(1 / stretch);
    tangent = gradient;
    tangent.push_back(square);
    center = theta;
    center.push_back(height);
    for (std::size_t i = 0; i < center.size(); ++i) center[i] += radius * normal[i];
    candidate = center;
    for (std::size_t i = 0; i < center.size(); ++i) candidate[i] -= learning_rate * tangent[i];
  }
};

template <typename Real>
class Adam {
 public:
  Real learning_rate, beta1, beta2, epsilon;

  Vector<Real> step(const Loss<Real>& loss, Vector<Real> theta) {
    const Vector<Real> gradient = loss(theta).gradient;
    first.resize(theta.size());
    second.resize(theta.size());
    ++steps;
    const Real correction1 = 1 - std::pow(beta1, Real(steps)), correction2 = 1 - std::pow(beta2, Real(steps));
    for (std::size_t i = 0; i < theta.size(); ++i) {
      first[i] = beta1 * first[i] + (1 - beta1) * gradient[i];
      second[i] = beta2 * second[i] + (1 - beta2) * gradient[i] * gradient[i];
      theta[i] -= learning_rate * (first[i] / correction1) / (std::sqrt(second[i] / correction2) + epsilon);
    }
    return theta;
  }

 private:
  Vector<Real> first, second;
  int steps = 0;
};
