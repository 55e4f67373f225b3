/** A worker of Node, as seen from inside. */
import { parentPort } from "node:worker_threads";

export interface InsideThread {
  readonly listen: (handler: (data: unknown) => void) => void;
  readonly post: (answer: unknown) => void;
}

export function insideThread(): InsideThread {
  if (parentPort === null) throw new Error("this file is run by a worker");
  const port = parentPort;
  return {
    listen: (handler) => {
      port.on("message", handler);
    },
    post: (answer) => port.postMessage(answer),
  };
}
