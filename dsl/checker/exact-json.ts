/** JSON whose whole numbers stay exact: those that no double holds are bigints. */

/** Before a whole number that stands in place of itself as a text; no name or text of a config begins so. */
const mark = "\0integer:";
const textOrNumber = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;

/** Throws SyntaxError as JSON.parse does, with its place in `text`. */
export function parseExactJson(text: string): unknown {
  const plain: unknown = JSON.parse(text);
  if (!/\d{16}/.test(text)) return plain;
  const marked = text.replace(textOrNumber, (token) =>
    /^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token)) ? JSON.stringify(mark + token) : token,
  );
  return JSON.parse(marked, (_name, value: unknown) =>
    typeof value === "string" && value.startsWith(mark) ? BigInt(value.slice(mark.length)) : value,
  );
}
