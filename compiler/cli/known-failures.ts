/** What may be thrown while a model is loaded or run and is no bug of dsc: each becomes a `Failure`. */
import { BindError } from "../../backends/reference/bind-error.ts";
import { positionAt, spanText } from "../../dsl/diagnostics/source.ts";
import { WeightsError, type WeightsErrorCode } from "../../runtime/formats/weights-error.ts";
import { SamplingError } from "../../runtime/sampling/sampling-error.ts";
import { TextError } from "../../runtime/text/text-error.ts";
import { DirectiveError } from "../directives/directive-error.ts";
import { ElaborationError } from "../elaborate/context.ts";
import { UnsupportedError } from "../program/unsupported.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";

/** Of a file that cannot be had; the other codes are mistakes in what was read. */
const unreadable: ReadonlySet<string> = new Set<WeightsErrorCode>([
  "not-found",
  "ambiguous",
  "missing-index",
  "missing-shard",
  "pickle",
  "unknown-format",
  "short-read",
  "file-changed",
  "read-failed",
]);

const exitCodeOf = (code: string): ExitCode =>
  unreadable.has(code) ? exitCodes.cannotReadOrWrite : exitCodes.errorsFound;

/**
 * Errors of a package's runtime. Its classes are not those of this process: a package brings its own copy, so they are known by their
 * names. Null for everything else, and for what a package that dsc has written never does.
 */
export function runtimeFailure(error: unknown): Failure | null {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return null;
  if (!/^[A-Z]\w+Error$/.test(error.name) || bugs.has(error.name)) return null;
  return new Failure(
    error.code === "cannot-read" ? exitCodes.cannotReadOrWrite : exitCodeOf(error.code),
    error.message,
    error.name === "CorruptPackageError" ? "the package is damaged: compile it again" : null,
  );
}
const bugs: ReadonlySet<string> = new Set(["KernelError", "TypeError", "RangeError"]);

/** `shownPath`: how the user calls a path of the project. Null for everything else, which is a bug. */
export function knownFailure(error: unknown, shownPath: (path: string) => string): Failure | null {
  if (error instanceof WeightsError) {
    return new Failure(exitCodeOf(error.code), error.message);
  }
  if (error instanceof ElaborationError || error instanceof DirectiveError) {
    const { source, start } = error.span;
    const { line, column } = positionAt(source, start);
    const [text = ""] = spanText(error.span).split("\n");
    const at = `${shownPath(source.path)}:${line}:${column}`;
    const message = error instanceof DirectiveError ? `[DS0302] ${error.title}: ${error.message}` : error.message;
    return new Failure(exitCodes.errorsFound, `${at}: ${message}`, text === "" ? null : `at \`${text}\``);
  }
  if (error instanceof UnsupportedError)
    return new Failure(exitCodes.errorsFound, error.message, "programs cannot do this yet; `dsc run` can, slowly");
  if (error instanceof BindError || error instanceof SamplingError || error instanceof TextError) {
    return new Failure(exitCodes.errorsFound, error.message);
  }
  // The one way in which V8 says that a buffer is beyond the machine, or beyond any.
  if (error instanceof RangeError && /allocation failed|Invalid typed array length/.test(error.message)) {
    return new Failure(exitCodes.errorsFound, "there is not enough memory for the model's numbers");
  }
  return null;
}
