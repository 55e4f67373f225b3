import { describe, expect, it } from "vitest";
import { type Facts, noFacts, withBounds, withIntegral, withNonNegative } from "./facts.ts";
import {
  add,
  ceilDivide,
  constant,
  divideExact,
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
  scale,
  sub,
  symbol,
  symbolKey,
  value,
  valueKey,
  zero,
} from "./poly.ts";
import { compare, isIntegral, isNonNegative, isPositive, isSurelyNonNegative } from "./prove.ts";

const n = (k: number): Poly => constant(k);
const sum = (...ps: readonly Poly[]): Poly => ps.reduce(add, zero);
const less = (a: Poly, b: Poly): Poly => sub(sub(b, a), one);
const atMost = (a: Poly, b: Poly): Poly => sub(b, a);

/** i in 0..last */
const ranged = (facts: Facts, name: string, last: Poly): Facts =>
  withBounds(facts, indexKey(name), { lower: zero, upper: last });
const valued = (facts: Facts, name: string, last: Poly): Facts =>
  withBounds(facts, valueKey(name), { lower: zero, upper: last });
const given = (facts: Facts, ...ps: readonly Poly[]): Facts => ps.reduce(withNonNegative, facts);

const [B, C, E, G, H, I, J, K, M, N, O, P, S, T, U, W, Z] = [..."BCEGHIJKMNOPSTUWZ"].map(symbol) as [
  Poly,
  Poly,
  Poly,
  Poly,
  Poly,
  Poly,
  Poly,
  Poly,
  Poly,
  Poly,
  Poly,
  Poly,
  Poly,
  Poly,
  Poly,
  Poly,
  Poly,
];
const [a, b, e, i, j, k, o, s, u, v, w, dy] = ["a", "b", "e", "i", "j", "k", "o", "s", "u", "v", "w", "dy"].map(
  index,
) as [Poly, Poly, Poly, Poly, Poly, Poly, Poly, Poly, Poly, Poly, Poly, Poly];
const [pos, m, TX, TY, KW, R, groups, window] = [
  value("pos"),
  symbol("m"),
  symbol("TX"),
  symbol("TY"),
  symbol("KW"),
  symbol("R"),
  symbol("groups"),
  symbol("window"),
];

/** A true inequality p >= 0, and a sibling that is not always true. */
interface Case {
  readonly name: string;
  readonly facts: Facts;
  readonly yes: readonly Poly[];
  readonly notYes: readonly Poly[];
}

const halfP = scale(P, 1, 2);
const positions = valued(noFacts, "pos", sub(S, one));
const slot = sum(pos, one, neg(mul(U, m)), mul(u, m), j);
const slots = given(ranged(ranged(positions, "u", sub(U, one)), "j", sub(m, one)), slot);
const complete = sub(add(pos, one), mul(m, floorDivide(add(pos, one), m)));
const half = ceilDivide(G, n(2));
/** Need not be an integer. */
const fractionOf = divideExact(H, add(K, one));

