"""Compiled loops of the dilation by a ball: along a line, over tiles of planes, and for a small ball over strips.

numba keeps compiled code on disk and compares the age of this file only, so everything compiled is in this file.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from geometry._kernels.compiling import compiled

__all__ = ["BLOCK", "LANES", "MARGIN", "NARROW", "ROWS", "STRIP", "Cap", "Planes", "line", "refine", "strips", "tiles"]

LANES = 16  # columns of a tile, rows of a group: two vectors of AVX-512, four of AVX2
WIDE = 16  # columns that a small ball rolls over at once
NEAR = 3072  # numbers that stay in the nearest cache
ROWS = 8  # rows of a tile
BLOCK = 8  # samples along an edge of a block; a superblock has BLOCK blocks along an edge
STRIP = 64
NARROW = 24  # half-width up to which a window is scanned as a whole
INF = numpy.inf
inlined = njit


# Vectors, at flat indices of contiguous arrays. A loop of 16 is too short for the compiler to find them by itself.


def _lanes(count: int) -> Any:
    return ir.VectorType(ir.DoubleType(), count)


def _place(context: Any, builder: Any, kind: Any, array: Any, index: Any, count: int) -> Any:
    if kind.layout != "C":
        raise TypeError(f"vectors are loaded from contiguous arrays, got {kind}")
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), _lanes(count).as_pointer())


def _load(context: Any, builder: Any, kind: Any, array: Any, index: Any, count: int = LANES) -> Any:
    return builder.load(_place(context, builder, kind, array, index, count), align=8)


def _repeated(builder: Any, number: Any, count: int = LANES) -> Any:
    nothing = ir.Constant(_lanes(count), ir.Undefined)
    first = builder.insert_element(nothing, number, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(ir.IntType(32), count), [0] * count))


def _choose(builder: Any, order: str, a: Any, b: Any) -> Any:
    return builder.select(builder.fcmp_ordered(order, a, b), a, b)


def _reduce(builder: Any, order: str, vector: Any) -> Any:
    width = LANES
    while width > 1:
        width //= 2
        halves = [ir.Constant(ir.VectorType(ir.IntType(32), width), list(range(s, s + width))) for s in (0, width)]
        vector = _choose(builder, order, *(builder.shuffle_vector(vector, vector, half) for half in halves))
    return builder.extract_element(vector, ir.Constant(ir.IntType(32), 0))


def _bits(builder: Any, mask: Any, count: int) -> Any:
    return builder.zext(builder.bitcast(mask, ir.IntType(count)), ir.IntType(64))


@intrinsic
def raise_by(typing: Any, out: Any, i: Any, weights: Any, k: Any, values: Any, j: Any) -> Any:
    """out[i:i+16] = max(out[i:i+16], values[j+s] + weights[k-s:k-s+16] for s = 0..7)"""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (out, i, weights, k, values, j), kinds = arguments, signature.args
        data = context.make_array(kinds[4])(context, builder, values).data
        terms = []
        for s in range(8):
            step = ir.Constant(ir.IntType(64), s)
            value = _repeated(builder, builder.load(builder.gep(data, [builder.add(j, step)])))
            terms.append(builder.fadd(value, _load(context, builder, kinds[2], weights, builder.sub(k, step))))
        while len(terms) > 1:
            terms = [_choose(builder, ">", a, b) for a, b in zip(terms[::2], terms[1::2], strict=True)]
        place = _place(context, builder, kinds[0], out, i, LANES)
        builder.store(_choose(builder, ">", terms[0], builder.load(place, align=8)), place, align=8)
        return context.get_dummy_value()

    return types.void(out, types.intp, weights, types.intp, values, types.intp), code


@intrinsic
def raise_by_taps(
    typing: Any, out: Any, i: Any, values: Any, j: Any, taps: Any, weights: Any, first: Any, stop: Any
) -> Any:
    """out[i:i+n] = max(out[i:i+n], max(values[j+p : j+p+n], values[j+q : j+q+n]) + weights[t]) for first ≤ t < stop

    where (p, q) = taps[t] and n = WIDE. Of two samples the larger is found before their weight is added, which as
    rounding is monotone gives the same bits.
    """

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (out, i, values, j, *tables, first, stop), kinds = arguments, signature.args
        steps, heights = (
            context.make_array(kind)(context, builder, table).data
            for kind, table in zip(kinds[4:6], tables, strict=True)
        )
        place = _place(context, builder, kinds[0], out, i, WIDE)
        best = cgutils.alloca_once_value(builder, builder.load(place, align=8))
        with cgutils.for_range_slice(builder, first, stop, first.type(1)) as (t, _):
            both = []
            for side in range(2):
                step = builder.load(builder.gep(steps, [builder.add(builder.add(t, t), t.type(side))]))
                both.append(_load(context, builder, kinds[2], values, builder.add(j, step), WIDE))
            weight = _repeated(builder, builder.load(builder.gep(heights, [t])), WIDE)
            raised = builder.fadd(_choose(builder, ">", *both), weight)
            builder.store(_choose(builder, ">", raised, builder.load(best)), best)
        builder.store(builder.load(best), place, align=8)
        return context.get_dummy_value()

    return types.void(out, types.intp, values, types.intp, taps, weights, types.intp, types.intp), code


@intrinsic
def larger(typing: Any, out: Any, i: Any, values: Any, j: Any, k: Any) -> Any:
    """out[i:i+n] = max(values[j:j+n], values[k:k+n]), n = WIDE"""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (out, i, values, j, k), kinds = arguments, signature.args
        both = [_load(context, builder, kinds[2], values, place, WIDE) for place in (j, k)]
        builder.store(_choose(builder, ">", *both), _place(context, builder, kinds[0], out, i, WIDE), align=8)
        return context.get_dummy_value()

    return types.void(out, types.intp, values, types.intp, types.intp), code


@intrinsic
def fold(typing: Any, out: Any, a: Any, i: Any, b: Any, j: Any) -> Any:
    """out[:16] = max(out[:16], a[i:i+16] + b[j:j+16])"""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (out, a, i, b, j), kinds = arguments, signature.args
        total = builder.fadd(_load(context, builder, kinds[1], a, i), _load(context, builder, kinds[3], b, j))
        place = _place(context, builder, kinds[0], out, ir.Constant(ir.IntType(64), 0), LANES)
        builder.store(_choose(builder, ">", total, builder.load(place, align=8)), place, align=8)
        return context.get_dummy_value()

    return types.void(out, a, types.intp, b, types.intp), code


def _compare(order: str, count: int, a: Any, b: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (a, i, b, j, level), kinds = arguments, signature.args
        x, y = _load(context, builder, kinds[0], a, i, count), _load(context, builder, kinds[2], b, j, count)
        mask = builder.fcmp_ordered(order, builder.fadd(x, y), _repeated(builder, level, count))
        return _bits(builder, mask, count)

    return types.int64(a, types.intp, b, types.intp, types.float64), code


@intrinsic
def equal(typing: Any, a: Any, i: Any, b: Any, j: Any, level: Any) -> Any:
    """16 bits: whether a[i+l] + b[j+l] == level"""
    return _compare("==", LANES, a, b)


@intrinsic
def above(typing: Any, a: Any, i: Any, b: Any, j: Any, level: Any) -> Any:
    """8 bits: whether a[i+l] + b[j+l] > level"""
    return _compare(">", BLOCK, a, b)


@intrinsic
def least(typing: Any, a: Any, i: Any) -> Any:
    """min(a[i:i+16])"""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _reduce(builder, "<", _load(context, builder, signature.args[0], *arguments))

    return types.float64(a, types.intp), code


@intrinsic
def greatest(typing: Any, a: Any, i: Any) -> Any:
    """max(a[i:i+16])"""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _reduce(builder, ">", _load(context, builder, signature.args[0], *arguments))

    return types.float64(a, types.intp), code


# Along a line. Samples f, the weight w[center + d] of a sample at distance d, half-width K. For samples j < j' the
# difference of their sums increases with the place i of the ball, because the weights are concave. So the best sample
# moves monotonically, and lies between the best samples of two neighbours whose best are known.


@inlined
def excess(a: float, b: float) -> float:
    """What rounding takes from a + b: equal rounded sums are told apart by it."""
    total = a + b
    back = total - a
    return (a - (total - back)) + (b - back)


@inlined
def best_sample(f, w, shift, low, high, work):
    """The first j, at least in low..high, with the largest f[j] + w[shift + j], exactly; −1 if all are −inf."""
    last = min(high, f.size - LANES)
    first = min(low, last)
    for lane in range(LANES):
        work[lane] = -INF
    for j in range(first, last, LANES):
        fold(work, f, j, w, shift + j)
    fold(work, f, last, w, shift + last)
    level = greatest(work, 0)
    best, rest = -1, -INF
    if level > -INF:
        for start in range(first, last + LANES, LANES):
            j = min(start, last)
            mask = equal(f, j, w, shift + j, level)
            while mask:
                if mask & 1:
                    beyond = excess(f[j], w[shift + j])
                    if best < 0 or beyond > rest:
                        best, rest = j, beyond
                mask >>= 1
                j += 1
    return best


@inlined
def best_samples(f, w, center, half, first, stop, best, work):
    """best[q]: where the ball rests at the first row of group q, by divide and conquer over groups."""
    groups = (stop - first + LANES - 1) // LANES
    evaluations, stride = 0, 1
    while stride < groups:
        stride *= 2
    for q in (0, groups):
        i = min(first + q * LANES, stop - 1)
        low, high = max(0, i - half), min(f.size - 1, i + half)
        j = best_sample(f, w, center - i, low, high, work)
        best[q] = i if j < 0 else j
        evaluations += 2 * (high - low + LANES)
    while stride > 1:
        for q in range(stride // 2, groups, stride):
            i = first + q * LANES
            low = max(best[q - stride // 2], i - half)
            high = min(best[min(q + stride // 2, groups)], i + half)
            j = best_sample(f, w, center - i, low, high, work)
            best[q] = i if j < 0 else j
            evaluations += 2 * (high - low + LANES)
        stride //= 2
    return evaluations


@compiled()
def line(f, w, center, half, origin, first, stop, best, work, out):
    """out[first:stop] of the dilation; ball i rests on f near origin + i. The number of evaluations."""
    narrow, evaluations = half <= NARROW, 0
    first += origin
    stop += origin
    if not narrow:
        evaluations += best_samples(f, w, center, half, first, stop, best, work)
    for i in range(first, stop, LANES):
        q = (i - first) // LANES
        low = max(0, i - half) if narrow else best[q]
        high = min(f.size, i + LANES + half) - 1 if narrow else best[q + 1]
        for lane in range(LANES):
            work[lane] = -INF
        for start in range(low, high + 1, BLOCK):
            j = min(start, f.size - BLOCK)
            raise_by(work, 0, w, center + i - j, f, j)
            evaluations += BLOCK * LANES
        for lane in range(min(LANES, stop - i)):
            out[i - origin + lane] = work[lane]
    return evaluations


# Over tiles of planes. An array of n dimensions is a list of planes; a ball over one plane meets the others in caps.


class Planes(NamedTuple):
    """Samples, and what is known of their blocks and superblocks: the largest, and the least rise to each neighbour."""

    samples: Any  # (planes, ny, nx)
    rows: Any  # (planes, blocks, blocks, 8): the largest sample of each row of a block
    tops: Any  # (planes, blocks, blocks)
    rises: Any  # (planes, blocks, blocks, 4 + 2·axes): to the left, right, upper, lower, and leading neighbours
    super_tops: Any
    super_rises: Any
    lead: Any  # shape of the leading axes


class Cap(NamedTuple):
    """The ball's table for pairs of planes."""

    weights: Any  # (caps, |dy| ≤ Ky + 1, dx + center): −inf outside of the ball
    turned: Any  # the same with x and y exchanged
    drops_x: Any  # (caps, |dy|, dx): the most that a weight loses by a step away; see `falls`
    drops_y: Any
    nearer: Any  # (caps, leading axes, |dy|, |dx|): the most that a weight loses in the plane that is one step nearer,
    farther: Any  # and in the one that is a step farther; see `losses`
    leads: Any  # (neighbours, leading axes): offsets of the planes under the ball, nearest first
    which: Any  # (neighbours,): the cap of each


