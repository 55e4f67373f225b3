/** What the process answers with; `dsc help` shows this table. */
export const exitCodes = {
  fine: 0,
  errorsFound: 1,
  usage: 2,
  cannotReadOrWrite: 3,
  bug: 70,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const exitCodeMeanings: readonly (readonly [ExitCode, string])[] = [
  [exitCodes.fine, "fine"],
  [exitCodes.errorsFound, "errors found, or `fmt --check` found files that are not formatted"],
  [exitCodes.usage, "the command line is wrong"],
  [exitCodes.cannotReadOrWrite, "a file cannot be read or written"],
  [exitCodes.bug, "a bug in dsc: please report it"],
  [exitCodes.interrupted, "stopped by Ctrl-C; what was written is whole as far as it goes"],
];
