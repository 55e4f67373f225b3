/** Numbers as WGSL writes them. */

/** The shortest decimal that is this f32; what is not finite has no literal. */
export function floatLiteral(x: number): string {
  for (let digits = 1; digits <= 9; digits += 1) {
    const text = x.toPrecision(digits);
    if (Math.fround(Number(text)) === x) return withPoint(shortened(text, x));
  }
  return withPoint(String(x));
}
/** As JavaScript writes it, where that is not longer: 1e-7 for 1.0e-7, 0.5 for 5e-1. */
const shortened = (text: string, x: number): string => {
  const plain = String(Number(text));
  return Object.is(x, -0) ? "-0" : plain.length <= text.length ? plain : text;
};
const withPoint = (text: string): string => (/[.e]/.test(text) ? text : `${text}.0`);

const word = new DataView(new ArrayBuffer(4));
/** The bits of what has no literal. */
export function bitsLiteral(x: number): string {
  word.setFloat32(0, x);
  return `0x${word.getUint32(0).toString(16).padStart(8, "0")}u`;
}
