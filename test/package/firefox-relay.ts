#!/usr/bin/env -S node --import tsx
/**
 * Firefox for Playwright, started in its place with its switches: WebDriver BiDi goes through here, and what Firefox does not have of it
 * is answered as done. The program is that of `DSC_FIREFOX`.
 */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";

/** As much of WebSockets as this needs; Node 20 has none, Playwright brings its own along. */
interface Socket {
  readonly readyState: number;
  send(text: string): void;
  close(): void;
  on(event: "open" | "close" | "error", then: () => void): void;
  on(event: "message", then: (data: Buffer) => void): void;
}
interface SocketServer {
  address(): AddressInfo;
  on(event: "connection", then: (socket: Socket) => void): void;
}
interface Sockets {
  readonly ws: new (
    address: string,
    options: { readonly perMessageDeflate: false; readonly maxPayload: number },
  ) => Socket;
  readonly wsServer: new (options: { readonly host: string; readonly port: number }, ready: () => void) => SocketServer;
}
const sockets: Sockets = createRequire(import.meta.url)("playwright-core/lib/utilsBundle");

/** Colour schemes are as a machine has them: no test of these asks for another. */
const absent: ReadonlySet<string> = new Set(["emulation.setMediaFeaturesOverride"]);
const [opened, largest] = [1, 2 ** 28];

const firefox = spawn(process.env["DSC_FIREFOX"] ?? "firefox", process.argv.slice(2), {
  stdio: ["ignore", "pipe", "pipe"],
});
for (const stream of [firefox.stdout, firefox.stderr])
  createInterface({ input: stream }).on("line", (line) => {
    const [, address] = /WebDriver BiDi listening on (ws:\/\/\S+)/.exec(line) ?? [];
    if (address === undefined) process.stderr.write(`${line}\n`);
    else relay(`${address}/session`);
  });
firefox.on("error", (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
firefox.on("exit", (code) => process.exit(code ?? 1));
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => firefox.kill(signal));

function relay(address: string): void {
  const server = new sockets.wsServer({ host: "127.0.0.1", port: 0 }, () => {
    // What Playwright waits for.
    process.stderr.write(`WebDriver BiDi listening on ws://127.0.0.1:${server.address().port}\n`);
  });
  server.on("connection", (client) => {
    const browser = new sockets.ws(address, { perMessageDeflate: false, maxPayload: largest });
    const early: string[] = [];
    browser.on("open", () => {
      for (const text of early) browser.send(text);
    });
    client.on("message", (data) => {
      const text = String(data);
      const { id, method }: { readonly id: number; readonly method: string } = JSON.parse(text);
      if (absent.has(method)) client.send(JSON.stringify({ type: "success", id, result: {} }));
      else if (browser.readyState === opened) browser.send(text);
      else early.push(text);
    });
    browser.on("message", (data) => client.send(String(data)));
    browser.on("close", () => client.close());
    browser.on("error", () => client.close());
    client.on("close", () => browser.close());
  });
}
