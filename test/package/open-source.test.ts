/** Tensors beside a checkpoint, from a server and from files that a user chose. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { writeSafetensors } from "../../runtime/formats/write-safetensors.ts";
import { nodeHost } from "../../runtime/node/node-host.ts";
import { openSource } from "../../runtime/package/open-source.ts";
import { extraFile } from "../../runtime/weights/extra-tensors.ts";
import { project } from "../cli/run-dsc.ts";
import { serve } from "./serve.ts";

async function tensorFile(name: string, value: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  const data = () => [Uint8Array.of(value, value)];
  for await (const chunk of writeSafetensors([{ name, dtype: "U8", shape: [2], data }])) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

const host = nodeHost(new URL("file:///none"));

test("a server is asked for them only where the checkpoint lacks something", async () => {
  const cwd = project({});
  writeFileSync(join(cwd, "model.safetensors"), await tensorFile("a", 1));
  writeFileSync(join(cwd, extraFile), await tensorFile("map", 2));
  const { address, close } = await serve(cwd, false);
  onTestFinished(close);
  for (const url of [`${address}/`, `${address}/model.safetensors`]) {
    const names = async (wanted: string): Promise<readonly string[]> => {
      const { weights } = await openSource(url, host, { lacks: ({ tensors }) => !tensors.has(wanted) });
      return [...weights.tensors.keys()];
    };
    expect(await names("a")).toEqual(["a"]);
    expect(await names("map")).toEqual(["a", "map"]);
  }
});

test("a server without them has none", async () => {
  const cwd = project({});
  writeFileSync(join(cwd, "model.safetensors"), await tensorFile("a", 1));
  const { address, close } = await serve(cwd, false);
  onTestFinished(close);
  const { weights } = await openSource(`${address}/`, host, { lacks: () => true });
  expect([...weights.tensors.keys()]).toEqual(["a"]);
});

test("among chosen files they are known by their name", async () => {
  const chosen = [
    new File([await tensorFile("a", 1)], "weights.safetensors"),
    new File([await tensorFile("map", 2)], extraFile),
  ];
  const { weights } = await openSource(chosen, host, { lacks: () => false });
  expect([...(await weights.read("a")), ...(await weights.read("map"))]).toEqual([1, 1, 2, 2]);
  const shards = [
    new File([JSON.stringify({ weight_map: { a: "weights.safetensors" } })], "model.safetensors.index.json"),
    ...chosen,
  ];
  const sharded = await openSource(shards, host, { lacks: () => false });
  expect([...sharded.weights.tensors.keys()]).toEqual(["a", "map"]);
});
