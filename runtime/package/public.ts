/** What packages for all targets export beside `load`. */
export {
  BusyError,
  CacheError,
  type CacheFault,
  ContextLengthError,
  CorruptPackageError,
  DeviceLostError,
  DisposedError,
  DscError,
  GpuLimitError,
  KernelError,
  NoAdapterError,
  NoDraftError,
  type NoDraftReason,
  NoTokenizerError,
  OptionError,
  OutOfMemoryError,
  ReadError,
  RestoreError,
  SelfTestError,
  ThreadError,
  TokenError,
  VersionError,
  type WeightProblem,
  type WeightProblemKind,
  WeightsMismatchError,
  WeightValueError,
} from "../artifact/errors.ts";
export type { CacheStatistics, KeptCheckpoint, WeightsCache } from "../cache/weights-cache.ts";
export type { CheckedKernel } from "../calls/model-device.ts";
export { WeightsError, type WeightsErrorCode } from "../formats/weights-error.ts";
export { SamplingError } from "../sampling/sampling-error.ts";
export type { DraftStatistics } from "../session/draft-counts.ts";
export type { Progress } from "../session/load-weights.ts";
export type { ChatVariables } from "../text/chat.ts";
export type { ChatMessage, JsonValue } from "../text/chat-template.ts";
export type { ReasoningTags, Stream, StreamPiece } from "../text/streams.ts";
export { TextError } from "../text/text-error.ts";
export type { DraftInfo } from "./draft-option.ts";
export type { GpuLike, LoadOptions } from "./load-options.ts";
export { type GpuInfo, Model, type ModelInfo } from "./model.ts";
export { openWeightsCache } from "./open-cache.ts";
export type { WeightsSource } from "./open-source.ts";
export { type ForwardOptions, type GeneratedToken, type GenerateTextOptions, Session } from "./session.ts";
