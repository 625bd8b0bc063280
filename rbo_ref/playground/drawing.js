// Pictures on a canvas: a cross-section for one parameter, a map for two. Both axes have one scale: balls are circles.

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// A canvas as a window on the plane around a middle, so many units wide.
function windowOn(canvas, middle, width) {
  const pixels = window.devicePixelRatio || 1, { clientWidth: w, clientHeight: h } = canvas;
  canvas.width = Math.round(w * pixels);
  canvas.height = Math.round(h * pixels);
  const pen = canvas.getContext("2d");
  pen.scale(pixels, pixels);
  const scale = w / width;
  return {
    pen, w, h, scale, width, height: h / scale, middle,
    at: ([x, y]) => [w / 2 + (x - middle[0]) * scale, h / 2 - (y - middle[1]) * scale],
    place: (px, py) => [middle[0] + (px - w / 2) / scale, middle[1] - (py - h / 2) / scale],
  };
}

function drawLine(view, points, stroke, { width = 2, dash = [], fill = null, close = false } = {}) {
  const { pen } = view;
  pen.beginPath();
  let drawing = false;
  for (const point of points) {
    const [x, y] = view.at(point), seen = Number.isFinite(x) && Number.isFinite(y) && Math.abs(x) < 1e5 && Math.abs(y) < 1e5;
    if (seen) drawing ? pen.lineTo(x, y) : pen.moveTo(x, y);
    drawing = seen;
  }
  if (close) pen.closePath();
  if (fill) (pen.fillStyle = fill), pen.fill();
  pen.setLineDash(dash);
  pen.lineWidth = width;
  pen.strokeStyle = stroke;
  if (stroke) pen.stroke();
  pen.setLineDash([]);
}

function drawDot(view, point, fill, size = 4) {
  const { pen } = view, [x, y] = view.at(point);
  if (!Number.isFinite(x) || !Number.isFinite(y)) return;
  pen.beginPath();
  pen.arc(x, y, size, 0, 2 * Math.PI);
  pen.fillStyle = fill;
  pen.fill();
}

function drawBall(view, center, radius, stroke, dash = []) {
  const { pen } = view, [x, y] = view.at(center), size = radius * view.scale;
  if (![x, y, size].every(Number.isFinite)) return;
  pen.beginPath();
  pen.arc(x, y, size, 0, 2 * Math.PI);
  pen.globalAlpha = 0.12;
  pen.fillStyle = stroke;
  pen.fill();
  pen.globalAlpha = 1;
  pen.setLineDash(dash);
  pen.lineWidth = 1.5;
  pen.strokeStyle = stroke;
  pen.stroke();
  pen.setLineDash([]);
}

// Round numbers along the edges.
function drawTicks(view) {
  const { pen, w, h } = view, rough = (view.width / w) * 90, power = 10 ** Math.floor(Math.log10(rough));
  const gap = [1, 2, 5, 10].map((k) => k * power).find((k) => k >= rough), digits = Math.max(0, -Math.floor(Math.log10(gap) + 1e-9));
  const text = (x) => (Math.abs(x) < gap / 2 ? 0 : x).toFixed(Math.min(digits, 12)).replace("-", "−");
  pen.font = "12px system-ui, sans-serif";
  pen.fillStyle = color("faint");
  const [left, top] = view.place(0, 0), [right, bottom] = view.place(w, h);
  pen.textAlign = "center";
  for (let x = Math.ceil(left / gap) * gap; x < right; x += gap) {
    const [px] = view.at([x, 0]);
    pen.fillRect(px, h - 5, 1, 5);
    if (px > 20 && px < w - 20) pen.fillText(text(x), px, h - 9);
  }
  pen.textAlign = "left";
  for (let y = Math.ceil(bottom / gap) * gap; y < top; y += gap) {
    const [, py] = view.at([0, y]);
    pen.fillRect(0, py, 5, 1);
    if (py > 20 && py < h - 30) pen.fillText(text(y), 9, py + 4);
  }
}

// --- one parameter ---------------------------------------------------------------------------------------------------

