import { describe, test } from "vitest";
import { laws } from "./laws.ts";
import { realPasses } from "./pass-set.ts";

describe("meaning is kept", () => {
  for (const [name, law] of Object.entries(laws)) test(name, () => law(realPasses));
});
