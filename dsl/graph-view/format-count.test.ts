import { expect, test } from "vitest";
import { longCount, percent, shortCount } from "./format-count.ts";

test.each([
  [0, "0"],
  [512, "512"],
  [999.9, "999.9"],
  [1000, "1.00 K"],
  [7168, "7.17 K"],
  [999_949, "999.9 K"],
  [999_951, "1.00 M"],
  [926_679_040, "926.7 M"],
  [671_877_944_064, "671.9 B"],
  [1e24, "1.00e+9"],
  [Number.POSITIVE_INFINITY, "too many"],
])("%d is short as %s", (count, text) => expect(shortCount(count)).toBe(text));

test("every digit is shown as long as every digit is known", () => {
  expect(longCount(683_501_971_712)).toBe("683,501,971,712");
  expect(longCount(100)).toBe("100");
  expect(longCount(2 ** 60)).not.toContain(",");
});

test("shares", () => {
  expect([percent(1, 1), percent(1, 20), percent(1, 100_000), percent(0, 5), percent(1, 0)]).toEqual([
    "100 %",
    "5.0 %",
    "< 0.1 %",
    "0.0 %",
    "",
  ]);
});
