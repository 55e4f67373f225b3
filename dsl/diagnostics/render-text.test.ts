import { describe, expect, it } from "vitest";
import type { Diagnostic, Label } from "./diagnostic.ts";
import { renderAll, renderText } from "./render-text.ts";
import { makeSource, type Source } from "./source.ts";

/** The n-th occurrence (from 0) of `needle`. */
function label(source: Source, needle: string, text: string, n = 0): Label {
  let start = source.text.indexOf(needle);
  for (let i = 0; i < n; i++) start = source.text.indexOf(needle, start + 1);
  if (start < 0) throw new Error(`no ${needle}`);
  return { span: { source, start, end: start + needle.length }, text };
}

const error = (title: string, primary: Label, more: Partial<Diagnostic> = {}): Diagnostic => ({
  code: "DS0201",
  severity: "error",
  title,
  primary,
  secondary: [],
  help: null,
  fix: null,
  ...more,
});

const show = (diagnostic: Diagnostic, width = 100): string => `\n${renderText(diagnostic, { colour: false, width })}\n`;

const tiny = makeSource(
  "models/tiny.ds",
  `${"//\n".repeat(40)}  q[t,h,n] := w_q[(h,n),d] * x[t,d]\n  c[t] := norm(q[t])\n\n\n  k[t] := q[t]\n`,
);

