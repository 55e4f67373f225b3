import { expect, test } from "vitest";
import { bytesText, countText, secondsText, speedText } from "./words.ts";

test("numbers as people read them", () => {
  expect([0, 512, 999, 1000, 4_244_280, 99_600, 689_000_000_000, 2e15].map(bytesText)).toEqual([
    "0 bytes",
    "512 bytes",
    "999 bytes",
    "1.0 KB",
    "4.2 MB",
    "100 KB",
    "689 GB",
    "2000 TB",
  ]);
  expect([0.2, 89, 90, 5399, 5400].map(secondsText)).toEqual(["1 s", "89 s", "2 min", "90 min", "1.5 h"]);
  expect([512, 129280, 1_720_000, 671e9].map(countText)).toEqual(["512", "129,280", "1.72 million", "671 billion"]);
  expect([speedText(30, 4), speedText(3000, 10), speedText(0, 1), speedText(5, 0)]).toEqual([
    "7.5 tokens/s",
    "300 tokens/s",
    null,
    null,
  ]);
});