// f at evenly spaced places across the view and a margin on both sides.
function sampled(value, view, margin) {
  const spacing = view.width / (2 * view.w), count = Math.min(Math.ceil((view.width + 2 * margin) / spacing), 20000);
  const step = (view.width + 2 * margin) / count, first = view.middle[0] - view.width / 2 - margin;
  const places = Array.from({ length: count + 1 }, (_, i) => first + i * step);
  return { step, places, heights: places.map((x) => value([x])) };
}

function drawGround(view, { places, heights }) {
  const points = places.map((x, i) => [x, heights[i]]).filter(([, y]) => Number.isFinite(y));
  const low = view.place(0, view.h + 40)[1], high = view.place(0, -40)[1], inside = ([x, y]) => [x, Math.min(Math.max(y, low), high)];
  const ends = [[points.at(-1)?.[0] ?? 0, low], [points[0]?.[0] ?? 0, low]];
  drawLine(view, [...points.map(inside), ...ends], null, { fill: color("earth"), close: true });
  drawLine(view, points, color("ink"), { width: 1.5 });
}

// The graph, f_ρ, the ball and where it has been: trail is a list of { theta, height, center, candidate }.
function drawSection(canvas, { value, middle, width, radius, trail, known }) {
  const view = windowOn(canvas, middle, width);
  const ground = sampled(value, view, Math.min(radius, 4 * width));
  drawGround(view, ground);
  if (known.offset) {
    const top = offsetFunction(ground.heights, ground.step, radius);
    drawLine(view, ground.places.map((x, i) => [x, top[i]]), color("offset"), { dash: [6, 4], width: 1.5 });
  }
  drawTicks(view);
  drawLine(view, trail.map((stop) => stop.center), color("truth"), { width: 1.5 });
  if (trail.length < 400) trail.forEach((stop) => drawDot(view, stop.center, color("truth"), 2));
  const here = trail.at(-1), contact = [here.theta[0], here.height];
  trail.slice(0, -1).forEach((stop) => drawDot(view, [stop.theta[0], stop.height], color("port"), 2));
  drawBall(view, here.center, radius, color("truth"));
  drawLine(view, [contact, here.center], color("truth"), { width: 1 });
  drawDot(view, here.center, color("truth"));
  drawDot(view, contact, color("port"), 5);
  return view;
}

// --- two parameters --------------------------------------------------------------------------------------------------

const BANDS = 14;

// Heights on a grid, in bands that hold equally many places each, as an image.
function mapOf(value, view) {
  const columns = Math.ceil(view.w / 3), rows = Math.ceil(view.h / 3), heights = new Float64Array(columns * rows);
  for (let j = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++) heights[j * columns + i] = value(view.place(3 * i + 1.5, 3 * j + 1.5));
  }
  const sorted = Float64Array.from(heights).filter(Number.isFinite).sort();
  const edges = Array.from({ length: BANDS - 1 }, (_, k) => sorted[Math.floor(((k + 1) * sorted.length) / BANDS)]);
  const band = Uint8Array.from(heights, (height) => edges.filter((edge) => height > edge).length);
  return { columns, rows, band };
}

function imageOf({ columns, rows, band }) {
  const image = new OffscreenCanvas(columns, rows), pen = image.getContext("2d"), pixels = pen.createImageData(columns, rows);
  const [low, middle, high] = ["low", "middle", "high"].map((name) => color(name).match(/[0-9a-f]{2}/gi).map((hex) => parseInt(hex, 16)));
  const shade = (t) => (t < 0.5 ? low.map((c, i) => c + (middle[i] - c) * 2 * t) : middle.map((c, i) => c + (high[i] - c) * (2 * t - 1)));
  band.forEach((k, i) => {
    const edge = (i % columns && band[i - 1] !== k) || (i >= columns && band[i - columns] !== k) ? 0.88 : 1;
    const [r, g, b] = shade(k / (BANDS - 1)).map((c) => c * edge);
    pixels.data.set([r, g, b, 255], 4 * i);
  });
  pen.putImageData(pixels, 0, 0);
  return image;
}

