import { expect, test } from "vitest";
import type { Kernel } from "./kernel.ts";
import { OneOfEach, textButForNames } from "./one-of-each.ts";
import { parseKernel } from "./parse.ts";

function kernel(name: string, source: string, value: string, [x, y, z] = ["x", "y", "z"]): Kernel {
  const parsed = parseKernel(`kernel @${name} "${source}"
  size T min 1
  read ${x}: f32[T] rows
  read ${z}: f32[T] rows
  write ${y}: f32[T] rows
  grid t in T
  lanes 1
{
  let one = ${value}
  ${y}[t] = one + ${z}[t]
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

test("names of buffers do not count where calls bind them in order", () => {
  const each = new OneOfEach(textButForNames);
  const first = kernel("a", "layer1.y", "x[t] + z[t]");
  expect(each.of(first)).toBe(first);
  expect(each.of(kernel("b", "layer2.y", "h[t] + a[t]", ["h", "made", "a"]))).toBe(first);
  expect(each.of(kernel("b", "layer2.y", "z[t] + y[t]", ["z", "x", "y"]))).toBe(first);
  // What is read in another order, from one buffer twice, or of another size is another kernel.
  for (const value of ["z[t] + x[t]", "x[t] + x[t]", "x[t] + z[T - 1]"])
    expect(each.of(kernel("b", "layer2.y", value))).not.toBe(first);
  expect(each.of(kernel("b", "layer2.y", "x[t] + z[t]", ["z", "y", "x"]))).not.toBe(first);
});
