import { expect, test } from "vitest";
import { resynchronising } from "./framing.ts";

const message = (body: string): string => `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

function through(pieces: readonly Buffer[]): Promise<string> {
  const stream = resynchronising();
  const out: Buffer[] = [];
  stream.on("data", (data: Buffer) => out.push(data));
  for (const piece of pieces) stream.write(piece);
  stream.end();
  return new Promise((resolve) => stream.on("end", () => resolve(Buffer.concat(out).toString())));
}

const good = message('{"a":"ü"}') + message("{}");

test.each([
  ["whole messages", good],
  ["junk before", `junk\n${good}`],
  ["a block that is no header", `GET / HTTP/1.1\r\nHost: x\r\n\r\n${good}`],
  ["a length that no message has", `Content-Length: 99999999999\r\n\r\n${good}`],
  ["another header", good.replaceAll("\r\n\r\n", "\r\nContent-Type: application/json\r\n\r\n")],
])("%s, in one piece and byte by byte", async (_what, input) => {
  const bytes = Buffer.from(input);
  expect(await through([bytes])).toBe(good);
  expect(await through([...bytes].map((byte) => Buffer.from([byte])))).toBe(good);
});