describe("renderText", () => {
  it("puts several labels under one line", () => {
    const secondary = [label(tiny, "d] *", "this axis is RQ = 1536 (`q_lora_rank`)")].map((one) => ({
      ...one,
      span: { ...one.span, end: one.span.start + 1 },
    }));
    const primary = label(tiny, "d]", "this axis is D = 512", 1);
    const d = error(
      "index `d` stands on two axes of different size",
      {
        ...primary,
        span: { ...primary.span, end: primary.span.start + 1 },
      },
      { secondary, help: "did you mean `w_q[(h,n),r] * cq[t,r]`?" },
    );
    expect(show(d)).toMatchInlineSnapshot(`
      "
      error[DS0201]: index \`d\` stands on two axes of different size
        ┌─ models/tiny.ds:41:34
      41│   q[t,h,n] := w_q[(h,n),d] * x[t,d]
        │                         -        ^ this axis is D = 512
        │                         │
        │                         this axis is RQ = 1536 (\`q_lora_rank\`)
        = help: did you mean \`w_q[(h,n),r] * cq[t,r]\`?
      "
    `);
  });

  it("hangs three texts, from the right to the left", () => {
    const d = error("three", label(tiny, "x[t,d]", "last"), {
      secondary: [label(tiny, "w_q", "second"), label(tiny, "q[t,h,n]", "first"), label(tiny, "*", "")],
    });
    expect(show(d)).toMatchInlineSnapshot(`
      "
      error[DS0201]: three
        ┌─ models/tiny.ds:41:30
      41│   q[t,h,n] := w_q[(h,n),d] * x[t,d]
        │   --------    ---          - ^^^^^^ last
        │   │           │
        │   │           second
        │   first
      "
    `);
  });

  it("shows lines in order, with a gap, and other files", () => {
    const lib = makeSource("lib/norm.ds", "block norm(x: [D]) -> y: [D] {\n}\n");
    const d = error("of two files", label(tiny, "norm(q[t])", "called here"), {
      secondary: [
        label(tiny, "q[t]", "and here", 1),
        label(lib, "x: [D]", "one vector is expected"),
        label(tiny, "q[t,h,n]", "defined here"),
      ],
      help: "write one of\n  norm(q[t,h])\n  norm(q[t,0])",
    });
    expect(show(d)).toMatchInlineSnapshot(`
      "
      error[DS0201]: of two files
        ┌─ models/tiny.ds:42:11
      41│   q[t,h,n] := w_q[(h,n),d] * x[t,d]
        │   -------- defined here
      42│   c[t] := norm(q[t])
        │           ^^^^^^^^^^ called here
        ·
      45│   k[t] := q[t]
        │           ---- and here
        ├─ lib/norm.ds:1:12
       1│ block norm(x: [D]) -> y: [D] {
        │            ------ one vector is expected
        = help: write one of
                  norm(q[t,h])
                  norm(q[t,0])
      "
    `);
  });

  it("handles tabs, wide characters and combining marks", () => {
    const source = makeSource("wide.ds", "\ty := 層[l]\t+ e\u0301x // 数\n");
    const d = error("wide", label(source, "x", "the x"), {
      secondary: [label(source, "層", "two columns"), label(source, "+", "the sum")],
    });
    expect(show(d)).toMatchInlineSnapshot(`
      "
      error[DS0201]: wide
       ┌─ wide.ds:1:16
      1│     y := 層[l]  + éx // 数
       │          --     -  ^ the x
       │          │      │
       │          │      the sum
       │          two columns
      "
    `);
  });

  it("marks an outer span around an inner one", () => {
    const d = error("outer", label(tiny, "w_q[(h,n),d]", "outer"), { secondary: [label(tiny, "h,n),", "inner")] });
    expect(show(d)).toMatchInlineSnapshot(`
      "
      error[DS0201]: outer
        ┌─ models/tiny.ds:41:15
      41│   q[t,h,n] := w_q[(h,n),d] * x[t,d]
        │               ^^^^^-----^^ outer
        │                    │
        │                    inner
      "
    `);
    const inner = error("inner", label(tiny, "(h,n)", "inner"), { secondary: [label(tiny, "w_q[(h,n),d]", "outer")] });
    expect(show(inner)).toMatchInlineSnapshot(`
      "
      error[DS0201]: inner
        ┌─ models/tiny.ds:41:19
      41│   q[t,h,n] := w_q[(h,n),d] * x[t,d]
        │               ----^^^^^--- outer
        │                   │
        │                   inner
      "
    `);
    const same = error("same", label(tiny, "w_q", "primary"), { secondary: [label(tiny, "w_q", "secondary")] });
    expect(show(same)).toMatchInlineSnapshot(`
      "
      error[DS0201]: same
        ┌─ models/tiny.ds:41:15
      41│   q[t,h,n] := w_q[(h,n),d] * x[t,d]
        │               ^^^ primary
        │               │
        │               secondary
      "
    `);
  });

  it("shows a span over several lines by its first line", () => {
    const source = makeSource("open.ds", "fn f(x: real) -> y: real {  \n  y := x\n}\n");
    const span = { source, start: source.text.indexOf("{"), end: source.text.length };
    expect(show(error("body", { span, text: "this body" }))).toMatchInlineSnapshot(`
      "
      error[DS0201]: body
       ┌─ open.ds:1:26
      1│ fn f(x: real) -> y: real {
       │                          ^ this body
      "
    `);
  });

  it("points at the end of a file", () => {
    const end = (text: string): Diagnostic => {
      const source = makeSource("end.ds", text);
      return error("bracket is not closed", {
        span: { source, start: text.length, end: text.length },
        text: "expected `}`",
      });
    };
    expect(show(end("fn f(x: real) = (x"))).toMatchInlineSnapshot(`
      "
      error[DS0201]: bracket is not closed
       ┌─ end.ds:1:19
      1│ fn f(x: real) = (x
       │                   ^ expected \`}\`
      "
    `);
    expect(show(end("fn f(x: real) = (x\r\n"))).toMatchInlineSnapshot(`
      "
      error[DS0201]: bracket is not closed
       ┌─ end.ds:2:1
      2│
       │ ^ expected \`}\`
      "
    `);
    expect(show(end(""))).toMatchInlineSnapshot(`
      "
      error[DS0201]: bracket is not closed
       ┌─ end.ds:1:1
      1│
       │ ^ expected \`}\`
      "
    `);
  });

  it("cuts long lines around the labels", () => {
    const terms = Array.from({ length: 40 }, (_, i) => `term_${i}`).join(" + ");
    const source = makeSource("long.ds", `y := ${terms}\n`);
    expect(show(error("start", label(source, "term_0", "here")), 60)).toMatchInlineSnapshot(`
      "
      error[DS0201]: start
       ┌─ long.ds:1:6
      1│ y := term_0 + term_1 + term_2 + term_3 + term_4 + term_5 + …
       │      ^^^^^^ here
      "
    `);
    expect(show(error("middle", label(source, "term_20", "here")), 60)).toMatchInlineSnapshot(`
      "
      error[DS0201]: middle
       ┌─ long.ds:1:196
      1│ … term_19 + term_20 + term_21 + term_22 + term_23 + term_24…
       │             ^^^^^^^ here
      "
    `);
    expect(show(error("end", label(source, "term_39", "here")), 60)).toMatchInlineSnapshot(`
      "
      error[DS0201]: end
       ┌─ long.ds:1:386
      1│ … term_34 + term_35 + term_36 + term_37 + term_38 + term_39
       │                                                     ^^^^^^^ here
      "
    `);
    const far = error("far", label(source, "term_20", "here"), { secondary: [label(source, "term_39", "there")] });
    expect(show(far, 60)).toMatchInlineSnapshot(`
      "
      error[DS0201]: far
       ┌─ long.ds:1:196
      1│ … term_19 + term_20 + term_21 + term_22 + term_23 + term_24…
       │             ^^^^^^^                                        - there
       │             │
       │             here
      "
    `);
    const whole = error("whole", label(source, terms, "all of it"));
    expect(show(whole, 60)).toMatchInlineSnapshot(`
      "
      error[DS0201]: whole
       ┌─ long.ds:1:6
      1│ y := term_0 + term_1 + term_2 + term_3 + term_4 + term_5 + …
       │      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ all of it
      "
    `);
  });

  it("lets no control character through", () => {
    const source = makeSource("a\u001b[31m.ds", "y := \u001b[31mx\u202e\n");
    const d = error("bad \u0007 bell", label(source, "x", "two\nlines"));
    expect(show(d)).toMatchInlineSnapshot(`
      "
      error[DS0201]: bad ␇ bell
       ┌─ a␛[31m.ds:1:11
      1│ y := ␛[31mx�
       │           ^ two lines
      "
    `);
  });

  it("colours only when asked", () => {
    const d = error("unused", label(tiny, "norm", "never used"), {
      code: "DS0107",
      severity: "warning",
      help: "remove it",
    });
    expect(renderText(d, { colour: true }).replaceAll("\u001b", "ESC")).toMatchInlineSnapshot(`
      "ESC[1;33mwarning[DS0107]ESC[0mESC[1m: unusedESC[0m
      ESC[34m  ┌─ESC[0m models/tiny.ds:42:11
      ESC[34m42│ESC[0m   c[t] := norm(q[t])
      ESC[34m  │ESC[0m           ESC[1;33m^^^^ESC[0m ESC[1;33mnever usedESC[0m
        ESC[36m= help:ESC[0m remove it"
    `);
    expect(renderText(d, { colour: true }).replace(/\p{Cc}\[[0-9;]*m/gu, "")).toBe(renderText(d, { colour: false }));
  });
});

describe("renderAll", () => {
  it("sorts, drops repeats and counts", () => {
    const other = makeSource("a.ds", "fn f(x: real) = x\n");
    const late = error("late", label(tiny, "norm", ""));
    const early = error("early", label(tiny, "w_q", ""));
    const warning = error("unused", label(other, "f", "", 1), { code: "DS0107", severity: "warning" });
    expect(`\n${renderAll([late, early, late, warning], { colour: false })}`).toMatchInlineSnapshot(`
      "
      warning[DS0107]: unused
       ┌─ a.ds:1:4
      1│ fn f(x: real) = x
       │    ^

      error[DS0201]: early
        ┌─ models/tiny.ds:41:15
      41│   q[t,h,n] := w_q[(h,n),d] * x[t,d]
        │               ^^^

      error[DS0201]: late
        ┌─ models/tiny.ds:42:11
      42│   c[t] := norm(q[t])
        │           ^^^^

      2 errors, 1 warning
      "
    `);
    expect(renderAll([], { colour: false })).toBe("");
  });
});
