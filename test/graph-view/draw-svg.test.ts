import { expect, test } from "vitest";
import type { BlockInstance, WeightInstance } from "../../dsl/checker/result.ts";
import { drawSvg } from "../../dsl/graph-view/draw-svg.ts";
import { faces, textWidth } from "../../dsl/graph-view/svg-text.ts";
import { allElements, readXml, shownText, type XmlElement } from "../cli/read-xml.ts";
import { block, deepseekV32, model, weight } from "../cli/sample-model.ts";

const number = (element: XmlElement, name: string): number => Number(element.attributes.get(name) ?? Number.NaN);
const faceOf = new Map(Object.values(faces).map((face) => [face.css, face]));

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

function boxesOf(svg: XmlElement): readonly Box[] {
  return [...allElements(svg)]
    .filter((element) => element.name === "rect")
    .map((element) => {
      const [left, top] = [number(element, "x"), number(element, "y")];
      return { left, top, right: left + number(element, "width"), bottom: top + number(element, "height") };
    });
}

/** How wide a text is at most, from the faces of its pieces. */
function widthOf(element: XmlElement): number {
  const spans = element.children.filter((child) => typeof child !== "string").filter((child) => child.name === "tspan");
  const pieces = spans.length === 0 ? [element] : spans;
  return pieces.reduce((sum, piece) => {
    const face = faceOf.get(piece.attributes.get("class") ?? "");
    if (face === undefined) throw new Error("text without a face");
    return sum + (Number(piece.attributes.get("dx") ?? 0) || 0) + textWidth(shownText(piece), face);
  }, 0);
}

/** Texts that leave the smallest box in which they begin. */
function overflowing(svg: XmlElement): readonly string[] {
  const boxes = boxesOf(svg);
  const wrong: string[] = [];
  for (const element of allElements(svg)) {
    if (element.name !== "text") continue;
    const width = widthOf(element);
    const ends = element.attributes.get("text-anchor") === "end";
    const [x, y] = [number(element, "x"), number(element, "y")];
    const [left, right] = ends ? [x - width, x] : [x, x + width];
    const start = ends ? right - 0.5 : left + 0.5;
    const around = boxes
      .filter((box) => box.left <= start && start <= box.right && box.top <= y && y <= box.bottom)
      .sort((a, b) => (a.right - a.left) * (a.bottom - a.top) - (b.right - b.left) * (b.bottom - b.top))[0];
    if (around === undefined || left < around.left - 0.2 || right > around.right + 0.2) wrong.push(shownText(element));
  }
  return wrong;
}

/** Boxes that cut through each other: neither holds the other, and they are not apart. */
function crossing(svg: XmlElement): number {
  const boxes = boxesOf(svg);
  const slack = 0.3;
  let found = 0;
  for (const [i, a] of boxes.entries()) {
    for (const b of boxes.slice(i + 1)) {
      const apart =
        a.right <= b.left + slack ||
        b.right <= a.left + slack ||
        a.bottom <= b.top + slack ||
        b.bottom <= a.top + slack;
      const holds = (o: Box, p: Box): boolean =>
        o.left <= p.left + slack &&
        o.right >= p.right - slack &&
        o.top <= p.top + slack &&
        o.bottom >= p.bottom - slack;
      if (!apart && !holds(a, b) && !holds(b, a)) found += 1;
    }
  }
  return found;
}

test("DeepSeek-V3.2: what a person looks for is in the picture", () => {
  const svg = readXml(drawSvg(deepseekV32));
  const text = [...allElements(svg)].filter((element) => element.name === "text").map(shownText);
  for (const wanted of ["deepseek_v3_2", "683.5 B", "683,501,971,712 parameters", "× 58", "× 3", "× 256", "926.7 M"]) {
    expect(text).toContain(wanted);
  }
  expect(text.some((line) => line.includes("24576 × 1536"))).toBe(true);
  expect(text).toContain("43,648 numbers a token");
  expect(overflowing(svg)).toEqual([]);
});

test("rooms stand inside each other or apart, but for the cards of a stack", () => {
  const rooms = model({
    weights: [weight("w", "w", "[A, B]", [4, 8])],
    blocks: [1, 2, 3].map((i) =>
      block(`part_${i}`, `kind_${i}`, {
        states: [{ name: "k", shape: "[S, R]" }],
        weights: [1, 2, 3, 4, 5].map((j) => weight(`w${j}`, `t.${j}`, "[A, B]", [j * 100, 50])),
        parts: [block("inner", "linear", { weights: [weight("w", "x", "[A, B]", [10, 10])] }), block("n", "norm")],
      }),
    ),
  });
  expect(crossing(readXml(drawSvg(rooms)))).toBe(0);
});

