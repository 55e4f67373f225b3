import { SamplingError } from "./sampling-error.ts";

/** What a caller may say; everything left out is off. */
export interface SamplingOptions {
  /** Logits are divided by it; 1 when left out, 0 takes the best token always. From 0. */
  readonly temperature?: number;
  /** Keeps the k best tokens and all that equal the last of them; 0 keeps all. */
  readonly topK?: number;
  /** Keeps the smallest set of best tokens whose probabilities reach it. In (0, 1]. */
  readonly topP?: number;
  /** Keeps tokens with at least this share of the best token's probability. In [0, 1]. */
  readonly minP?: number;
  /** Above 1 makes tokens that were there before less likely. Above 0. */
  readonly repetitionPenalty?: number;
}

export type CheckedOptions = Readonly<Required<SamplingOptions>>;

/** Throws {@link SamplingError} `bad-option`. */
export function checkOptions(options: SamplingOptions): CheckedOptions {
  const { temperature = 1, topK = 0, topP = 1, minP = 0, repetitionPenalty = 1 } = options;
  check(temperature >= 0 && temperature < Number.POSITIVE_INFINITY, `temperature ${temperature} is not from 0`);
  check(Number.isSafeInteger(topK) && topK >= 0, `top_k ${topK} is not an integer from 0`);
  check(topP > 0 && topP <= 1, `top_p ${topP} is not above 0 and up to 1`);
  check(minP >= 0 && minP <= 1, `min_p ${minP} is not in 0 to 1`);
  check(
    repetitionPenalty > 0 && repetitionPenalty < Number.POSITIVE_INFINITY,
    `repetition_penalty ${repetitionPenalty} is not above 0`,
  );
  return { temperature, topK, topP, minP, repetitionPenalty };
}

function check(holds: boolean, message: string): void {
  if (!holds) throw new SamplingError("bad-option", message);
}
