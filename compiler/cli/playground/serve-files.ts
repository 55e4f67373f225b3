/** Files in memory over HTTP, for this machine alone: what a page is served from. Answers ranges of bytes, as weights are read. */
import { createServer, type Server } from "node:http";
import { extname } from "node:path";
import type { PackageFile } from "../../package/package-file.ts";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".json": "application/json",
};

export interface ServedFiles {
  readonly address: string;
  readonly close: () => Promise<void>;
}

/** Rejects where the port is taken. */
export async function serveFiles(files: readonly PackageFile[], port: number): Promise<ServedFiles> {
  const contents = new Map(files.map(({ name, content }) => [`/${name}`, Buffer.from(content)]));
  const server = createServer((request, response) => {
    const path = decoded(request.url ?? "/");
    const name = path.endsWith("/") ? `${path}index.html` : path;
    const bytes = contents.get(name);
    if (bytes === undefined || (request.method !== "GET" && request.method !== "HEAD")) {
      response.writeHead(bytes === undefined ? 404 : 405).end();
      return;
    }
    const headers = { "Content-Type": types[extname(name)] ?? "application/octet-stream", "Accept-Ranges": "bytes" };
    const [, first, last] = /^bytes=(\d{1,15})-(\d{0,15})$/.exec(request.headers.range ?? "") ?? [];
    const from = Number(first ?? 0);
    const to = Math.min(last === undefined || last === "" ? bytes.length - 1 : Number(last), bytes.length - 1);
    if (first !== undefined && (from >= bytes.length || from > to)) {
      response.writeHead(416, { "Content-Range": `bytes */${bytes.length}` }).end();
      return;
    }
    const range = first === undefined ? {} : { "Content-Range": `bytes ${from}-${to}/${bytes.length}` };
    const part = bytes.subarray(from, to + 1);
    response.writeHead(first === undefined ? 200 : 206, { ...headers, ...range, "Content-Length": part.length });
    response.end(request.method === "HEAD" ? undefined : part);
  });
  await listening(server, port);
  const at = server.address();
  const own = typeof at === "object" && at !== null ? at.port : port;
  return {
    address: `http://localhost:${own}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function decoded(url: string): string {
  try {
    return decodeURIComponent(new URL(url, "http://localhost").pathname);
  } catch {
    return "";
  }
}

function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve());
  });
}
