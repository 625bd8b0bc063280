// The losses of vectors: sums of quadratics, ridges and bumps. Each term gives its value and its gradient.

const inner = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);

const PROFILES = {
  sin: [Math.sin, Math.cos],
  exp: [Math.exp, Math.exp],
  softplus: [(u) => Math.log1p(Math.exp(u)), (u) => 1 / (1 + Math.exp(-u))],
};

const TERMS = {
  quadratic({ matrix, slope, height }, theta) {
    const curved = matrix.map((row) => inner(row, theta));
    return [inner(curved, theta) / 2 + inner(slope, theta) + height, curved.map((x, i) => x + slope[i])];
  },
  ridges({ profile, weights, shifts, amplitudes }, theta) {
    const [phi, derivative] = PROFILES[profile];
    const u = weights.map((row, k) => inner(row, theta) + shifts[k]);
    const slopes = u.map((x, k) => amplitudes[k] * derivative(x));
    return [inner(amplitudes, u.map(phi)), theta.map((_, i) => inner(slopes, weights.map((row) => row[i])))];
  },
  bumps({ centers, amplitude, square_width }, theta) {
    const away = centers.map((center) => theta.map((t, i) => t - center[i]));
    const heights = away.map((a) => amplitude * Math.exp(-inner(a, a) / square_width));
    const slope = (_, i) => (-2 / square_width) * inner(heights, away.map((a) => a[i]));
    return [heights.reduce((a, b) => a + b, 0), theta.map(slope)];
  },
};

function evaluated(terms, theta) {
  const parts = terms.map((term) => TERMS[term.kind](term, theta));
  return [
    parts.slice(1).reduce((sum, [f]) => sum + f, parts[0][0]),
    theta.map((_, i) => parts.slice(1).reduce((sum, [, g]) => sum + g[i], parts[0][1][i])),
  ];
}
