import { expect, test } from "vitest";
import type { Kernel } from "./kernel.ts";
import { OneOfEach } from "./one-of-each.ts";
import { parseKernel } from "./parse.ts";

function kernel(name: string, source: string, value: string): Kernel {
  const parsed = parseKernel(`kernel @${name} "${source}"
  size T min 1
  read x: f32[T] rows
  write y: f32[T] rows
  grid t in T
  lanes 1
{
  y[t] = ${value}
}`);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.kernel;
}

test("kernels that do the same are the first of them, whatever they are called and come from", () => {
  const each = new OneOfEach();
  const first = kernel("a", "layer1.y", "x[t] + x[t]");
  expect(each.of(first)).toBe(first);
  expect(each.of(kernel("b", "layer2.y", "x[t] + x[t]"))).toBe(first);
  expect(each.of(kernel("a", "layer1.y", "x[t] * x[t]"))).not.toBe(first);
  expect(new OneOfEach().of(kernel("b", "layer2.y", "x[t] + x[t]"))).not.toBe(first);
});
