import { expect, test } from "vitest";
import { ValueBuilder } from "../calls/values.ts";
import { UniformBuilder, uniformBytes } from "./uniforms.ts";

test("blocks that a call changes come last, equal ones are one, and all start where they may", () => {
  const b = new ValueBuilder();
  const [tokens, two, nine] = [b.input(), b.constant(2), b.constant(9)];
  const builder = new UniformBuilder((id) => b.known(id));
  const blocks = [[tokens, two], [two, nine], [tokens, two], Array(70).fill(nine)].map((block) => builder.add(block));
  expect(blocks).toEqual([0, 1, 0, 2]);
  const { offsets, numbers, changing, patches } = builder.finish();
  expect(offsets).toEqual([768, 0, 256]);
  expect(changing).toBe(768);
  expect(patches).toEqual([{ at: 192, value: tokens }]);
  expect([...numbers.subarray(0, 3), ...numbers.subarray(192, 195)]).toEqual([2, 9, 0, 0, 2, 0]);
  expect(numbers.byteLength).toBe(1024);
  const buffers = [0, 1, 3].map((n) => new Array(n).fill({ name: "x", elem: "f32", extent: "T", access: "read" }));
  expect(buffers.map((all) => uniformBytes({ sizes: ["T"], buffers: all }))).toEqual([16, 16, 32]);
});
