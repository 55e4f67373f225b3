/** What the playground's page asks of the worker that holds the compiler. */
import type { Call } from "../../../runtime/page/calls.ts";

/** A text, and a config for it; edited texts go before those that dsc brings along. */
export interface Draft {
  /** Path of the model's text among all of them. */
  readonly entry: string;
  readonly edits: Readonly<Record<string, string>>;
  /** Text of a config.json; null for none. */
  readonly config: string | null;
}

export interface Place {
  readonly path: string;
  /** From 1. */
  readonly line: number;
}

export interface Told extends Place {
  readonly severity: "error" | "warning";
  /** As `dsc check` writes it. */
  readonly text: string;
}

export interface Checked {
  readonly diagnostics: readonly Told[];
  /** A picture of the blocks, and the same in words; null where the text has errors or no model. */
  readonly picture: { readonly svg: string; readonly text: string } | null;
  /** Of the model with its config; null where that is not known. */
  readonly parameters: number | null;
}

export interface PlannedKernel {
  readonly definition: string;
  readonly kernel: string;
  readonly at: Place | null;
  readonly strategy: string;
  /** Calls in one run of the phase. */
  readonly times: number;
  /** Of the time of the phase by the roofline, 0 to 1. */
  readonly share: number;
  readonly bytes: number;
}

export interface PlannedPhase {
  readonly phase: string;
  readonly tokens: string;
  readonly kernels: readonly PlannedKernel[];
}

export interface RunAsk {
  /** The numbers that come along for this text, or those of a toy twin. */
  readonly weights: "own" | "seed";
  readonly seed: number;
  /** A text where there is a tokenizer, else ids. */
  readonly prompt: string;
  readonly tokens: number;
}

export interface RunEvent {
  /** What the weights are, told once at the start. */
  readonly about?: string;
  readonly token?: number;
  /** Null without a tokenizer. */
  readonly text?: string | null;
  /** The best ids of the last row of logits, best first, with their logits. */
  readonly best?: readonly (readonly [token: string, logit: number])[];
  readonly seconds?: number;
}

export interface PlaygroundCalls {
  readonly open: Call<{ readonly texts: Readonly<Record<string, string>>; readonly compiler: string }, never, null>;
  readonly check: Call<Draft, never, Checked>;
  readonly plan: Call<{ readonly draft: Draft; readonly subgroups: boolean }, never, readonly PlannedPhase[]>;
  /** Text of a kernel of the last plan. */
  readonly kernel: Call<string, never, string>;
  readonly run: Call<{ readonly draft: Draft; readonly run: RunAsk }, RunEvent, null>;
}
