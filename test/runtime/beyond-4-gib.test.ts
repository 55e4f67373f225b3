/** More weights than one memory can have, for once with real bytes: in the full tests, where there is memory for it. */
import { open, rm } from "node:fs/promises";
import { availableParallelism, freemem } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadPackage } from "../../runtime/package/entry.ts";
import { tinyWeights, writePackage } from "./tiny-package.ts";
import { expectedLogits, sizes } from "./tiny-program.ts";
import { wideProgram } from "./wide-program.ts";

const { V, D, L } = sizes;
/** Each of the three layers takes 1.6 GB. */
const height = 50_000_000;
const layerBytes = 4 * height * D;
const possible = process.env["DSC_FULL"] === "1" && freemem() > 10 * 2 ** 30;

test.runIf(possible)("three layers of 1.6 GB in two memories", { timeout: 300_000 }, async () => {
  const disk = await writePackage({ program: wideProgram(height, height - 1) });
  try {
    await writeSparse(join(disk.weights, "model.safetensors"));
    const threads = Math.min(2, availableParallelism());
    const model = await loadPackage(disk.base, { weights: disk.weights, worker: disk.worker, threads });
    expect(model.info.memory).toMatchObject({ memories: 2, weights: 4 * V * D + L * layerBytes });
    expect(model.memoryBytes).toBeGreaterThan(2 ** 32);
    const tokens = [3, 1, 4, 1, 5, 9, 2, 6];
    const session = model.session();
    const all = await session.forward(tokens, { all: true });
    for (const [t, want] of expectedLogits(tinyWeights, tokens).entries())
      for (const [v, y] of want.entries()) expect(all[t * V + v]).toBeCloseTo(y, 5);
    const restored = await model.restore(await session.save());
    expect(await restored.forward([7])).toEqual(await session.forward([7]));
    model.dispose();
  } finally {
    await rm(disk.folder, { recursive: true });
  }
});

/** Zeros but for the rows that are read: they take no room on most disks. */
async function writeSparse(path: string): Promise<void> {
  const bytesOf = (values: Float32Array): Uint8Array =>
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const tensors = [
    { name: "model.embed.weight", shape: [V, D], size: 4 * V * D, last: tinyWeights.embed },
    ...tinyWeights.g.map((g, l) => ({ name: `model.layers.${l}.g`, shape: [height, D], size: layerBytes, last: g })),
  ];
  let end = 0;
  const header = Object.fromEntries(
    tensors.map(({ name, shape, size }) => {
      end += size;
      return [name, { dtype: "F32", shape, data_offsets: [end - size, end] }];
    }),
  );
  const text = JSON.stringify(header);
  const head = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(head.length));
  const file = await open(path, "w");
  try {
    await file.write(length, 0, 8, 0);
    await file.write(head, 0, head.length, 8);
    let at = 8 + head.length;
    for (const { size, last } of tensors) {
      at += size;
      await file.write(bytesOf(last), 0, last.byteLength, at - last.byteLength);
    }
  } finally {
    await file.close();
  }
}
