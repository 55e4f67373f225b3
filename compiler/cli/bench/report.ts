/** What a bench found, for people and for machines. */
import { percent } from "../../../dsl/graph-view/format-count.ts";
import { byteText } from "../../package/number-words.ts";
import type { PhaseNumbers } from "../load-package.ts";

interface Times {
  readonly median: number;
  readonly best: number;
}

export interface BenchResult {
  readonly model: string;
  /** Of Node. */
  readonly node: string;
  readonly threads: number;
  /** Null where a GPU plays the package. */
  readonly simd: "baseline" | "relaxed" | null;
  /** And what of it; null where it plays nothing. */
  readonly gpu: { readonly adapter: string; readonly variant: string } | null;
  /** Null where the package was there. */
  readonly compileSeconds: number | null;
  readonly loadSeconds: number;
  /** Tokens of the prompt, and tokens one by one behind it. */
  readonly prompt: number;
  readonly tokens: number;
  /** Of all of them. */
  readonly prefillSeconds: Times;
  readonly decodeSeconds: Times;
  /** As many tokens of one text, without drafts and with; null where nothing drafts. */
  readonly drafts: {
    /** Tokens to guess at a time. */
    readonly draft: number;
    readonly plainSeconds: Times;
    readonly draftedSeconds: Times;
    readonly drafted: number;
    readonly accepted: number;
  } | null;
  /** Bytes. `process`: most that the process had resident. */
  readonly memory: {
    readonly model: number;
    readonly session: number;
    readonly arena: number;
    readonly arenaPeak: number;
    readonly process: number;
  };
  /** The best of two times; null where nobody measures them. */
  readonly limits: { readonly bytesPerSecond: number; readonly flopsPerSecond: number } | null;
  readonly cost: Readonly<Record<string, PhaseNumbers>>;
  /** What a session keeps of a token. */
  readonly tokenBytes: number;
}

export interface Shares {
  /** Bytes that the model reads and writes for a token, on average over those that were run, and how many of them a second. */
  readonly decodeBytes: number | null;
  readonly decodeShare: number | null;
  /** Operations of a token of the prompt, and the share of the peak of multiply-adds. */
  readonly prefillFlops: number | null;
  readonly prefillShare: number | null;
}

export function sharesOf(result: BenchResult): Shares {
  const { cost, prompt, tokens, limits, tokenBytes } = result;
  const [decode, prefill] = [cost["decode"], cost["prefill"]];
  // Planned for another length of the text than was run: each remembered token is read once.
  const middle = prompt + (tokens - 1) / 2;
  const decodeBytes = decode === undefined ? null : decode.bytes + (middle - decode.before) * tokenBytes;
  const prefillFlops = prefill === undefined ? null : prefill.flops / prefill.tokens;
  return {
    decodeBytes,
    decodeShare:
      decodeBytes === null || limits === null
        ? null
        : (decodeBytes * tokens) / result.decodeSeconds.median / limits.bytesPerSecond,
    prefillFlops,
    prefillShare:
      prefillFlops === null || limits === null
        ? null
        : (prefillFlops * prompt) / result.prefillSeconds.median / limits.flopsPerSecond,
  };
}

const rate = (tokens: number, { median, best }: Times): string =>
  `${(tokens / median).toFixed(1)} tokens/s (best ${(tokens / best).toFixed(1)})`;
const share = (value: number | null, of: string): string =>
  value === null ? "" : `${(100 * value).toFixed(0)} % of ${of}`;

function draftRows({ drafts, tokens }: BenchResult): readonly (readonly string[])[] {
  if (drafts === null) return [];
  const { draft, plainSeconds, draftedSeconds, drafted, accepted } = drafts;
  const right = `drafted ${drafted}, accepted ${accepted} (${percent(accepted, drafted)})`;
  return [
    ["drafts", `${rate(tokens, draftedSeconds)}, ${draft} at a time`, right],
    [
      "without",
      rate(tokens, plainSeconds),
      `${(plainSeconds.median / draftedSeconds.median).toFixed(2)} times as fast with`,
    ],
  ];
}

export function benchText(result: BenchResult): string {
  const { threads, simd, gpu, memory, limits, prompt, tokens } = result;
  const shares = sharesOf(result);
  const compile =
    result.compileSeconds === null ? "compiled before" : `compiled in ${result.compileSeconds.toFixed(2)} s`;
  const rows = [
    [
      "prefill",
      `${rate(prompt, result.prefillSeconds)}, ${prompt} tokens`,
      share(shares.prefillShare, `${((limits?.flopsPerSecond ?? 0) / 1e9).toFixed(1)} GFLOP/s`),
    ],
    [
      "decode",
      `${rate(tokens, result.decodeSeconds)}, ${tokens} tokens behind ${prompt}`,
      share(shares.decodeShare, `${((limits?.bytesPerSecond ?? 0) / 1e9).toFixed(1)} GB/s`),
    ],
    ...draftRows(result),
    [
      "memory",
      `${byteText(memory.model)} of model, ${byteText(memory.session)} a session`,
      `process ${byteText(memory.process)}`,
    ],
    ["arena", byteText(memory.arena), `${byteText(memory.arenaPeak)} alive at once`],
  ];
  const [first, second] = [1, 2].map((i) => Math.max(...rows.map((row) => row[i - 1]?.length ?? 0)));
  const lines = rows.map(([a = "", b = "", c = ""]) =>
    `  ${a.padEnd(first ?? 0)}  ${b.padEnd(second ?? 0)}  ${c}`.trimEnd(),
  );
  const on =
    gpu === null
      ? `${threads} thread${threads === 1 ? "" : "s"}, ${simd ?? "baseline"} SIMD`
      : `${gpu.adapter}, ${gpu.variant}`;
  const head = `${result.model}: ${on}, Node ${result.node}; ${compile}, loaded in ${result.loadSeconds.toFixed(2)} s`;
  return `${[head, ...lines].join("\n")}\n`;
}
