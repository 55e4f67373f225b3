/** A chain of products as an ONNX file (protocol buffers, onnx.proto3 of version 17 of its operators), which other engines can play. */
import { floats } from "../../kernels/data.ts";

/** y = x · W0 · W1 · … with `length` matrices, f32[n, n] each; x and y are f32[T, n], with any T. */
export function productChain(n: number, length: number): Uint8Array {
  const value = (i: number): string => (i === 0 ? "x" : i === length ? "y" : `x${i}`);
  const layers = Array.from({ length }, (_, i) => i);
  const nodes = layers.map((i) =>
    field(1, text(1, value(i)), text(1, `w${i}`), text(2, value(i + 1)), text(4, "MatMul")),
  );
  const weights = layers.map((i) => {
    const w = floats(n * n, i + 1).map((x) => x / Math.sqrt(n)); // so that sums stay in bounds
    const raw = new Uint8Array(w.buffer, w.byteOffset, w.byteLength);
    return field(5, number(1, n), number(1, n), number(2, f32), text(8, `w${i}`), field(9, raw));
  });
  const graph = [...nodes, text(2, "chain"), ...weights, field(11, ofTokens("x", n)), field(12, ofTokens("y", n))];
  return Buffer.concat([number(1, 8), field(7, ...graph), field(8, text(1, ""), number(2, 17))]);
}

const f32 = 1;

const ofTokens = (name: string, n: number): Uint8Array => {
  const shape = field(2, field(1, text(2, "T")), field(1, number(1, n)));
  return Buffer.concat([text(1, name), field(2, field(1, number(1, f32), shape))]);
};

function varint(n: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = n; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Uint8Array.of(...bytes, rest);
    bytes.push((rest % 128) | 128);
  }
}

const number = (field: number, n: number): Uint8Array => Buffer.concat([varint(field << 3), varint(n)]);
const field = (at: number, ...parts: readonly Uint8Array[]): Uint8Array => {
  const bytes = parts.reduce((n, part) => n + part.length, 0);
  return Buffer.concat([varint((at << 3) | 2), varint(bytes), ...parts]);
};
const text = (at: number, s: string): Uint8Array => field(at, new TextEncoder().encode(s));
