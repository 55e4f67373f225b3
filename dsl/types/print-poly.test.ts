import { describe, expect, it } from "vitest";
import { noFacts, withBounds, withIntegral } from "./facts.ts";
import {
  add,
  asConstant,
  asNumber,
  asSymbol,
  atomsOf,
  ceilDivide,
  constant,
  divideExact,
  evaluate,
  floorDivide,
  index,
  indexKey,
  maxOf,
  minOf,
  modulo,
  mul,
  neg,
  one,
  type Poly,
  pow,
  printPoly,
  scale,
  sub,
  substitute,
  symbol,
  symbolKey,
  value,
  zero,
} from "./poly.ts";

const [T, E, G, H, W, B, O] = [
  symbol("T"),
  symbol("E"),
  symbol("G"),
  symbol("H"),
  symbol("W"),
  symbol("B"),
  symbol("O"),
];
const [x, m, i] = [value("pos[t]"), symbol("m"), index("i")];
const n = (k: number): Poly => constant(k);

describe("printPoly", () => {
  const printed: readonly (readonly [Poly, string])[] = [
    [zero, "0"],
    [n(-3), "-3"],
    [T, "T"],
    [neg(T), "-T"],
    [add(scale(T, 2), one), "2*T + 1"],
    [sub(one, T), "1 - T"],
    [divideExact(E, G), "E / G"],
    [divideExact(E, mul(G, H)), "E / (G*H)"],
    [mul(H, W), "H * W"],
    [add(mul(H, W), n(-2)), "H*W - 2"],
    [scale(T, 1, 2), "T / 2"],
    [add(scale(T, 1, 2), one), "T/2 + 1"],
    [pow(T, 2), "T^2"],
    [ceilDivide(G, n(2)), "ceil_div(G, 2)"],
    [ceilDivide(O, B), "ceil_div(O, B)"],
    [mul(B, ceilDivide(O, B)), "B*ceil_div(O, B)"],
    [add(ceilDivide(O, n(4)), n(2)), "ceil_div(O, 4) + 2"],
    [floorDivide(T, n(4)), "T div 4"],
    [floorDivide(add(T, H), n(4)), "(H + T) div 4"],
    [floorDivide(i, divideExact(E, G)), "i div (E / G)"],
    [modulo(x, m), "pos[t] mod m"],
    [neg(floorDivide(T, n(4))), "-(T div 4)"],
    [floorDivide(neg(T), n(4)), "-T div 4"],
    [neg(modulo(T, n(4))), "-(T mod 4)"],
    [sub(neg(floorDivide(T, n(4))), one), "-(T div 4) - 1"],
    [add(modulo(T, n(4)), H), "H + T mod 4"],
    [sub(x, modulo(x, m)), "m * (pos[t] div m)"],
    [minOf([symbol("R"), n(128)]), "min(R, 128)"],
    [maxOf([add(T, one), H]), "max(H, T + 1)"],
    [divideExact(T, add(H, one)), "T / (H + 1)"],
  ];
  for (const [p, text] of printed) it(text, () => expect(printPoly(p)).toBe(text));
});

describe("normal forms", () => {
  it("share atoms between ceil_div and div", () => {
    expect(ceilDivide(O, B).key).toBe(add(floorDivide(sub(O, one), B), one).key);
    expect(floorDivide(floorDivide(x, n(4)), n(8)).key).toBe(floorDivide(x, n(32)).key);
    expect(floorDivide(add(mul(i, B), T), B).key).toBe(add(i, floorDivide(T, B)).key);
    expect(mul(divideExact(T, B), B).key).toBe(T.key);
    expect(divideExact(sub(mul(H, H), one), sub(H, one)).key).toBe(add(H, one).key);
  });

  it("keep the sign of a divisor under a floor", () => {
    const y = value("y"); // floor(floor(1/B) / y) is 0 for B = 2, y = -1, where floor(1 / (B*y)) is -1
    const nested = floorDivide(divideExact(floorDivide(one, B), y), one);
    const at = (key: string): bigint => (key === symbolKey("B") ? 2n : -1n);
    expect(evaluate(nested, (atom) => at(atom.key))).toBe(0n);
    const cancelled = floorDivide(mul(i, y), mul(x, y)); // i = floor(1/B), pos[t] = y = -1
    const inner = substitute(cancelled, new Map([[indexKey("i"), floorDivide(one, B)]]));
    expect(evaluate(inner, (atom) => at(atom.key))).toBe(0n);
  });

  it("use facts", () => {
    const facts = withIntegral(
      withBounds(noFacts, indexKey("i"), { lower: zero, upper: sub(B, one) }),
      divideExact(T, B),
    );
    expect(printPoly(floorDivide(i, B, facts))).toBe("0");
    expect(printPoly(floorDivide(add(mul(T, G), i), B, facts))).toBe("G * T / B");
    expect(printPoly(modulo(add(mul(H, B), i), B, facts))).toBe("i");
    expect(printPoly(modulo(T, B, facts))).toBe("0");
  });

  it("fold minima and maxima", () => {
    expect(minOf([n(3), minOf([T, n(5)]), T]).key).toBe(minOf([T, n(3)]).key);
    expect(asNumber(maxOf([n(3), n(5)]))).toBe(5);
  });

  it("say what they are", () => {
    expect(asConstant(n(7))).toBe(7n);
    expect(asConstant(T)).toBeNull();
    expect(asConstant(scale(one, 1, 2))).toBeNull();
    expect(asSymbol(T)).toBe("T");
    expect(asSymbol(scale(T, 2))).toBeNull();
    expect([...atomsOf(floorDivide(T, add(H, one))).keys()]).toContain(symbolKey("H"));
  });

  it("survive division by zero and growth without end", () => {
    expect(printPoly(divideExact(T, zero))).toBe("T / 0");
    expect(printPoly(floorDivide(T, zero))).toBe("T div 0");
    let [number, sum, nest] = [n(10), add(add(T, H), add(W, one)), x];
    for (let k = 0; k < 30; k++) {
      number = mul(number, number);
      sum = mul(sum, sum);
      nest = add(floorDivide(mul(nest, nest), n(3)), floorDivide(nest, H));
    }
    expect(number.terms.length + sum.terms.length + nest.terms.length).toBeLessThan(5000);
  });
});
