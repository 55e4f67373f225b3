import { expect, test } from "vitest";
import { checkProject } from "./check-project.ts";
import { parseExactJson } from "./exact-json.ts";

test("whole numbers beyond 2^53 keep every digit, wherever they stand", () => {
  const text = '{"a": [189840691535365831, -9223372036854775808, 9007199254740991], "b": {"c": 9007199254740993}}';
  expect(parseExactJson(text)).toEqual({
    a: [189840691535365831n, -9223372036854775808n, 9007199254740991],
    b: { c: 9007199254740993n },
  });
});

test("everything else is as JSON.parse has it", () => {
  const text =
    '{"x": 1.2345678901234567, "y": 1e300, "z": "9007199254740993", "quo\\"te 12345678901234567": "a\\\\", "n": 12345678901234567e0}';
  expect(parseExactJson(text)).toEqual(JSON.parse(text));
  expect(parseExactJson("[1, null, true]")).toEqual([1, null, true]);
});

test("a mistake is told with its place", () => {
  expect(() => parseExactJson('{"a": 12345678901234567890, }')).toThrow(SyntaxError);
  expect(() => parseExactJson("[0123456789012345678]")).toThrow(SyntaxError);
});

test("a config's long integer reaches its conditions with every digit", () => {
  const check = (n: string): readonly string[] => {
    const text = `model m {
  config { D : dim = $.d
    n : int = $.n where n == 9007199254740993 }
  runtime T : dim in 1..4
  entry forward(x: [T, D]) -> (y: [T, D]) { y := x }
}
`;
    const config = { path: "config.json", text: `{"d": 3, "n": ${n}}` };
    const { diagnostics } = checkProject({ entry: "a.ds", read: (path) => (path === "a.ds" ? text : null), config });
    return diagnostics.map(({ code }) => code);
  };
  expect(check("9007199254740993")).toEqual([]);
  expect(check('"9007199254740993"')).toEqual([]);
  expect(check("9007199254740992")).toEqual(["DS0123"]);
});