let lastMap = { key: "", image: null }; // it takes longest, and changes least

function drawMap(canvas, { name, value, middle, width, radius, trail }) {
  const view = windowOn(canvas, middle, width), key = [name, ...middle, width, view.w, view.h, color("low")].join();
  if (lastMap.key !== key) lastMap = { key, image: imageOf(mapOf(value, view)) };
  view.pen.drawImage(lastMap.image, 0, 0, 3 * lastMap.image.width, 3 * lastMap.image.height);
  drawTicks(view);
  const here = trail.at(-1);
  drawLine(view, trail.map((stop) => stop.center), color("truth"), { width: 1.5, dash: [5, 3] });
  drawLine(view, trail.map((stop) => stop.theta), color("port"), { width: 2 });
  if (trail.length < 400) trail.forEach((stop) => drawDot(view, stop.theta, color("port"), 2.5));
  drawBall(view, here.center, radius, color("truth"));
  drawDot(view, here.center, color("truth"), 3);
  drawDot(view, here.theta, color("port"), 5);
  return view;
}

// --- a judgement -----------------------------------------------------------------------------------------------------

// Each judged vector as a dot: its error in tolerances, from 10⁻³ to 10¹⁶; what is right of the line is wrong.
function drawErrors(canvas, results) {
  const view = windowOn(canvas, [0, 0], 1), { pen, w, h } = view, judged = results.filter(({ error }) => error !== undefined);
  const x = (ratio) => 16 + ((Math.log10(Math.min(Math.max(ratio, 1e-3), 1e16)) + 3) / 19) * (w - 32);
  pen.font = "12px system-ui, sans-serif";
  pen.fillStyle = color("faint");
  pen.textAlign = "center";
  for (const power of [-3, 0, 4, 8, 12, 16]) pen.fillText(power === 0 ? "tolerance" : `10${superscript(power)}`, x(10 ** power), h - 6);
  pen.fillRect(x(1), 8, 1.5, h - 32);
  judged.forEach(({ error, tolerance, verdict }, i) => {
    pen.beginPath();
    pen.arc(x(inTolerances(error, tolerance)), 14 + (i * (h - 50)) / Math.max(judged.length - 1, 1), 3.5, 0, 2 * Math.PI);
    pen.fillStyle = pen.strokeStyle = color(verdict === "fail" ? "port" : "truth");
    pen.lineWidth = 1.5;
    verdict === "fail" ? pen.fill() : pen.stroke();
  });
}

const superscript = (n) => String(n).replace(/./g, (digit) => ({ "-": "⁻" })[digit] ?? "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]);

// The path of a port where it is wrong, and the true one, on the loss of the question.
function drawAnswer(canvas, terms, start, truth, answer) {
  const value = (theta) => evaluated(terms, theta)[0], d = start.length, places = [start, ...truth, ...answer];
  const points = d === 1 ? places.map((theta) => [theta[0], value(theta)]) : places;
  const [low, high] = [Math.min, Math.max].map((most) => [0, 1].map((i) => most(...points.map((point) => point[i]))));
  const { clientWidth: w, clientHeight: h } = canvas, span = Math.max(high[0] - low[0], ((high[1] - low[1]) * w) / h, 1e-9);
  const view = windowOn(canvas, [0, 1].map((i) => (low[i] + high[i]) / 2), 1.5 * span);
  if (d === 1) {
    drawGround(view, sampled(value, view, 0));
  } else {
    const image = imageOf(mapOf(value, view));
    view.pen.drawImage(image, 0, 0, 3 * image.width, 3 * image.height);
  }
  drawTicks(view);
  const n = truth.length, right = points.slice(0, n + 1), given = [points[0], ...points.slice(n + 1)];
  drawLine(view, right, color("truth"), { width: 5 });
  drawLine(view, given, color("port"), { width: 1.8, dash: [6, 3] });
  right.slice(1).forEach((point) => drawDot(view, point, color("truth"), 6));
  given.slice(1).forEach((point) => drawDot(view, point, color("port"), 4));
  drawDot(view, points[0], color("ink"), 4);
}
