/** A folder over HTTP as a careful site serves it: nothing but its own scripts and WebAssembly runs. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize, sep } from "node:path";

export const contentPolicy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";

export interface Served {
  readonly address: string;
  readonly close: () => Promise<void>;
}

const types = new Map([
  [".html", "text/html; charset=utf-8"],
  [".js", "text/javascript; charset=utf-8"],
  [".json", "application/json"],
  [".wasm", "application/wasm"],
]);

/** `isolated`: with the two headers without which a page gets no shared memory. */
export async function serve(folder: string, isolated: boolean): Promise<Served> {
  const headers = {
    "Content-Security-Policy": contentPolicy,
    ...(isolated
      ? { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" }
      : {}),
  };
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname));
    const file = join(folder, path);
    const bytes = file.startsWith(folder + sep) ? await readFile(file).catch(() => null) : null;
    if (bytes === null) {
      response.writeHead(404, headers).end();
      return;
    }
    const type = types.get(extname(file)) ?? "application/octet-stream";
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
    if (from === undefined) {
      response.writeHead(200, {
        ...headers,
        "Content-Type": type,
        "Content-Length": bytes.length,
        "Accept-Ranges": "bytes",
      });
      response.end(request.method === "HEAD" ? undefined : bytes);
      return;
    }
    const end = Math.min(to === "" || to === undefined ? bytes.length - 1 : Number(to), bytes.length - 1);
    const part = bytes.subarray(Number(from), end + 1);
    response.writeHead(206, {
      ...headers,
      "Content-Type": type,
      "Content-Length": part.length,
      "Content-Range": `bytes ${from}-${end}/${bytes.length}`,
    });
    response.end(request.method === "HEAD" ? undefined : part);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    address: `http://127.0.0.1:${address.port}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
