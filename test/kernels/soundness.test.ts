/**
 * What the verifier accepts never leaves its memory, is never misaligned, has one writer an element, and one reader where a
 * buffer is read and written, at any sizes.
 */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { elementsOf, interpret, newData } from "../../compiler/kernel/interpret.ts";
import type { Kernel } from "../../compiler/kernel/kernel.ts";
import { parseKernel } from "../../compiler/kernel/parse.ts";
import { printKernel } from "../../compiler/kernel/print.ts";
import { verify } from "../../compiler/kernel/verify.ts";
import { exampleKernelTargets } from "../../compiler/target/example-kernel-targets.ts";
import { kernelCases } from "./cases.ts";

const small = fc.integer({ min: 0, max: 9 });
const factor = fc.constantFrom(1, 2, 3, 4, 8);
/** Indices over a size N, a multiple of M; grid axes g and h; a loop's i; the lane; what memory and a register hold. */
const index: fc.Arbitrary<string> = fc.letrec<{ e: string }>((tie) => ({
  e: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom("g", "h", "i", "lane", "u1", "r1[0]", "N", "K", "N * K"),
    small.map(String),
    fc.tuple(tie("e"), fc.constantFrom("+", "-"), tie("e")).map(([a, o, b]) => `(${a} ${o} ${b})`),
    fc.tuple(tie("e"), factor).map(([a, f]) => `(${a} * ${f})`),
    fc.tuple(tie("e"), fc.constantFrom("/", "%"), factor).map(([a, o, f]) => `(${a} ${o} ${f})`),
    fc.tuple(fc.constantFrom("min", "max"), tie("e"), tie("e")).map(([o, a, b]) => `${o}(${a}, ${b})`),
  ),
})).e;
/** The shapes that strategies have, with numbers that may be wrong. */
const usual = fc
  .tuple(factor, factor, fc.constantFrom("i", "lane", "0"), fc.constantFrom(0, 0, 1))
  .chain(([a, b, inner, c]) =>
    fc.constantFrom(
      `(g * ${a} + ${inner}) * ${b} + ${c}`,
      `g * ${a} + ${inner} + ${c}`,
      `(g * ${a} + ${inner}) * K + h * ${b} + ${c}`,
      `min(g * ${a} + ${inner}, N - 1) * K + min(h, K - 1)`,
      `g * K + h * ${b} + ${inner} + ${c}`,
      `h * N + g * ${b} + ${inner}`,
      `min(max(u1, 0), N - 1) + ${c}`,
      `r1[0] + ${c}`,
    ),
  );
const anyIndex = fc.oneof({ weight: 3, arbitrary: usual }, { weight: 1, arbitrary: index });
const guard = fc.oneof(
  fc.constantFrom("0 == 0", "g < N", "i < N", "h < K", "g * 2 + i < N", "0 <= u1 & u1 < N", "g == 0"),
  fc.tuple(anyIndex, fc.constantFrom("N", "K", "N * K")).map(([a, n]) => `${a} < ${n}`),
);

const anyText = fc
  .record({
    at: anyIndex,
    from: anyIndex,
    /** Of x: how many pieces, and which is read; null if it is in one. */
    pieces: fc.oneof(fc.constant(null), fc.tuple(fc.constantFrom("N", "K", "4", "N + 1"), anyIndex)),
    held: anyIndex,
    /** An index of y that is read as well: where it is stored to, or somewhere else; null if y is written only. */
    own: fc.oneof(fc.constant(null), fc.constant("at" as const), anyIndex),
    guard,
    more: guard,
    extents: fc.tuple(
      fc.constantFrom("N", "K", "N * K", "N * 4", "N + 8"),
      fc.constantFrom("N", "K", "N * K", "N * 8"),
    ),
    multiples: fc.tuple(factor, factor),
    grid: fc.tuple(
      fc.constantFrom("N", "(N + 1) / 2", "(N + 3) / 4", "N / 2"),
      fc.constantFrom("1", "K", "(K + 1) / 2"),
    ),
    loop: fc.tuple(small, fc.constantFrom("2", "4", "N", "K", "min(4, N - g)"), fc.constantFrom(1, 2, 4)),
    width: fc.constantFrom(1, 1, 2, 4),
    lanes: fc.constantFrom(1, 4),
  })
  .map(
    (r) => `kernel @k ""
  size N multiple ${r.multiples[0]}
  size K multiple ${r.multiples[1]}
  read x: f32[${r.pieces === null ? "" : `${r.pieces[0]}; `}${r.extents[0]}] rows
  read at: i32[N] rows
  ${r.own === null ? "write" : "update"} y: f32[${r.extents[1]}] rows
  grid g in ${r.grid[0]}
  grid h in ${r.grid[1]}
  lanes ${r.lanes}
{
  let u1 = at[min(g, N - 1)]
  loop i in ${r.loop[0]} .. ${r.loop[1]} step ${r.loop[2]} {
    reg r1: i32[1]
    r1[0] = i
    r1[0] = ${r.held}
    if ${r.guard} & ${r.more} {
      let v1 = x[${r.pieces === null ? "" : `${r.pieces[1]}; `}${r.from}]${r.width === 1 ? "" : `:${r.width}`}
      y[${r.at}] = v1${r.own === null ? "" : ` + y[${r.own === "at" ? r.at : r.own}]${r.width === 1 ? "" : `:${r.width}`}`}
    }
  }
}`,
  );

