import { describe, expect, test } from "vitest";
import {
  longestHeader,
  parseSafetensorsHeader,
  readHeaderLength,
  type SafetensorsHeader,
} from "./safetensors-header.ts";
import { WeightsError } from "./weights-error.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Parses a header over `dataSize` bytes of data that nobody reads. */
function parse(header: string | Uint8Array, dataSize = 0): SafetensorsHeader {
  const json = typeof header === "string" ? utf8(header) : header;
  return parseSafetensorsHeader(json, { file: "a.safetensors", fileSize: 8 + json.length + dataSize });
}

function fault(work: () => unknown): WeightsError {
  try {
    work();
  } catch (error) {
    if (error instanceof WeightsError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

const entry = (dtype: string, shape: string, begin: unknown, end: unknown): string =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":[${begin},${end}]}`;

describe("a good header", () => {
  test("tensors come in the order of the data, whatever the order of the names", () => {
    const { tensors, metadata, dataStart } = parse(
      `{"b":${entry("F32", "[2,1]", 2, 10)},"__metadata__":{"format":"pt","":"é"},"a":${entry("BF16", "[]", 0, 2)}}  \n`,
      10,
    );
    const at = dataStart;
    expect([...tensors.values()]).toEqual([
      { name: "a", dtype: "BF16", shape: [], begin: at, end: at + 2 },
      { name: "b", dtype: "F32", shape: [2, 1], begin: at + 2, end: at + 10 },
    ]);
    expect([...metadata]).toEqual([
      ["format", "pt"],
      ["", "é"],
    ]);
  });

  test("none, and empty tensors anywhere", () => {
    expect(parse("{}").tensors.size).toBe(0);
    const header = `{"a":${entry("I8", "[3]", 0, 3)},"e":${entry("F64", "[0,7]", 3, 3)},"f":${entry("F64", "[0]", 0, 0)}}`;
    expect([...parse(header, 3).tensors.keys()]).toEqual(["f", "a", "e"]);
  });

  test("names are data: prototype names, the empty one, escapes, a byte order mark, other planes", () => {
    const names = ["__proto__", "constructor", "toString", "", 'a"\\\n\u0001', "\uFEFFa", "a", "😀", "é"];
    const members = names.map((name, i) => `${JSON.stringify(name)}:${entry("U8", "[1]", i, i + 1)}`);
    expect([...parse(`{${members.join(",")}}`, names.length).tensors.keys()]).toEqual(names);
    expect([...parse(`{"\\ud83d\\uDE00\\u0041\\/\\b\\f\\t\\r":${entry("U8", "[0]", 0, 0)}}`).tensors.keys()]).toEqual([
      "😀A/\b\f\t\r",
    ]);
    expect(parse('{"__metadata__":{"__proto__":"x"}}').metadata.get("__proto__")).toBe("x");
  });

  test("fields of an entry that nobody knows are passed over", () => {
    const more = '"more":[{"a":[null,true,false,-1.5e+3,0,"\\u0000"]},{},[]]';
    expect(parse(`{"a":{${more},"shape":[1],"data_offsets":[0,1],"dtype":"BOOL"}}`, 1).tensors.get("a")?.dtype).toBe(
      "BOOL",
    );
  });

  test("half-byte elements, as long as they fill whole bytes", () => {
    expect(parse(`{"a":${entry("F4", "[2,3]", 0, 3)}}`, 3).tensors.size).toBe(1);
    expect(parse(`{"a":${entry("F6_E2M3", "[4]", 0, 3)}}`, 3).tensors.size).toBe(1);
  });

  test("data beyond 4 GiB", () => {
    const size = 600_000_000_000;
    const { tensors, dataStart } = parse(`{"a":${entry("U8", `[${size / 1000},1000]`, 0, size)}}`, size);
    expect(tensors.get("a")?.end).toBe(dataStart + size);
  });
});

describe("the length", () => {
  const length = (value: bigint, fileSize: number): number => {
    const prefix = new Uint8Array(8);
    new DataView(prefix.buffer).setBigUint64(0, value, true);
    return readHeaderLength(prefix.subarray(0, Math.min(8, fileSize)), { file: "a.safetensors", fileSize });
  };

  test("is taken up to the end of the file and to 100 MB", () => {
    expect(length(2n, 10)).toBe(2);
    expect(length(BigInt(longestHeader), longestHeader + 8)).toBe(100_000_000);
  });

  test.each([
    ["no file", 0n, 0, "file-too-small", 0],
    ["seven bytes", 0n, 7, "file-too-small", 7],
    ["one byte too many", 3n, 10, "header-past-end", 0],
    ["more than the limit", BigInt(longestHeader) + 1n, 2 * longestHeader, "header-too-large", 0],
    ["all bits", 2n ** 64n - 1n, 100, "header-too-large", 0],
    ["beyond 2^53", 2n ** 53n + 1n, Number.MAX_SAFE_INTEGER, "header-too-large", 0],
  ])("%s", (_name, value, fileSize, code, byte) => {
    expect(fault(() => length(value, fileSize))).toMatchObject({ code, byte, tensor: null, file: "a.safetensors" });
  });
});

/** The byte of a mistake is where `^` stands; the header is given without it. */
const malformed: readonly (readonly [
  name: string,
  code: string,
  tensor: string | null,
  header: string,
  dataSize?: number,
])[] = [
  ["empty", "bad-json", null, "^"],
  ["a space first", "bad-json", null, "^ {}"],
  ["an array", "bad-json", null, "^[]"],
  ["cut short", "bad-json", "a", '{"a":{"dtype":"U8"^'],
  ["something behind the end", "bad-json", null, "{}^{}"],
  ["a zero byte behind the end", "bad-json", null, "{}^\0"],
  ["a comma too many", "bad-json", null, `{"a":${entry("U8", "[0]", 0, 0)},^}`],
  ["no comma", "bad-json", null, `{"a":${entry("U8", "[0]", 0, 0)} ^"b":1}`],
  ["a name without quotes", "bad-json", null, "{^a:1}"],
  ["no colon", "bad-json", null, '{"a" ^1}'],
  ["an open string", "bad-json", null, '{"a^'],
  ["a control character in a name", "bad-json", null, '{"a^\n":1}'],
  ["an unknown escape", "bad-json", null, '{"\\^x":1}'],
  ["a short escape", "bad-json", null, '{"\\u12^":1}'],
  ["a wrong hexadecimal digit", "bad-json", null, '{"\\u12^:4":1}'],
  ["a letter beyond f", "bad-json", null, '{"\\u00^g0":1}'],
  ["half a surrogate pair", "bad-json", null, '{"a^\\ud800":1}'],
  ["the second half alone", "bad-json", null, '{"^\\udc00":1}'],
  ["two first halves", "bad-json", null, '{"^\\ud800\\ud800":1}'],
  ["a leading zero", "bad-json", "a", '{"a":{"shape":[0^1]}}'],
  ["a number that stops", "bad-json", "a", '{"a":{"x":1.^}}'],
  ["an exponent that stops", "bad-json", "a", '{"a":{"x":1e+^}}'],
  ["a lone minus", "bad-json", "a", '{"a":{"x":-^}}'],
  ["a literal misspelt", "bad-json", "a", '{"a":{"x":^nul}}'],
  ["NaN", "bad-json", "a", '{"a":{"x":^NaN}}'],
  ["65 levels", "nested-too-deeply", "a", `{"a":{"x":${"[".repeat(65)}^[`],
  ["100,000 levels", "nested-too-deeply", "a", `{"a":{"x":${'{"":'.repeat(65)}^${'{"":'.repeat(100_000)}`],
  ["an entry that is no object", "bad-header", "a", '{"a":^[1]}'],
  ["no dtype", "bad-header", "a", '{^"a":{"shape":[0],"data_offsets":[0,0]}}'],
  ["no shape", "bad-header", "a", '{^"a":{"dtype":"U8","data_offsets":[0,0]}}'],
  ["no data_offsets", "bad-header", "a", '{^"a":{"dtype":"U8","shape":[0]}}'],
  ["a dtype that is no string", "bad-header", "a", '{"a":{"dtype": ^8}}'],
  ["an unknown dtype", "unknown-dtype", "a", '{"a":{"dtype":^"F128"}}'],
  ["a dtype from a prototype", "unknown-dtype", "a", '{"a":{"dtype":^"__proto__"}}'],
  ["a dtype in small letters", "unknown-dtype", "a", '{"a":{"dtype":^"f32"}}'],
  ["a name twice", "duplicate-name", "a", `{"a":${entry("U8", "[0]", 0, 0)},^"a":${entry("U8", "[0]", 0, 0)}}`],
  [
    "a name twice, once escaped",
    "duplicate-name",
    "a",
    `{"a":${entry("U8", "[0]", 0, 0)},^"\\u0061":${entry("U8", "[0]", 0, 0)}}`,
  ],
  ["__proto__ twice", "duplicate-name", "__proto__", `{"__proto__":${entry("U8", "[0]", 0, 0)},^"__proto__":{}}`],
  ["__metadata__ twice", "duplicate-name", null, '{"__metadata__":{},^"__metadata__":{}}'],
  ["a key of __metadata__ twice", "duplicate-name", null, '{"__metadata__":{"a":"b",^"a":"b"}}'],
  ["dtype twice", "duplicate-name", "a", '{"a":{"dtype":"U8",^"dtype":"U8"}}'],
  ["shape twice", "duplicate-name", "a", '{"a":{"shape":[],^"shape":[]}}'],
  ["data_offsets twice", "duplicate-name", "a", '{"a":{"data_offsets":[0,0],^"data_offsets":[0,0]}}'],
  ["__metadata__ of a number", "bad-metadata", null, '{"__metadata__":{"a":^1}}'],
  ["__metadata__ of an object", "bad-metadata", null, '{"__metadata__":{"a":^{}}}'],
  ["__metadata__ null", "bad-metadata", null, '{"__metadata__":^null}'],
  ["a negative axis", "bad-shape", "a", '{"a":{"shape":[2,^-1]}}'],
  ["minus zero", "bad-shape", "a", '{"a":{"shape":[^-0]}}'],
  ["a fraction", "bad-shape", "a", '{"a":{"shape":[^1.0]}}'],
  ["an exponent", "bad-shape", "a", '{"a":{"shape":[^1e2]}}'],
  ["2^53", "bad-shape", "a", '{"a":{"shape":[^9007199254740992]}}'],
  ["an axis of 400 digits", "bad-shape", "a", `{"a":{"shape":[^${"9".repeat(400)}]}}`],
  ["an axis as text", "bad-shape", "a", '{"a":{"shape":[^"1"]}}'],
  ["a shape that is no array", "bad-shape", "a", '{"a":{"shape":^1}}'],
  ["65 axes", "bad-shape", "a", `{"a":{"shape":[${"1,".repeat(64)}^1]}}`],
  [
    "too many elements",
    "size-overflow",
    "a",
    '{"a":{"dtype":"U8","shape":^[9007199254740991,2],"data_offsets":[0,0]}}',
  ],
  [
    "too many elements on the way to none",
    "size-overflow",
    "a",
    '{"a":{"dtype":"U8","shape":^[4294967296,4294967296,0],"data_offsets":[0,0]}}',
  ],
  ["too many bits", "size-overflow", "a", '{"a":{"dtype":"U8","shape":^[9007199254740991],"data_offsets":[0,0]}}'],
  ["half a byte", "misaligned", "a", '{"a":{"dtype":"F4","shape":^[3],"data_offsets":[0,1]}}', 1],
  ["one offset", "bad-offsets", "a", '{"a":{"data_offsets":[0]^}}'],
  ["three offsets", "bad-offsets", "a", '{"a":{"data_offsets":[0,0,^0]}}'],
  ["a negative offset", "bad-offsets", "a", '{"a":{"data_offsets":[^-1,0]}}'],
  ["offsets that run backwards", "bad-offsets", "a", '{"a":{"dtype":"U8","shape":[1],"data_offsets":^[2,1]}}', 2],
  ["past the end", "past-end", "a", '{"a":{"dtype":"U8","shape":[2],"data_offsets":^[0,2]}}', 1],
  ["fewer bytes than the shape", "size-mismatch", "a", '{"a":{"dtype":"F32","shape":[2],"data_offsets":^[0,4]}}', 8],
  ["more bytes than the shape", "size-mismatch", "a", '{"a":{"dtype":"F32","shape":[],"data_offsets":^[0,8]}}', 8],
  ["a gap before the first", "gap", "b", `{"b":${entry("U8", "[1]", 1, 2)}}^`, 2],
  ["a gap between two", "gap", "b", `{"a":${entry("U8", "[1]", 0, 1)},"b":${entry("U8", "[1]", 2, 3)}}^`, 3],
  ["an overlap", "overlap", "b", `{"b":${entry("U8", "[2]", 1, 3)},"a":${entry("U8", "[2]", 0, 2)}}^`, 3],
  ["the same bytes twice", "overlap", "b", `{"a":${entry("U8", "[2]", 0, 2)},"b":${entry("U8", "[2]", 0, 2)}}^`, 2],
  [
    "an empty tensor inside another",
    "overlap",
    "b",
    `{"a":${entry("U8", "[2]", 0, 2)},"b":${entry("U8", "[0]", 1, 1)}}^`,
    2,
  ],
  ["bytes behind the last", "trailing-bytes", null, `{"a":${entry("U8", "[1]", 0, 1)}}^`, 2],
  ["bytes and no tensor", "trailing-bytes", null, "{}^", 1],
];

/** In the data these mistakes lie beyond the header, by so many bytes. */
const beyondHeader: Readonly<Record<string, number>> = {
  "a gap before the first": 1,
  "a gap between two": 2,
  "an overlap": 1,
  "an empty tensor inside another": 1,
  "bytes behind the last": 1,
};

describe("a malformed header is refused where it is wrong", () => {
  const cases = malformed.map(([name, code, tensor, marked, dataSize = 0]) => ({
    name,
    code,
    tensor,
    marked,
    dataSize,
  }));
  test.each(cases)("$name: $code", ({ name, code, tensor, marked, dataSize }) => {
    const mark = marked.indexOf("^");
    const error = fault(() => parse(marked.slice(0, mark) + marked.slice(mark + 1), dataSize));
    const byte = 8 + mark + (beyondHeader[name] ?? 0);
    expect(error).toMatchObject({ code, tensor, byte, file: "a.safetensors" });
    expect(error.message).toMatch(/^a\.safetensors: /);
    expect(error.message).toContain(`(byte ${byte})`);
    expect(error.message.length).toBeLessThan(700);
  });

  test.each([
    ["a lone continuation", [0x80]],
    ["an overlong slash", [0xc0, 0xaf]],
    ["an overlong three", [0xe0, 0x80, 0x80]],
    ["a surrogate", [0xed, 0xa0, 0x80]],
    ["beyond U+10FFFF", [0xf4, 0x90, 0x80, 0x80]],
    ["an overlong four", [0xf0, 0x80, 0x80, 0x80]],
    ["cut short", [0xe2, 0x82]],
    ["an impossible byte", [0xff]],
  ])("bytes that are no UTF-8: %s", (_name, bytes) => {
    const json = Uint8Array.of(0x7b, 0x22, 0xc3, 0xa9, ...bytes);
    expect(fault(() => parse(json))).toMatchObject({ code: "bad-utf8", byte: 8 + 4, tensor: null });
  });

  test("a long name is cut in the message and whole in the field", () => {
    const error = fault(() => parse(`{"${"x".repeat(10_000)}":1}`));
    expect(error.tensor).toHaveLength(10_000);
    expect(error.message.length).toBeLessThan(400);
  });
});

/** Bytes that tell how often they are read: one by one, or cut out, which counts for each of them. */
function counted(bytes: Uint8Array): { readonly bytes: Uint8Array; readonly reads: () => number } {
  let reads = 0;
  const watched = new Proxy(bytes, {
    get: (target, key) => {
      if (key === "subarray" || key === "slice")
        return (from: number, to: number) => {
          reads += to - from;
          return target[key](from, to);
        };
      if (typeof key === "string" && /^\d+$/.test(key)) reads += 1;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return { bytes: watched, reads: () => reads };
}

test("a header of any number of tensors has each of its bytes read a few times", () => {
  for (const count of [10, 300, 3000]) {
    const members = Array.from(
      { length: count },
      (_, i) => `"model.layers.${i}.weight":${entry("U8", "[1]", i, i + 1)}`,
    );
    const { bytes, reads } = counted(utf8(`{${members.join(",")}}`));
    expect(parse(bytes, count).tensors.size).toBe(count);
    expect(reads() / bytes.length).toBeGreaterThan(1);
    expect(reads() / bytes.length).toBeLessThan(5);
  }
});
