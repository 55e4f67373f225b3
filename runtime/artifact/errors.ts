/** What a package refuses. `code` is stable: callers compare it; the message is for people. */

export class DscError extends Error {
  // Written out in each class: the names of classes do not survive being bundled.
  override readonly name: string = "DscError";
  readonly code: string;
  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
  }
}

/** The package was written by another version than this runtime plays. */
export class VersionError extends DscError {
  override readonly name = "VersionError";
  /** Format of the package, and the one that this runtime plays. */
  readonly found: number;
  readonly expected: number;
  constructor(found: number, expected: number, compiler: string) {
    const by = compiler === "" ? "" : `, written by dsc ${compiler}`;
    super("version", `the package has format ${found}${by}; this runtime plays format ${expected}: compile it again`);
    this.found = found;
    this.expected = expected;
  }
}

/** A file of the package is damaged, or the compiler that wrote it has a fault. */
export class CorruptPackageError extends DscError {
  override readonly name = "CorruptPackageError";
  /** Name inside of the package. */
  readonly file: string;
  constructor(file: string, message: string, cause?: unknown) {
    super("corrupt-package", `${file}: ${message}`, cause);
    this.file = file;
  }
}

/** A file of the package, or what the caller named as weights, cannot be read. */
export class ReadError extends DscError {
  override readonly name = "ReadError";
  constructor(message: string, cause?: unknown) {
    super("cannot-read", message, cause);
  }
}

/** An option or argument that means nothing. */
export class OptionError extends DscError {
  override readonly name = "OptionError";
  constructor(message: string) {
    super("bad-option", message);
  }
}

export type WeightProblemKind =
  | "missing"
  | "extra"
  | "shape"
  | "dtype"
  | "two-spellings"
  | "narrowing"
  | "copies-differ"
  | "unsupported-dtype";

export interface WeightProblem {
  readonly kind: WeightProblemKind;
  /** As the checkpoint spells it, or would. */
  readonly tensor: string;
  /** Declaration of the model that asks for it, and where it stands; null for an extra tensor. */
  readonly weight: string | null;
  readonly at: string | null;
  readonly message: string;
}

/** The checkpoint is not that of the model. Nothing was allocated. */
export class WeightsMismatchError extends DscError {
  override readonly name = "WeightsMismatchError";
  /** The first of them. */
  readonly problems: readonly WeightProblem[];
  /** How many there are in all. */
  readonly count: number;
  constructor(problems: readonly WeightProblem[], count: number) {
    const lines = problems.map((p) => `\n  ${p.message}${p.at === null ? "" : ` (${p.at})`}`);
    const more = count > problems.length ? `\n  and ${count - problems.length} more` : "";
    super("weights-mismatch", `the weights do not fit the model:${lines.join("")}${more}`);
    this.problems = problems;
    this.count = count;
  }
}

/** A number in a tensor is none that the model can take: an id that is too large, an integer beyond its type. */
export class WeightValueError extends DscError {
  override readonly name = "WeightValueError";
  readonly tensor: string;
  constructor(tensor: string, message: string) {
    super("weight-value", `tensor ${JSON.stringify(tensor)}: ${message}`);
    this.tensor = tensor;
  }
}

export class OutOfMemoryError extends DscError {
  override readonly name = "OutOfMemoryError";
  /** Bytes. */
  readonly needed: number;
  /** Bytes; null where the host does not say. */
  readonly available: number | null;
  constructor(what: string, needed: number, available: number | null) {
    const there = available === null ? "the host does not give them" : `${available} are there`;
    super("out-of-memory", `${what} takes ${needed} bytes; ${there}`);
    this.needed = needed;
    this.available = available;
  }
}

/** More tokens than the model remembers, as it was loaded. */
export class ContextLengthError extends DscError {
  override readonly name = "ContextLengthError";
  readonly length: number;
  readonly context: number;
  constructor(length: number, context: number, declared: number) {
    const hint = declared > context ? `; the model could remember ${declared}: load it with a larger context` : "";
    super("context-length", `${length} tokens are more than the context of ${context}${hint}`);
    this.length = length;
    this.context = context;
  }
}

/** Ids that are none. */
export class TokenError extends DscError {
  override readonly name = "TokenError";
  /** Index among the tokens of the call; -1 where there are none. */
  readonly index: number;
  constructor(index: number, message: string) {
    super("bad-token", message);
    this.index = index;
  }
}