const cases: readonly Case[] = [
  {
    name: "i in 0..P/2-1",
    facts: withIntegral(ranged(noFacts, "i", sub(halfP, one)), halfP),
    yes: [less(i, halfP), atMost(add(scale(i, 2), one), sub(P, one)), atMost(i, sub(halfP, one))],
    notYes: [less(i, sub(halfP, one)), atMost(add(scale(i, 2), one), sub(P, n(2)))],
  },
  {
    name: "u*Z + v < G*Z",
    facts: ranged(ranged(noFacts, "u", sub(G, one)), "v", sub(Z, one)),
    yes: [less(add(mul(u, Z), v), mul(G, Z))],
    notYes: [less(add(mul(u, Z), v), sub(mul(G, Z), one)), less(add(mul(u, Z), v), mul(sub(G, one), Z))],
  },
  {
    name: "o div B < ceil_div(O, B)",
    facts: ranged(noFacts, "o", sub(O, one)),
    yes: [less(floorDivide(o, B), ceilDivide(O, B)), floorDivide(o, B)],
    notYes: [less(floorDivide(o, B), floorDivide(O, B)), less(add(floorDivide(o, B), one), ceilDivide(O, B))],
  },
  {
    name: "i div 32 < I/32",
    facts: withIntegral(ranged(noFacts, "i", sub(I, one)), scale(I, 1, 32)),
    yes: [less(floorDivide(i, n(32)), scale(I, 1, 32))],
    notYes: [less(floorDivide(i, n(32)), sub(scale(I, 1, 32), one)), less(floorDivide(i, n(31)), scale(I, 1, 32))],
  },
  {
    name: "e div (E/G) < G",
    facts: withIntegral(ranged(noFacts, "e", sub(E, one)), divideExact(E, G)),
    yes: [less(floorDivide(e, divideExact(E, G)), G), floorDivide(e, divideExact(E, G)), sub(divideExact(E, G), one)],
    notYes: [less(floorDivide(e, divideExact(E, G)), sub(G, one))],
  },
  {
    name: "pos - k",
    facts: ranged(positions, "k", sub(N, one)),
    yes: [atMost(sub(pos, k), pos), less(sub(pos, k), S)],
    notYes: [sub(pos, k), less(sub(pos, k), pos), less(sub(pos, k), sub(S, one))],
  },
  {
    name: "(KW-1-i)*N",
    facts: ranged(noFacts, "i", sub(KW, one)),
    yes: [mul(sub(sub(KW, one), i), N), atMost(mul(sub(sub(KW, one), i), N), mul(sub(KW, one), N))],
    notYes: [
      mul(sub(sub(KW, n(2)), i), N),
      sub(mul(sub(sub(KW, one), i), N), one),
      less(mul(sub(sub(KW, one), i), N), mul(sub(KW, one), N)),
    ],
  },
  {
    name: "the slots of a window",
    facts: slots,
    yes: [atMost(slot, pos), atMost(sub(pos, slot), sub(mul(U, m), one)), less(slot, S), slot],
    notYes: [less(slot, pos), atMost(sub(pos, slot), sub(mul(U, m), n(2))), less(slot, sub(S, one)), sub(slot, one)],
  },
  {
    name: "w < (pos + 1) div m",
    facts: given(positions, less(w, floorDivide(add(pos, one), m))),
    yes: [atMost(sum(mul(w, m), m, neg(one)), pos), less(w, floorDivide(S, m)), less(mul(w, m), S)],
    notYes: [atMost(add(mul(w, m), m), pos), less(w, sub(floorDivide(S, m), one))],
  },
  {
    name: "pos mod m",
    facts: positions,
    yes: [modulo(pos, m), less(modulo(pos, m), m), modulo(pos, n(7)), less(modulo(pos, n(7)), n(7))],
    notYes: [sub(modulo(pos, m), one), less(modulo(pos, m), sub(m, one)), less(modulo(pos, n(7)), n(6))],
  },
  {
    name: "K <= groups * (E/G)",
    facts: given(
      withIntegral(noFacts, divideExact(E, G)),
      atMost(K, E),
      atMost(groups, G),
      atMost(K, mul(groups, divideExact(E, G))),
    ),
    yes: [atMost(K, mul(groups, divideExact(E, G))), atMost(mul(groups, divideExact(E, G)), E)],
    notYes: [less(K, mul(groups, divideExact(E, G))), less(mul(groups, divideExact(E, G)), E)],
  },
  {
    name: "i*2 + u - 1",
    facts: noFacts,
    yes: [sum(mul(i, n(2)), u)],
    notYes: [sum(mul(i, n(2)), u, n(-1))],
  },
  {
    name: "min and max",
    facts: noFacts,
    yes: [
      atMost(minOf([R, n(128)]), R),
      atMost(minOf([R, n(128)]), n(128)),
      sub(minOf([R, n(128)]), one),
      atMost(minOf([R, K]), maxOf([R, K])),
      atMost(maxOf([R, K]), add(R, K)),
      sub(mul(minOf([R, K]), H), one),
    ],
    notYes: [less(minOf([R, n(128)]), R), sub(minOf([R, n(128)]), n(2)), atMost(R, minOf([R, n(128)]))],
  },
  {
    name: "C - 2*J + 2*J",
    facts: noFacts,
    yes: [atMost(sum(C, scale(J, -2), scale(J, 2)), C)],
    notYes: [less(sum(C, scale(J, -2), scale(J, 2)), C)],
  },
  {
    name: "1 + b*TX + a < 1 + TX*TY",
    facts: ranged(ranged(noFacts, "b", sub(TY, one)), "a", sub(TX, one)),
    yes: [less(sum(one, mul(b, TX), a), add(one, mul(TX, TY)))],
    notYes: [less(sum(one, mul(b, TX), a), mul(TX, TY))],
  },
  {
    name: "a*J + b < O*J",
    facts: ranged(ranged(noFacts, "a", sub(O, one)), "b", sub(J, one)),
    yes: [less(add(mul(a, J), b), mul(O, J))],
    notYes: [less(add(mul(a, J), b), sub(mul(O, J), one))],
  },
  {
    name: "2*i + dy over ceil_div(G, 2)",
    facts: ranged(ranged(noFacts, "i", sub(half, one)), "dy", one),
    yes: [less(add(scale(i, 2), dy), add(G, one))],
    notYes: [less(add(scale(i, 2), dy), G)],
  },
  {
    name: "a sliding window",
    facts: given(positions, less(sub(pos, window), s), atMost(s, pos)),
    yes: [atMost(sub(pos, s), sub(window, one)), less(s, S)],
    notYes: [atMost(sub(pos, s), sub(window, n(2))), less(s, pos)],
  },
  {
    name: "T >= 1",
    facts: noFacts,
    yes: [sub(T, one), less(sub(T, one), T)],
    notYes: [sub(T, n(2)), less(T, T)],
  },
  {
    name: "pos div m among the complete ones",
    facts: positions,
    yes: [less(floorDivide(pos, m), ceilDivide(S, m))],
    notYes: [less(floorDivide(pos, m), floorDivide(S, m))],
  },
  {
    name: "pos div m at the end of a block",
    facts: given(positions, complete, neg(complete)),
    yes: [less(floorDivide(pos, m), floorDivide(S, m))],
    notYes: [less(floorDivide(pos, m), sub(floorDivide(S, m), one)), less(add(pos, one), S)],
  },
  {
    name: "a fraction of at least one half",
    facts: given(noFacts, sub(scale(fractionOf, 2), one)),
    yes: [sub(scale(fractionOf, 2), one), sub(scale(fractionOf, 4), n(2))],
    notYes: [sub(fractionOf, one), sub(scale(fractionOf, 3), n(2))],
  },
  {
    name: "a fraction of at most T / m",
    facts: given(noFacts, sub(T, mul(m, fractionOf))),
    yes: [sub(T, mul(m, fractionOf))],
    notYes: [sub(floorDivide(T, m), fractionOf)],
  },
  {
    name: "an integer bounded by a fraction",
    facts: withBounds(noFacts, symbolKey("B"), { lower: one, upper: divideExact(n(2), add(T, one)) }),
    yes: [sub(one, B)],
    notYes: [sub(B, n(2))],
  },
  {
    name: "a negative number by two divisors",
    facts: noFacts,
    yes: [
      sub(floorDivide(n(-1), scale(T, 2)), floorDivide(n(-1), T)),
      sub(floorDivide(H, T), floorDivide(H, scale(T, 2))),
    ],
    notYes: [sub(floorDivide(n(-1), scale(T, 1, 2)), floorDivide(n(-1), T))],
  },
  {
    name: "products of polynomials of known sign",
    facts: given(ranged(noFacts, "i", sub(W, one)), atMost(B, C), atMost(M, E)),
    yes: [mul(sub(C, B), i), mul(sub(C, B), sub(W, i)), mul(sub(C, B), sub(E, M))],
    notYes: [sub(mul(sub(C, B), i), one), mul(sub(B, C), i)],
  },
];