const sizes = [0, 1, 2, 3, 5, 8, 16];

/** A fault of those that a proof excludes. */
function check(k: Kernel, named: Readonly<Record<string, number>>): string | null {
  const buffers = k.buffers.map((b) => {
    const data = newData(b.elem, Math.max(0, elementsOf(b, named)));
    if (b.elem === "i32") for (let i = 0; i < data.length; i += 1) data[i] = ((i * 7) % 13) - 3;
    return [b.name, data] as const;
  });
  const fault = interpret(k, { sizes: named, buffers: Object.fromEntries(buffers) });
  if (fault === null) return null;
  const excluded = fault.kind === "range" || fault.kind === "divergence" || /\bitems?\b/.test(fault.message);
  return excluded ? `${fault.kind}: ${fault.message}` : null;
}

test("random kernels", () => {
  let accepted = 0;
  fc.assert(
    fc.property(anyText, (text) => {
      const parsed = parseKernel(text);
      if (!parsed.ok) throw new Error(parsed.message);
      const k = parsed.kernel;
      if (verify(k).length > 0) return;
      accepted += 1;
      for (const N of sizes)
        for (const K of sizes)
          if (k.sizes.every((s) => (s.name === "N" ? N : K) % s.multiple === 0)) expect(check(k, { N, K })).toBeNull();
    }),
    { numRuns: process.env["DSC_FULL"] === "1" ? 20_000 : 250 },
  );
  expect(accepted).toBeGreaterThan(25); // else nothing was tested
});

const texts = exampleKernelTargets.flatMap((target) =>
  kernelCases(target)
    .filter((c) => !/attention|swiglu|copies|unit|gemv of f16/.test(c.name)) // those take long
    .map((c) => ({ target, text: printKernel(c.kernel) })),
);
test("kernels of strategies with other numbers in them", () => {
  let accepted = 0;
  const edit = fc.record({ at: fc.nat(), to: fc.constantFrom(0, 1, 2, 3, 4, 5, 8, 15, 16, 32, 64) });
  const some = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(fc.constantFrom(...texts), fc.array(edit, { minLength: 1, maxLength: 2 }), some, (c, edits, turns) => {
      let { text } = c;
      for (const { at, to } of edits) {
        const numbers = [...text.matchAll(/\b[0-9]+\b/g)];
        const { index: start = 0, 0: old = "" } = numbers[at % numbers.length] ?? { index: 0 };
        text = text.slice(0, start) + String(to) + text.slice(start + old.length);
      }
      const parsed = parseKernel(text);
      if (!parsed.ok || verify(parsed.kernel, c.target).length > 0) return;
      const k = parsed.kernel;
      accepted += 1;
      const named = k.sizes.map((s, i): [string, number] => {
        const turn = turns[i] ?? 1;
        return [s.name, Math.ceil(s.minimum / s.multiple) * s.multiple + turn * s.multiple];
      });
      expect(check(k, Object.fromEntries(named))).toBeNull();
    }),
    { numRuns: process.env["DSC_FULL"] === "1" ? 3000 : 100 },
  );
  expect(accepted).toBeGreaterThan(5);
});