MARGIN = 2 * (LANES + BLOCK)  # columns beyond the ball in `weights` and `turned`


@inlined
def rise_to(samples, plane, other, by, rises):
    """The least rise of a row of blocks to another plane, of number −1 if there is none."""
    _, ny, nx = samples.shape
    for bx in range(rises.shape[2]):
        least_rise = INF if other >= 0 else -INF
        for y in range(by * BLOCK, min(by * BLOCK + BLOCK, ny) if other >= 0 else 0):
            for x in range(bx * BLOCK, min(bx * BLOCK + BLOCK, nx)):
                v = numpy.float64(samples[plane, y, x])
                if v > -INF:
                    least_rise = min(least_rise, samples[other, y, x] - v)
        rises[plane, by, bx] = least_rise


@compiled()
def refine(samples, lead, first, stop, rows, tops, rises):
    """Fill `Planes` for the block rows first..stop of all planes."""
    _, ny, nx = samples.shape
    for row in range(first, stop):
        plane, by = row // tops.shape[1], row % tops.shape[1]
        f = samples[plane]
        for bx in range(tops.shape[2]):
            top = -INF
            left = right = up = down = INF
            for s in range(BLOCK):
                y = by * BLOCK + s
                high = -INF
                for x in range(bx * BLOCK, min(bx * BLOCK + BLOCK, nx) if y < ny else 0):
                    v = numpy.float64(f[y, x])  # differences of float32 would be rounded more coarsely than sums
                    if v > -INF:
                        high = max(high, v)
                        left = min(left, f[y, x - 1] - v if x > 0 else -INF)
                        right = min(right, f[y, x + 1] - v if x + 1 < nx else -INF)
                        up = min(up, f[y - 1, x] - v if y > 0 else -INF)
                        down = min(down, f[y + 1, x] - v if y + 1 < ny else -INF)
                rows[plane, by, bx, s] = high
                top = max(top, high)
            tops[plane, by, bx] = top
            rises[plane, by, bx, 0], rises[plane, by, bx, 1] = left, right
            rises[plane, by, bx, 2], rises[plane, by, bx, 3] = up, down
        stride = 1
        for axis in range(lead.size - 1, -1, -1):
            at = plane // stride % lead[axis]
            rise_to(samples, plane, plane - stride if at > 0 else -1, by, rises[:, :, :, 4 + 2 * axis])
            rise_to(samples, plane, plane + stride if at + 1 < lead[axis] else -1, by, rises[:, :, :, 5 + 2 * axis])
            stride *= lead[axis]


