/** The playground's worker: holds the compiler, so that the page can be typed in meanwhile. */
import { chat, tokenizer } from "../../../runtime/package/parts.ts";
import { afterEvents } from "../../../runtime/package/web-host.ts";
import { type Handlers, serveCalls } from "../../../runtime/page/calls.ts";
import { readTextFiles } from "../../../runtime/text/text-files.ts";
import { openHttpSource } from "../../../runtime/weights/http-source.ts";
import { openSafetensors } from "../../../runtime/weights/open-safetensors.ts";
import type { PlaygroundCalls } from "./protocol.ts";
import { type OwnWeights, runDraft } from "./run-draft.ts";
import { Workbench, WorkbenchError } from "./workbench.ts";

/** Beside the page. */
const weightsFolder = new URL("../weights/", import.meta.url);

let bench: Workbench | null = null;
let own: Promise<OwnWeights> | null = null;

function opened(): Workbench {
  if (bench === null) throw new WorkbenchError("there are no texts yet");
  return bench;
}

async function openOwn(): Promise<OwnWeights> {
  const url = (name: string): string => new URL(name, weightsFolder).href;
  const source = await openHttpSource(url("model.safetensors"), { fetch: (at, init) => fetch(at, init) });
  const text = await readTextFiles(
    async (name) => {
      const answer = await fetch(url(name));
      return answer.ok ? answer.text() : null;
    },
    { chat, tokenizer },
  );
  return { weights: await openSafetensors(source, { pieceBytes: 1 << 22 }), text };
}

function ownWeights(): Promise<OwnWeights> {
  own ??= openOwn().catch((error: unknown) => {
    own = null;
    throw error;
  });
  return own;
}

const handlers: Handlers<PlaygroundCalls> = {
  open: async ({ texts, compiler }) => {
    bench = new Workbench(new Map(Object.entries(texts)), compiler);
    return null;
  },
  check: async (draft) => opened().check(draft),
  plan: async ({ draft, subgroups }) => opened().plan(draft, subgroups),
  kernel: async (name) => opened().kernel(name),
  run: async ({ draft, run: ask }, { tell, signal }) => {
    await runDraft({ bench: opened(), draft, ask, own: ownWeights, tell, signal, pause: afterEvents });
    return null;
  },
};

serveCalls<PlaygroundCalls>(handlers);
