/** Recordings of e4m3 codes and multipliers, with the matrices that torch made them of. See README.md. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fnv1a, mulberry32 } from "../../compiler/cli/tiny/seeded-numbers.ts";
import { decodeFloat, e4m3 } from "../../runtime/formats/float-format.ts";
import { folderOf, namesIn } from "./cases.ts";
import { checksum } from "./seeded-weights.ts";

const folder = folderOf("recorded-packed");
export const packedCaseNames = namesIn(folder);

export interface PackedCase {
  readonly name: string;
  readonly dtype: "f32" | "bf16";
  readonly pow2: boolean;
  readonly shape: readonly [number, number];
  /** Row-major; exact in its type. */
  readonly values: Float32Array;
  readonly blocks: readonly [number, number];
  readonly multipliers: Float32Array;
  readonly codes: Uint8Array;
  /** The largest difference over the largest magnitude; the sum of all over the sum of magnitudes. */
  readonly errors: { readonly largest: number; readonly mean: number };
}

type Make = (name: string, rows: number, columns: number) => Float32Array;

const spread: Make = (name, rows, columns) => {
  const next = mulberry32(fnv1a(new TextEncoder().encode(name)));
  return new Float32Array(rows * columns).map(() => {
    const bits = next();
    return ((bits >>> 8) - 2 ** 23) * 2 ** -(23 + (bits & 15));
  });
};

/** To the upper half of its bits, to nearest even; none of these numbers is near the end of the range. */
function toBf16(x: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, x);
  const bits = view.getUint32(0);
  view.setUint32(0, (bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000);
  return view.getFloat32(0);
}

const exponents = [
  [0, 90, -60],
  [-120, -130, 127],
];

/** The f32 so many steps behind a positive one. */
function neighbour(x: number, by: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, x);
  view.setUint32(0, view.getUint32(0) + by);
  return view.getFloat32(0);
}

/** Of each two neighbours of the format. */
function middles(): readonly number[] {
  const codes = Array.from({ length: 127 }, (_, code) => decodeFloat(e4m3, code));
  return codes.slice(1).map((x, i) => (x + (codes[i] ?? 0)) / 2);
}

const repeated = (values: readonly number[], count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => values[i % values.length] ?? 0);

const makes: Readonly<Record<string, Make>> = {
  spread,
  narrow: (...of) => spread(...of).map(toBf16),
  uneven: (name, rows, columns) =>
    spread(name, rows, columns).map((x, i) => {
      const [down, across] = [Math.floor(i / columns / 128), Math.floor((i % columns) / 128)];
      return x * 2 ** (exponents[down % 2]?.[across % 3] ?? 0);
    }),
  zeros: (name, rows, columns) =>
    spread(name, rows, columns).map((x, i) => (i / columns < 128 && i % columns < 128 ? (x < 0 ? -0 : 0) : x)),
  quotients: (_, rows, columns) => {
    const top = Math.fround(0.7310586);
    const near = middles().map((x) => Math.fround(x * Math.fround(top / 448)));
    return repeated([top, ...near, ...near.map((x) => -x)], rows * columns);
  },
  ties: (_, rows, columns) => {
    const near = [0, 1, -1].flatMap((by) => middles().map((x) => neighbour(x, by)));
    return repeated([448, ...near, ...near.map((x) => -x)], rows * columns);
  },
};

interface Recording extends Omit<PackedCase, "values" | "multipliers" | "codes"> {
  readonly made: string;
  readonly checksum: string;
  readonly multipliers: string;
  readonly codes: string;
}

export function loadPackedCase(name: string): PackedCase {
  const { made, multipliers, codes, ...rest }: Recording = JSON.parse(
    readFileSync(join(folder, `${name}.json`), "utf8"),
  );
  const [rows, columns] = rest.shape;
  const values = makes[made]?.(name, rows, columns) ?? new Float32Array();
  if (checksum(values) !== rest.checksum) throw new Error(`${name}: these are not the numbers that were recorded`);
  const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "base64"));
  return { ...rest, values, multipliers: new Float32Array(bytes(multipliers).buffer), codes: bytes(codes) };
}
