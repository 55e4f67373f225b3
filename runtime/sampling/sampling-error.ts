/**
 * - `bad-option`    an option outside its range
 * - `bad-logits`    a logit is nan, or there are none
 * - `no-candidate`  every logit is -inf: nothing may be chosen
 * - `bad-id`        a previous id that the logits do not have
 */
export type SamplingErrorCode = "bad-option" | "bad-logits" | "no-candidate" | "bad-id";

export class SamplingError extends Error {
  readonly code: SamplingErrorCode;

  constructor(code: SamplingErrorCode, message: string) {
    super(message);
    this.name = "SamplingError";
    this.code = code;
  }
}