/** The same facts and one that no sample point satisfies, so that the search for a proof is on its own. */
const withoutWitnesses = (facts: Facts): Facts => given(facts, sub(symbol("Large"), n(100_000)));

describe("isNonNegative", () => {
  for (const { name, facts, yes, notYes } of cases) {
    yes.forEach((p, at) => {
      it(`${name}: proves ${at}`, () => {
        expect(isNonNegative(p, facts)).toBe("yes");
        expect(isSurelyNonNegative(p, facts)).toBe(true);
      });
    });
    notYes.forEach((p, at) => {
      it(`${name}: does not prove the sibling ${at}`, () => {
        expect(isNonNegative(p, facts)).not.toBe("yes");
        expect(isNonNegative(p, withoutWitnesses(facts))).not.toBe("yes");
        expect(isSurelyNonNegative(p, facts)).toBe(false);
      });
    });
  }

  it("says no where p < 0 for all", () => {
    expect(isNonNegative(sub(zero, T), noFacts)).toBe("no");
    expect(isNonNegative(sub(i, P), ranged(noFacts, "i", sub(P, one)))).toBe("no");
    expect(isNonNegative(neg(scale(T, 1, 3)), noFacts)).toBe("no");
    expect(isNonNegative(value("x"), noFacts)).toBe("unknown");
  });
});

