// The paper's inner loop and trajectories of balls, one item a thread, of the translated parts of `rolling`.
//
// The caller defines D, the number of variables, and for `roll` SEARCHED, whether contacts are found by a search, NEWTON,
// whether its direction is Newton's, and CARRIED, whether the centre is carried from step to step. For what precedes this
// text see `cupy_loops.text`.

extern "C" __global__ void descent(const double *queries, const double *rates, long long steps, long long count,
                                   double *thetas) {
    double g[D], h[D * D];
    const Vector<D> gradient{g};
    const Vector<D * D> hessian{h};
    const long long first = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    for (long long n = first; n < count; n += (long long)gridDim.x * blockDim.x) {
        const Vector<D> theta{thetas + n * D};
        const Vector<D + 1, const double> query{queries + n * (D + 1)};
        const double value = steps > 0 ? _evaluated(Order1(), theta, gradient, hessian) : 0.0;
        _descend(Order1(), query, query[D], rates[n], steps, theta, value, gradient, hessian);
    }
}

// A ball is (radius, learning rate, rate of the inner steps). thetas (steps + 1, count, D) holds the start.
extern "C" __global__ void roll(const double *balls, double tolerance, long long inner, long long steps, long long count,
                                double *thetas, double *heights, double *centers) {
    double here[D], g[D], h[D * D], away[D + 1];
    const Vector<D> theta{here}, gradient{g};
    const Vector<D * D> hessian{h};
    const Vector<D + 1> candidate{away};
#if SEARCHED
    constexpr Literal<D> d;
    double w[workspace(Literal<D>())];
#endif
    const long long first = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    for (long long n = first; n < count; n += (long long)gridDim.x * blockDim.x) {
        const double radius = balls[3 * n], rate = balls[3 * n + 1], nothing = 0 * (radius + rate);
        for (long long t = 0; t <= steps; t++) {
            const long long place = t * count + n, after = place + count;
            for (int i = 0; i < D; i++) theta[i] = thetas[place * D + i] + nothing;
            const double value = _evaluated(Order1(), theta, gradient, hessian);
            const Vector<D + 1> center{centers + place * (D + 1)};
            heights[place] = value;
            if (t == 0 || !CARRIED) _stand(theta, value, gradient, radius, center);
            if (t == steps) break;
            if (CARRIED) {
                _slide(center, theta, value, gradient, rate, candidate);
                _copy(candidate, Vector<D + 1>{centers + after * (D + 1)});
            } else {
                _push(center, gradient, rate, candidate);
            }
#if SEARCHED
            _copy(theta, Vector<D>{row(w, THETA, d)});
            find(Order1(), Order2(), candidate.data, bool(NEWTON), tolerance, inner, &w[0], d);
            _copy(Vector<D>{row(w, THETA, d)}, Vector<D>{thetas + after * D});
#else
            _descend(Order1(), candidate, candidate[D], balls[3 * n + 2], inner, theta, value, gradient, hessian);
            _copy(theta, Vector<D>{thetas + after * D});
#endif
        }
    }
}
