import { expect, test } from "vitest";
import { DeviceMemory } from "./memory.ts";

test("blocks do not overlap, are zeros, and are taken again", () => {
  const memory = new DeviceMemory(65_536, false);
  const taken = [100, 64, 200_000, 1].map((bytes) => ({ at: memory.allocate(bytes, "x"), bytes }));
  for (const [i, { at, bytes }] of taken.entries()) {
    expect(at % 64).toBe(0);
    expect(memory.bytes().length).toBeGreaterThanOrEqual(at + bytes);
    memory.bytes().fill(i + 1, at, at + bytes);
  }
  for (const [i, { at, bytes }] of taken.entries())
    expect(
      memory
        .bytes()
        .subarray(at, at + bytes)
        .every((b) => b === i + 1),
    ).toBe(true);
  const size = memory.bytes().length;
  for (const { at, bytes } of taken) memory.release(at, bytes);
  const again = memory.allocate(200_100, "y");
  expect(again).toBe(taken[0]?.at);
  expect(
    memory
      .bytes()
      .subarray(again, again + 200_100)
      .every((b) => b === 0),
  ).toBe(true);
  expect(memory.bytes().length).toBe(size);
});

test("more than 32 bits reach is refused", () => {
  const memory = new DeviceMemory(65_536, false);
  expect(() => memory.allocate(2 ** 32, "a session")).toThrow(expect.objectContaining({ code: "out-of-memory" }));
  expect(() => new DeviceMemory(2 ** 33, false)).toThrow(expect.objectContaining({ code: "out-of-memory" }));
});

test("free blocks join their neighbours only", () => {
  const memory = new DeviceMemory(65_536, false);
  const [a, b, c] = [640, 64, 640].map((bytes) => memory.allocate(bytes, "x"));
  memory.release(a ?? 0, 640);
  memory.release(c ?? 0, 640);
  expect(memory.allocate(1280, "y")).toBeGreaterThan(c ?? 0);
  memory.release(b ?? 0, 64);
  expect(memory.allocate(1344, "z")).toBe(a);
});