describe("isPositive, compare, isIntegral", () => {
  it("tells positive from not negative", () => {
    expect(isPositive(T, noFacts)).toBe("yes");
    expect(isPositive(i, noFacts)).toBe("unknown");
    expect(isPositive(neg(i), noFacts)).toBe("no");
    expect(isPositive(divideExact(E, G), noFacts)).toBe("yes");
  });

  it("compares by normal form, by facts and by divisibility", () => {
    expect(compare(mul(divideExact(N, B), B), N, noFacts)).toBe("equal");
    expect(compare(T, add(T, one), noFacts)).toBe("different");
    expect(compare(T, S, noFacts)).toBe("unknown");
    expect(compare(T, S, given(noFacts, atMost(T, S), atMost(S, T)))).toBe("equal");
    expect(compare(scale(T, 2), add(scale(S, 2), one), noFacts)).toBe("different");
    expect(compare(add(mul(T, S), H), H, noFacts)).toBe("different");
  });

  it("knows integers by kind and by fact", () => {
    expect(isIntegral(divideExact(E, G), noFacts)).toBe("unknown");
    const facts = withIntegral(withIntegral(noFacts, divideExact(E, G)), scale(add(P, Z), 1, 2));
    expect(isIntegral(divideExact(E, G), facts)).toBe("yes");
    expect(isIntegral(mul(H, divideExact(E, G)), facts)).toBe("yes");
    expect(isIntegral(scale(add(P, Z), 3, 2), facts)).toBe("yes");
    expect(isIntegral(sum(mul(divideExact(E, G), scale(add(P, Z), 1, 2)), T), facts)).toBe("yes");
    expect(isIntegral(scale(P, 1, 2), facts)).toBe("unknown");
    expect(isIntegral(add(T, scale(one, 1, 2)), facts)).toBe("no");
  });
});

describe("hostile questions", () => {
  it("have an answer, where a search for one has no end", () => {
    const many = Array.from({ length: 30 }, (_, at) => sub(symbol(`x${at}`), mul(symbol(`y${at}`), value(`z${at}`))));
    const hostile = given(noFacts, ...many);
    expect(isNonNegative(many.reduce(sub), hostile)).toBe("unknown");
    let deep = value("d");
    for (let at = 0; at < 40; at++) deep = add(floorDivide(mul(deep, deep), n(3)), modulo(deep, n(2)));
    expect(isNonNegative(sub(deep, one), noFacts)).toBe("unknown");
  });
});
