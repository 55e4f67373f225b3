/** What a worker runs: it gets a `ThreadStart`, then serves calls until it is ended. */
import { serveCalls, type ThreadAnswer, type ThreadStart } from "../device/thread-main.ts";
import { isNode } from "./is-node.ts";

async function main(): Promise<void> {
  const serve = (start: ThreadStart, post: (answer: ThreadAnswer) => void): void => {
    try {
      serveCalls(start, post);
    } catch (error) {
      post({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
    }
  };
  if (isNode()) {
    const { insideThread } = await import("../node/node-thread.ts");
    const { listen, post } = insideThread();
    listen((start) => serve(start as ThreadStart, post));
    return;
  }
  globalThis.onmessage = (event: MessageEvent<ThreadStart>) =>
    serve(event.data, (answer) => globalThis.postMessage(answer));
}

await main();
