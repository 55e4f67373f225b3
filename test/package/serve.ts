/** A folder over HTTP as a careful site serves it: nothing but its own scripts and WebAssembly runs. */
import { createHash } from "node:crypto";
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
  [".css", "text/css; charset=utf-8"],
  [".svg", "image/svg+xml"],
  [".json", "application/json"],
  [".wasm", "application/wasm"],
]);

/** How an answer is spoilt. */
export interface Spoilt {
  /** Instead of the file. */
  readonly status?: number;
  /** The connection ends after so many bytes of the body; with 0 there is no answer at all. */
  readonly cut?: number;
  /** Before anything is sent. */
  readonly wait?: Promise<unknown>;
}

/** A question for a file: its path from the root, and the range, if there is one. */
export type Spoil = (path: string, range: { readonly from: number; readonly to: number } | null) => Spoilt | null;

/**
 * `isolated`: with the two headers without which a page gets no shared memory. `spoil`: asked of each question; a file is as it is where
 * that gives null.
 */
export async function serve(folder: string, isolated: boolean, spoil: Spoil = () => null): Promise<Served> {
  const headers = {
    "Content-Security-Policy": contentPolicy,
    ...(isolated
      ? { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" }
      : {}),
  };
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname));
    const file = join(folder, path.endsWith("/") ? `${path}index.html` : path);
    const bytes = file.startsWith(folder + sep) ? await readFile(file).catch(() => null) : null;
    if (bytes === null) {
      response.writeHead(404, headers).end();
      return;
    }
    const type = types.get(extname(file)) ?? "application/octet-stream";
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
    const end = Math.min(last === "" || last === undefined ? bytes.length - 1 : Number(last), bytes.length - 1);
    const range = first === undefined ? null : { from: Number(first), to: end };
    const spoilt = spoil(path.replaceAll(sep, "/"), range);
    await spoilt?.wait;
    if (spoilt?.status !== undefined) {
      response.writeHead(spoilt.status, headers).end();
      return;
    }
    if (spoilt?.cut === 0) {
      response.destroy();
      return;
    }
    const part = range === null ? bytes : bytes.subarray(range.from, range.to + 1);
    response.writeHead(range === null ? 200 : 206, {
      ...headers,
      "Content-Type": type,
      "Content-Length": part.length,
      "Accept-Ranges": "bytes",
      ETag: `"${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}"`,
      ...(range === null ? {} : { "Content-Range": `bytes ${range.from}-${range.to}/${bytes.length}` }),
    });
    if (spoilt?.cut !== undefined) {
      response.write(part.subarray(0, spoilt.cut), () => response.destroy());
      return;
    }
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
