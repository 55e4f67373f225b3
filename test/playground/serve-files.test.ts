import { expect, onTestFinished, test } from "vitest";
import { serveFiles } from "../../compiler/cli/playground/serve-files.ts";

test("files in memory, whole and in ranges", async () => {
  const bytes = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
  const files = [
    { name: "index.html", content: "<!doctype html>ü" },
    { name: "weights/a.bin", content: bytes },
  ];
  const { address, close } = await serveFiles(files, 0);
  onTestFinished(close);
  const page = await fetch(address);
  expect([page.status, page.headers.get("content-type"), await page.text()]).toEqual([
    200,
    "text/html; charset=utf-8",
    "<!doctype html>ü",
  ]);
  const ranged = async (range: string) => {
    const answer = await fetch(`${address}weights/a.bin`, { headers: { Range: range } });
    return [answer.status, answer.headers.get("content-range"), [...new Uint8Array(await answer.arrayBuffer())]];
  };
  expect(await ranged("bytes=2-4")).toEqual([206, "bytes 2-4/10", [2, 3, 4]]);
  expect(await ranged("bytes=8-99")).toEqual([206, "bytes 8-9/10", [8, 9]]);
  expect(await ranged("bytes=10-11")).toEqual([416, "bytes */10", []]);
  expect((await fetch(`${address}none`)).status).toBe(404);
  expect((await fetch(`${address}%2e%2e/package.json`)).status).toBe(404);
  expect((await fetch(address, { method: "POST" })).status).toBe(405);
  const port = Number(new URL(address).port);
  await expect(serveFiles(files, port)).rejects.toMatchObject({ code: "EADDRINUSE" });
});
