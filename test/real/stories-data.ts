/** The files of the stories260K model, where there are any: they are no part of the repository. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface StoriesCase {
  readonly prompt: string;
  readonly prompt_ids: readonly number[];
  /** The prompt's, and the greedy continuation. */
  readonly ids: readonly number[];
  readonly logits: readonly {
    readonly pos: number;
    /** [id, logit], five decimals. */
    readonly top5: readonly (readonly [number, number])[];
    readonly sum: number;
  }[];
  readonly text?: string;
}

export interface StoriesData {
  readonly weights: Uint8Array;
  readonly tok512: Uint8Array;
  readonly cases: readonly StoriesCase[];
  readonly loss: { readonly tokens: number; readonly nats_per_token: number };
  /** Null where the corpus is not there. */
  readonly corpus: readonly string[] | null;
}

const data = process.env["DSC_TEST_DATA"];
const folder = data === undefined ? null : join(data, "data/stories260K");
const names = ["stories260K.bin", "tok512.bin", "golden.json"];
const missing = folder === null ? null : names.find((name) => !existsSync(join(folder, name)));

/** For the name of a test; empty where the files are there. */
export const whyNoStories: string =
  folder === null
    ? " (skipped: DSC_TEST_DATA is not set)"
    : missing === undefined
      ? ""
      : ` (skipped: DSC_TEST_DATA has no data/stories260K/${missing})`;

const corpus = data === undefined ? null : join(data, "data/corpora/tinystories-sample.txt");
/** Stories with `<|endoftext|>` between them; null where they are not there. */
export const storiesCorpus: string | null = corpus !== null && existsSync(corpus) ? corpus : null;

export function readStoriesData(): StoriesData {
  if (folder === null) throw new Error(whyNoStories);
  const golden: Pick<StoriesData, "cases" | "loss"> = JSON.parse(readFileSync(join(folder, "golden.json"), "utf8"));
  return {
    weights: new Uint8Array(readFileSync(join(folder, "stories260K.bin"))),
    tok512: new Uint8Array(readFileSync(join(folder, "tok512.bin"))),
    cases: golden.cases,
    loss: golden.loss,
    corpus:
      storiesCorpus === null
        ? null
        : readFileSync(storiesCorpus, "utf8")
            .split("<|endoftext|>")
            .map((story) => story.trim()),
  };
}