/** Another call on the session has not ended. */
export class BusyError extends DscError {
  override readonly name = "BusyError";
  constructor() {
    super("busy", "the session is busy: wait for the call before, or end its iterator");
  }
}

export class DisposedError extends DscError {
  override readonly name = "DisposedError";
  constructor(what: string) {
    super("disposed", `the ${what} was disposed`);
  }
}

/** Bytes that are no saved session of this model with these weights. */
export class RestoreError extends DscError {
  override readonly name = "RestoreError";
  constructor(message: string) {
    super("cannot-restore", `the session cannot be restored: ${message}`);
  }
}

/** A worker has ended or does not answer: the model has to be loaded again. */
export class ThreadError extends DscError {
  override readonly name = "ThreadError";
  constructor(message: string, cause?: unknown) {
    super("thread-failed", message, cause);
  }
}

/** A kernel has failed while it ran: a fault of the compiler. */
export class KernelError extends DscError {
  override readonly name = "KernelError";
  constructor(message: string, cause?: unknown) {
    super("kernel-failed", message, cause);
  }
}

/** Text was given, and there is no tokenizer beside the weights, or the package was compiled without what reads one. */
export class NoTokenizerError extends DscError {
  override readonly name = "NoTokenizerError";
  constructor() {
    super("no-tokenizer", "no tokenizer.json is beside the weights, or the package reads none: give token ids");
  }
}

/** Why a model drafts no tokens: its text does not, the checkpoint has no weights for it, or they were not to be loaded. */
export type NoDraftReason = "no-entry" | "no-weights" | "not-loaded";

/** Drafts were asked for, and there is nothing to draft with. */
export class NoDraftError extends DscError {
  override readonly name = "NoDraftError";
  readonly reason: NoDraftReason;
  constructor(reason: NoDraftReason) {
    super("no-draft", `no tokens can be drafted: ${whyNoDraft[reason]}`);
    this.reason = reason;
  }
}
const whyNoDraft: Readonly<Record<NoDraftReason, string>> = {
  "no-entry": "the model has nothing that does",
  "no-weights": "the checkpoint has no weights for it",
  "not-loaded": "the model was loaded without",
};

/**
 * Why weights are not kept, or not removed: the host has no place for files, or none that is shared with others by locks; the server does
 * not say which version a file is; there is no more room; somebody reads them; a file could not be written.
 */
export type CacheFault = "no-storage" | "no-version" | "full" | "in-use" | "not-written";

/** Of weights that are kept on the machine. To load them works without. */
export class CacheError extends DscError {
  override readonly name = "CacheError";
  readonly fault: CacheFault;
  constructor(fault: CacheFault, message: string, cause?: unknown) {
    super("cache", message, cause);
    this.fault = fault;
  }
}

/** There is no WebGPU, or no adapter that it would give. */
export class NoAdapterError extends DscError {
  override readonly name = "NoAdapterError";
  constructor(message: string) {
    super("no-adapter", message);
  }
}

/**
 * The adapter allows less than the model takes: for rows of a session or memory of calls that `load` could be asked for less of, or for a
 * weight of which a kernel wants more at a time than a binding holds. Nothing was downloaded.
 */
export class GpuLimitError extends DscError {
  override readonly name = "GpuLimitError";
  /** As WebGPU calls it. */
  readonly limit: string;
  readonly needed: number;
  readonly available: number;
  /** `remedy`: what would make it less. */
  constructor(limit: string, what: string, needed: number, available: number, remedy: string) {
    super("gpu-limit", `${what} takes ${needed} bytes; ${limit} of this adapter is ${available}: ${remedy}`);
    this.limit = limit;
    this.needed = needed;
    this.available = available;
  }
}

/** The GPU is gone: its driver was reset, or its page was too long in the background. Load the model again; `session.tokens` is still there. */
export class DeviceLostError extends DscError {
  override readonly name = "DeviceLostError";
  constructor(why: string) {
    super("device-lost", `the GPU is gone (${why}): load the model again and give it the session's tokens`);
  }
}

/** The kernels do not compute on this adapter what they should, in no variant: its driver has a fault, or the compiler has. */
export class SelfTestError extends DscError {
  override readonly name = "SelfTestError";
  constructor(message: string, cause?: unknown) {
    super("self-test-failed", message, cause);
  }
}
