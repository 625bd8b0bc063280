// Numbers as the page holds them: base64 of little-endian arrays, bit patterns, and sums of two doubles.

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

function bytesOf(text) {
  const sextets = text.replace(/=+$/, ""), bytes = new Uint8Array(Math.floor((sextets.length * 3) / 4));
  let held = 0, bits = 0, place = 0;
  for (const digit of sextets) {
    held = ((held << 6) | DIGITS.indexOf(digit)) & 0xffff;
    bits += 6;
    if (bits >= 8) bytes[place++] = (held >> (bits -= 8)) & 0xff;
  }
  return bytes;
}

const doublesOf = (text) => new Float64Array(bytesOf(text).buffer);

// Numbers of which only the upper half of their single-precision pattern is held.
function halvesOf(text) {
  const halves = new Uint16Array(bytesOf(text).buffer);
  return new Float32Array(Uint32Array.from(halves, (half) => half * 65536).buffer);
}

// The double of a bit pattern, or null where the text is none.
function doubleOf(pattern) {
  if (!/^0x[0-9a-f]{16}$/i.test(pattern)) return null;
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(pattern));
  return view.getFloat64(0);
}

// |x − (high + low)|, to many more digits than a difference of doubles.
function farFrom(x, high, low) {
  return Number.isFinite(x) ? Math.abs(x - high - low) : Infinity;
}
