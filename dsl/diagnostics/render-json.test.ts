import { expect, it } from "vitest";
import type { Diagnostic } from "./diagnostic.ts";
import { renderJson, renderJsonLines } from "./render-json.ts";
import { makeSource } from "./source.ts";

const source = makeSource("a.ds", "fn f(x: real)\n  = y\n");
const at = (start: number, end: number) => ({ source, start, end });

const unknown: Diagnostic = {
  code: "DS0101",
  severity: "error",
  title: "unknown name `y`",
  primary: { span: at(18, 19), text: "nothing has this name" },
  secondary: [{ span: at(5, 6), text: "perhaps this" }],
  help: "did you mean `x`?",
  fix: { title: "write `x`", span: at(18, 19), replacement: "x" },
};

it("writes one object with positions and offsets", () => {
  expect(JSON.stringify(JSON.parse(renderJson(unknown)), null, 1)).toMatchInlineSnapshot(`
    "{
     "code": "DS0101",
     "severity": "error",
     "title": "unknown name \`y\`",
     "path": "a.ds",
     "range": {
      "start": {
       "offset": 18,
       "line": 2,
       "column": 5
      },
      "end": {
       "offset": 19,
       "line": 2,
       "column": 6
      }
     },
     "labels": [
      {
       "path": "a.ds",
       "range": {
        "start": {
         "offset": 18,
         "line": 2,
         "column": 5
        },
        "end": {
         "offset": 19,
         "line": 2,
         "column": 6
        }
       },
       "primary": true,
       "text": "nothing has this name"
      },
      {
       "path": "a.ds",
       "range": {
        "start": {
         "offset": 5,
         "line": 1,
         "column": 6
        },
        "end": {
         "offset": 6,
         "line": 1,
         "column": 7
        }
       },
       "primary": false,
       "text": "perhaps this"
      }
     ],
     "help": "did you mean \`x\`?",
     "fix": {
      "title": "write \`x\`",
      "path": "a.ds",
      "range": {
       "start": {
        "offset": 18,
        "line": 2,
        "column": 5
       },
       "end": {
        "offset": 19,
        "line": 2,
        "column": 6
       }
      },
      "replacement": "x"
     }
    }"
  `);
  expect(renderJson(unknown)).not.toContain("\n");
});

it("writes a line a diagnostic, sorted", () => {
  const unused: Diagnostic = {
    ...unknown,
    code: "DS0107",
    severity: "warning",
    primary: { span: at(3, 4), text: "" },
    fix: null,
  };
  const lines = renderJsonLines([unknown, unused, unknown]).split("\n");
  expect(lines.map((line) => (line === "" ? "" : JSON.parse(line).code))).toEqual(["DS0107", "DS0101", ""]);
});