test("the same model gives the same bytes, and they draw nothing from elsewhere", () => {
  const svg = drawSvg(deepseekV32);
  expect(drawSvg(structuredClone(deepseekV32))).toBe(svg);
  expect(svg).not.toMatch(/<script|href|url\(|@import|\son[a-z]+=/i);
});

test("an area is to scale: the weight of twice the size has twice the area", () => {
  const weights = [weight("a", "a", "[A, B]", [300, 300]), weight("b", "b", "[A, B]", [600, 300])];
  const areas = [...allElements(readXml(drawSvg(model({ weights }))))]
    .filter((element) => element.name === "rect" && element.children.length > 0)
    .map((element) => number(element, "width") * number(element, "height"))
    .slice(-2); // those of the weights come after those of the bar of shares
  expect((areas[1] ?? 0) / (areas[0] ?? 1)).toBeCloseTo(2, 1);
});

test("names from a hostile file stay text, and stay in their boxes", () => {
  const evil = `</text></svg><script>alert(1)</script>&"'\u0000\u001b[31m\ud800\uffff\u202e${"W".repeat(400)}`;
  const inner = block(evil, evil, {
    doc: evil,
    optional: true,
    family: { index: evil, size: evil, count: null },
    params: [{ name: evil, value: evil }],
    signature: evil,
    weights: [{ ...weight(evil, evil, evil, [3, 5], evil), copies: [evil] }],
    states: [{ name: evil, shape: evil }],
    parts: [block("ﷺ".repeat(60), "名".repeat(60), { weights: [weight("é".repeat(99), "x", "[D]", [1])] })],
  });
  const all = model({
    name: evil,
    doc: evil,
    settings: [{ name: evil, kind: "field", type: evil, value: evil }],
    entries: [{ name: evil, signature: evil }],
    weights: inner.weights,
    blocks: [inner, inner],
  });
  const svg = readXml(drawSvg(all));
  expect([...allElements(svg)].some((element) => element.name === "script")).toBe(false);
  expect(overflowing(svg)).toEqual([]);
});

test("an empty model, an unbound one, and a weight without size or shape", () => {
  expect(readXml(drawSvg(model())).name).toBe("svg");
  const odd = [weight("none", "", "", null), weight("zero", "z", "[A]", [0]), weight("scalar", "s", "[]", [])];
  const unbound = model({ bound: false, weights: odd, blocks: [block("b", "f", { weights: odd })] });
  const text = drawSvg(unbound);
  expect(text).not.toMatch(/NaN|Infinity|undefined|null/);
  expect(shownText(readXml(text))).toContain("no config: sizes are names");
  expect(drawSvg(model({ weights: [weight("huge", "h", "[A, B]", [1e200, 1e200])] }))).not.toMatch(/NaN|Infinity/);
});

test("rooms in rooms end where there is no more width", () => {
  let nest = block("core", "f", { weights: [weight("w", "w", "[A, B]", [2, 2])] });
  for (let i = 0; i < 200; i++) nest = block(`shell_${i}`, "shell", { parts: [nest] });
  const svg = readXml(drawSvg(model({ blocks: [nest] })));
  expect(boxesOf(svg).every((box) => box.right > box.left && box.right <= 1200)).toBe(true);
  expect(overflowing(svg)).toEqual([]);
  expect(shownText(svg)).toContain("1 parts, 0 weights");
});

test("thousands of weights are each looked at a few times", () => {
  const looks = (kinds: number, count: number): number => {
    let seen = 0;
    const watched = (of: WeightInstance): WeightInstance =>
      new Proxy(of, {
        get: (target, key) => {
          seen += 1;
          return Reflect.get(target, key);
        },
      });
    const weights = Array.from({ length: count }, (_, i) =>
      watched(weight(`w${i}`, `a.b.${i}.weight`, "[A, (B | C)]", [i + 1, 64])),
    );
    const parts: readonly BlockInstance[] = Array.from({ length: kinds }, (_, i) =>
      block(`p${i}`, `kind${i % 7}`, { weights }),
    );
    const wide = model({ blocks: [block("a", "f", { parts }), block("b", "f", { parts })], weights });
    expect(drawSvg(wide).length).toBeGreaterThan(400 * kinds * count);
    return seen / (weights.length * (2 * kinds + 1));
  };
  const few = looks(15, 15);
  expect(few).toBeGreaterThan(1);
  expect(looks(60, 60)).toBeLessThan(1.2 * few);
  const many = model({ weights: Array.from({ length: 5000 }, (_, i) => weight(`w${i}`, `${i}`, "[A]", [i])) });
  expect(drawSvg(many)).toContain("and 4940 more weights");
});