@inlined
def gap(tile, block, wide, size):
    """Distance of the intervals tile..tile+wide-1 and block..block+size-1."""
    return max(tile - block - size + 1, block - tile - wide + 1, 0)


@inlined
def bound(top, cap, u, dy, dx):
    """No sample up to `top` raises a ball at least dy and dx away above this."""
    weights = cap.weights
    return top + weights[u, min(dy, weights.shape[1] - 1), min(weights.shape[2] // 2 + dx, weights.shape[2] - 1)]


@inlined
def beaten(rise, drops, u, near, far, step):
    """Whether every sample is beaten by its neighbour, for balls that are at least `step` away towards the neighbour.

    Across that axis they are between `near` and `far` away. Both sides are rounded differences: rounding is monotone.
    """
    half = drops.shape[2] // 2
    step = max(step, -half)
    if step > half:
        return True
    return drops[u, min(far if step <= 0 else near, drops.shape[1] - 1), step + half] < rise


@inlined
def hopeless(rises, plane, by, bx, cap, q, y, x, size):
    """Whether no sample of a block touches a ball of the tile, y and x being tile minus block."""
    y_low, y_high, x_low, x_high = y - size + 1, y + ROWS - 1, x - size + 1, x + LANES - 1
    near_y, far_y = max(y_low, -y_high, 0), max(-y_low, y_high)
    near_x, far_x = max(x_low, -x_high, 0), max(-x_low, x_high)
    u = cap.which[q]
    if (
        beaten(rises[plane, by, bx, 0], cap.drops_x, u, near_y, far_y, -x_high)
        or beaten(rises[plane, by, bx, 1], cap.drops_x, u, near_y, far_y, x_low)
        or beaten(rises[plane, by, bx, 2], cap.drops_y, u, near_x, far_x, -y_high)
        or beaten(rises[plane, by, bx, 3], cap.drops_y, u, near_x, far_x, y_low)
    ):
        return True
    for axis in range(cap.leads.shape[1]):
        last_y, last_x = cap.nearer.shape[2] - 1, cap.nearer.shape[3] - 1
        inner = cap.nearer[u, axis, min(near_y, last_y), min(near_x, last_x)]
        outer = cap.farther[u, axis, min(far_y, last_y), min(far_x, last_x)]
        below, above_ = rises[plane, by, bx, 4 + 2 * axis], rises[plane, by, bx, 5 + 2 * axis]
        offset = cap.leads[q, axis]
        if (inner if offset > 0 else outer) < below or (inner if offset < 0 else outer) < above_:
            return True
    return False


class Tile(NamedTuple):
    """ROWS × LANES places of the ball: the heights found so far, the least of each row, a block's samples, contacts."""

    heights: Any
    floors: Any
    block: Any
    contacts: Any


@inlined
def neighbours(plane, lead, leads, origin, shape, sources, folded):
    """The planes under a ball over a plane, −1 for none, and their numbers in an array that repeats periodically."""
    for q in range(leads.shape[0]):
        rest, source, fold_, stride, stride_ = plane, 0, 0, 1, 1
        for axis in range(leads.shape[1] - 1, -1, -1):
            i = rest % shape[axis] + leads[q, axis]
            rest //= shape[axis]
            at = i + origin[axis]
            if at < 0 or at >= lead[axis]:
                source = -1
                break
            source += at * stride
            fold_ += i % shape[axis] * stride_
            stride *= lead[axis]
            stride_ *= shape[axis]
        sources[q], folded[q] = source, fold_


@inlined
def fetch(samples, plane, y, x, block):
    """The samples of a block; −inf outside of the plane."""
    for s in range(BLOCK):
        for c in range(BLOCK):
            inside = y + s < samples.shape[1] and x + c < samples.shape[2]
            block[s * BLOCK + c] = samples[plane, y + s, x + c] if inside else -INF


@inlined
def visit(image, cap, plane, u, by, bx, ty, tx, tile):
    """Raise the tile by a block, row by row, as far as a row of samples can reach above the least height of a row."""
    y, x = ty - by * BLOCK, tx - bx * BLOCK
    rows = ((plane * image.tops.shape[1] + by) * image.tops.shape[2] + bx) * BLOCK
    columns, width = cap.turned.shape[1:]
    near = (u * columns + min(gap(tx, bx * BLOCK, LANES, BLOCK), columns - 1)) * width + width // 2
    lines, length = cap.weights.shape[1:]
    center = u * lines * length + length // 2 + x
    fetched, evaluations = False, 0
    for r in range(ROWS):
        mask = above(image.rows, rows, cap.turned, near - y - r, tile.floors[r])
        if not mask:
            continue
        if not fetched:
            fetch(image.samples, plane, by * BLOCK, bx * BLOCK, tile.block)
            fetched = True
        s = 0
        while mask:
            if mask & 1:
                raise_by(tile.heights, r * LANES, cap.weights, center + abs(y + r - s) * length, tile.block, s * BLOCK)
                evaluations += BLOCK * LANES
            mask >>= 1
            s += 1
        tile.floors[r] = least(tile.heights, r * LANES)
    return evaluations


@inlined
def touch(image, cap, plane, number, u, by, bx, ty, tx, tile, origin, shape):
    """Lower the contacts of the tile to the samples of a block that give its heights."""
    fetch(image.samples, plane, by * BLOCK, bx * BLOCK, tile.block)
    ny, nx = shape[-2], shape[-1]
    reach_y, center = cap.weights.shape[1] - 2, cap.weights.shape[2] // 2
    for r in range(ROWS):
        for s in range(BLOCK):
            dy = abs(ty + r - by * BLOCK - s)
            if dy > reach_y or image.rows[plane, by, bx, s] == -INF:
                continue
            row = (number * ny + (by * BLOCK + s - origin[-2]) % ny) * nx
            for c in range(BLOCK):
                column = bx * BLOCK + c
                for lane in range(LANES):
                    at = r * LANES + lane
                    total = tile.block[s * BLOCK + c] + cap.weights[u, dy, center + tx + lane - column]
                    if total == tile.heights[at] and total > -INF:
                        flat = row + (column - origin[-1]) % nx
                        if tile.contacts[at] < 0 or flat < tile.contacts[at]:
                            tile.contacts[at] = flat


@inlined
def seed(image, cap, plane, u, Y, X, ty, tx, tile):
    """Visit the two most promising blocks of a superblock."""
    first, second = -INF, -INF
    y1 = x1 = y2 = x2 = -1
    for by in range(Y * BLOCK, min(Y * BLOCK + BLOCK, image.tops.shape[1])):
        for bx in range(X * BLOCK, min(X * BLOCK + BLOCK, image.tops.shape[2])):
            dy, dx = gap(ty, by * BLOCK, ROWS, BLOCK), gap(tx, bx * BLOCK, LANES, BLOCK)
            promise = bound(image.tops[plane, by, bx], cap, u, dy, dx)
            if promise > first:
                second, y2, x2 = first, y1, x1
                first, y1, x1 = promise, by, bx
            elif promise > second:
                second, y2, x2 = promise, by, bx
    evaluations = 0
    if y1 >= 0:
        evaluations += visit(image, cap, plane, u, y1, x1, ty, tx, tile)
    if y2 >= 0:
        evaluations += visit(image, cap, plane, u, y2, x2, ty, tx, tile)
    return evaluations


@inlined
def window(tile, size, half, samples):
    """The superblocks under the balls of a tile, along one axis."""
    edge = BLOCK * BLOCK
    return max(0, tile - half) // edge, min(samples - 1, tile + size - 1 + half) // edge + 1


@inlined
def seeds(image, cap, sources, ty, tx, tile):
    """Visit promising blocks first: those of the most promising superblock, and those in the middle."""
    edge = BLOCK * BLOCK
    Y0, Y1 = window(ty, ROWS, cap.drops_x.shape[1] - 1, image.samples.shape[1])
    X0, X1 = window(tx, LANES, cap.drops_y.shape[1] - 1, image.samples.shape[2])
    highest, best, Y, X = -INF, -1, 0, 0
    for q in range(sources.size):
        for y in range(Y0, Y1 if sources[q] >= 0 else Y0):
            for x in range(X0, X1):
                dy, dx = gap(ty, y * edge, ROWS, edge), gap(tx, x * edge, LANES, edge)
                promise = bound(image.super_tops[sources[q], y, x], cap, cap.which[q], dy, dx)
                if promise > highest:
                    highest, best, Y, X = promise, q, y, x
    evaluations = 0
    if best >= 0:
        evaluations += seed(image, cap, sources[best], cap.which[best], Y, X, ty, tx, tile)
    if sources[0] >= 0:
        y, x = min(ty, image.samples.shape[1] - 1) // edge, min(tx, image.samples.shape[2] - 1) // edge
        evaluations += seed(image, cap, sources[0], cap.which[0], y, x, ty, tx, tile)
    return evaluations


@inlined
def sweep(image, cap, sources, folded, ty, tx, tile, origin, shape, contact):
    """Visit all blocks that can raise the tile; for contacts, touch all that can reach its heights."""
    edge = BLOCK * BLOCK
    Y0, Y1 = window(ty, ROWS, cap.drops_x.shape[1] - 1, image.samples.shape[1])
    X0, X1 = window(tx, LANES, cap.drops_y.shape[1] - 1, image.samples.shape[2])
    floor, evaluations = tile.floors.min(), 0
    for q in range(sources.size):
        plane, u = sources[q], cap.which[q]
        for Y in range(Y0, Y1 if plane >= 0 else Y0):
            for X in range(X0, X1):
                dy, dx = gap(ty, Y * edge, ROWS, edge), gap(tx, X * edge, LANES, edge)
                high = bound(image.super_tops[plane, Y, X], cap, u, dy, dx)
                if high < floor or high == -INF or (high == floor and not contact):
                    continue
                if not contact and hopeless(image.super_rises, plane, Y, X, cap, q, ty - Y * edge, tx - X * edge, edge):
                    continue
                for by in range(Y * BLOCK, min(Y * BLOCK + BLOCK, image.tops.shape[1])):
                    for bx in range(X * BLOCK, min(X * BLOCK + BLOCK, image.tops.shape[2])):
                        y, x = ty - by * BLOCK, tx - bx * BLOCK
                        dy, dx = gap(ty, by * BLOCK, ROWS, BLOCK), gap(tx, bx * BLOCK, LANES, BLOCK)
                        high = bound(image.tops[plane, by, bx], cap, u, dy, dx)
                        if high < floor or high == -INF:
                            continue
                        if contact:
                            touch(image, cap, plane, folded[q], u, by, bx, ty, tx, tile, origin, shape)
                        elif high > floor and not hopeless(image.rises, plane, by, bx, cap, q, y, x, BLOCK):
                            evaluations += visit(image, cap, plane, u, by, bx, ty, tx, tile)
                            floor = tile.floors.min()
    return evaluations


@compiled()
def tiles(image, cap, origin, shape, first, stop, out, contacts):
    """Tiles first..stop of the dilation, and its contacts if there is room for them; the number of evaluations."""
    ny, nx = shape[-2], shape[-1]
    down, across = (ny + ROWS - 1) // ROWS, (nx + LANES - 1) // LANES
    sources, folded = numpy.empty(cap.which.size, numpy.int64), numpy.empty(cap.which.size, numpy.int64)
    size = ROWS * LANES
    tile = Tile(numpy.empty(size), numpy.empty(ROWS), numpy.empty(BLOCK * BLOCK), numpy.empty(size, numpy.int64))
    before, evaluations = -1, 0
    for number in range(first, stop):
        plane, place = number // (down * across), number % (down * across)
        if plane != before:
            neighbours(plane, image.lead, cap.leads, origin, shape, sources, folded)
            before = plane
        y, x = place // across * ROWS, place % across * LANES
        ty, tx = y + origin[-2], x + origin[-1]
        tile.contacts[:] = -1
        for r in range(ROWS):
            for lane in range(LANES):  # places outside of the array must not hold the floor down
                tile.heights[r * LANES + lane] = -INF if y + r < ny and x + lane < nx else INF
            tile.floors[r] = least(tile.heights, r * LANES)
        evaluations += seeds(image, cap, sources, ty, tx, tile)
        evaluations += sweep(image, cap, sources, folded, ty, tx, tile, origin, shape, False)
        if contacts.size:
            sweep(image, cap, sources, folded, ty, tx, tile, origin, shape, True)
        for r in range(min(ROWS, ny - y)):
            for lane in range(min(LANES, nx - x)):
                out[plane, y + r, x + lane] = tile.heights[r * LANES + lane]
                if contacts.size:
                    contacts[plane, y + r, x + lane] = tile.contacts[r * LANES + lane]
    return evaluations


# Over strips of planes, for a small ball: every sample under it, for WIDE balls at a time.


@inlined
def cover(samples, plane, row, column, field):
    """The samples from a row and a column on; −inf outside of the plane."""
    low, high = max(0, -column), min(field.shape[1], samples.shape[2] - column)
    field[:] = -INF
    for y in range(max(0, -row), min(field.shape[0], samples.shape[1] - row)):
        for x in range(low, high):
            field[y, x] = samples[plane, row + y, column + x]


@inlined
def tap(cap, group, taps, weights, ends):
    """Where the ball takes its samples, in rows of `group` blocks of WIDE, one for each |dx|: `taps` and their weights.

    Those of |dx| end at ends[|dx| + 1].
    """
    count = ends[0] = 0
    for dx in range(cap.shape[1]):
        for dy in range(cap.shape[0]):
            if cap[dy, dx] > -INF:
                weights[count] = cap[dy, dx]
                taps[count, 0], taps[count, 1] = (dx % group - dy * group) * WIDE, (dx % group + dy * group) * WIDE
                count += 1
        ends[dx + 1] = count


@inlined
def press(field, rows, half_y, half_x, pairs, start, group, taps, weights, ends, heights):
    """Raise the heights, in blocks of WIDE columns, by a field that extends beyond them by the half-widths of the ball.

    The weights are symmetric: of the samples as far to the left as to the right, or above as below, the larger one is
    all that matters. `pairs` holds those of each row, for `group` distances.
    """
    line = group * WIDE
    for block in range(heights.shape[0]):
        for first in range(0, half_x + 1, group):
            stop = min(first + group, half_x + 1)
            for row in range(rows + 2 * half_y):
                middle = row * field.shape[1] + block * WIDE + half_x
                for dx in range(first, stop):
                    larger(pairs, start + row * line + (dx - first) * WIDE, field, middle - dx, middle + dx)
            for r in range(rows):
                place, middle = (block * STRIP + r) * WIDE, start + (r + half_y) * line
                raise_by_taps(heights, place, pairs, middle, taps, weights, ends[first], ends[stop])


@compiled()
def strips(samples, lead, caps, leads, which, origin, shape, first, stop, out):
    """Strips first..stop of the dilation by a ball of the tables `caps`; `leads`, `which` are as in `Cap`."""
    ny, nx = shape[-2], shape[-1]
    half_y, half_x = caps.shape[1] - 1, caps.shape[2] - 1
    blocks, down = (nx + WIDE - 1) // WIDE, (ny + STRIP - 1) // STRIP
    group = min(max(NEAR // (WIDE * (2 * half_y + 1)), 1), half_x + 1)
    sources, folded = numpy.empty(which.size, numpy.int64), numpy.empty(which.size, numpy.int64)
    taps, weights = numpy.empty((caps[0].size, 2), numpy.int64), numpy.empty(caps[0].size)
    ends = numpy.empty(half_x + 2, numpy.int64)
    field = numpy.empty((STRIP + 2 * half_y, blocks * WIDE + 2 * half_x))
    pairs = numpy.empty((STRIP + 2 * half_y) * group * WIDE + 8)
    start = (-pairs.ctypes.data // 8) % 8  # whence a vector lies in one line of the cache
    heights = numpy.empty((blocks, STRIP, WIDE))
    for number in range(first, stop):
        plane, y = number // down, number % down * STRIP
        rows = min(STRIP, ny - y)
        neighbours(plane, lead, leads, origin, shape, sources, folded)
        heights[:] = -INF
        for q in range(sources.size):
            if sources[q] >= 0:
                cover(samples, sources[q], y + origin[-2] - half_y, origin[-1] - half_x, field)
                tap(caps[which[q]], group, taps, weights, ends)
                press(field, rows, half_y, half_x, pairs, start, group, taps, weights, ends, heights)
        for r in range(rows):
            for block in range(blocks):
                for x in range(min(WIDE, nx - block * WIDE)):
                    out[plane, y + r, block * WIDE + x] = heights[block, r, x]
