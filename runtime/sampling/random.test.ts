import { expect, test } from "vitest";
import { randomFromSeed, randomFromState } from "./random.ts";
import { SamplingError } from "./sampling-error.ts";

test("xoshiro128** from the state 1, 2, 3, 4, as the authors' C gives it", () => {
  const random = randomFromState([1, 2, 3, 4]);
  const numbers = Array.from({ length: 10 }, () => random.nextInteger());
  expect(numbers).toEqual([
    11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
  ]);
});

test("a state goes on where it was taken", () => {
  const random = randomFromSeed(5);
  random.nextFraction();
  const copy = randomFromState(random.state());
  expect([copy.nextInteger(), copy.nextFraction()]).toEqual([random.nextInteger(), random.nextFraction()]);
});

test("seeds give the numbers that they always gave", () => {
  expect(randomFromSeed(0).state()).toMatchInlineSnapshot(`
    [
      2947049190,
      2030291869,
      3697189874,
      4022588527,
    ]
  `);
  expect(randomFromSeed(2 ** 53 - 1).state()).toMatchInlineSnapshot(`
    [
      3292818423,
      703426567,
      4229073421,
      3135541678,
    ]
  `);
  expect(randomFromSeed(42).nextFraction()).toMatchInlineSnapshot(`0.9556786169111958`);
});

test("near seeds give unlike numbers, high words count", () => {
  const firsts = Array.from({ length: 1000 }, (_, seed) => randomFromSeed(seed).nextInteger());
  expect(new Set(firsts).size).toBe(1000);
  expect(randomFromSeed(2 ** 32).state()).not.toEqual(randomFromSeed(0).state());
  const mean = firsts.reduce((total, value) => total + value / 2 ** 32, 0) / 1000;
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.03);
});

test("fractions are in [0, 1)", () => {
  const random = randomFromSeed(7);
  const fractions = Array.from({ length: 10_000 }, () => random.nextFraction());
  expect(fractions.every((fraction) => fraction >= 0 && fraction < 1)).toBe(true);
  // Ten bins, nine degrees of freedom: 27.9 is passed once in a thousand seeds.
  const bins = new Array<number>(10).fill(0);
  for (const fraction of fractions) bins[Math.floor(fraction * 10)] = (bins[Math.floor(fraction * 10)] ?? 0) + 1;
  expect(bins.reduce((total, count) => total + (count - 1000) ** 2 / 1000, 0)).toBeLessThan(27.9);
});

test.each([-1, 0.5, Number.NaN, 2 ** 53])("%s is no seed", (seed) => {
  expect(() => randomFromSeed(seed)).toThrow(SamplingError);
});

test("what is no state", () => {
  expect(() => randomFromState([0, 0, 0, 0])).toThrow(SamplingError);
  expect(() => randomFromState([1, 2, 3, 2 ** 32])).toThrow(SamplingError);
});
