/** A slip as a person makes it: one change in one line of a file that is right, and what must be said about it. */
export interface Slip {
  readonly file: string;
  /** Text that occurs first in the line that is changed. */
  readonly line: string;
  readonly find: string;
  readonly replace: string;
  readonly code: string;
  /** The text under the primary label; where it is not given, the label stands in the changed line. */
  readonly at?: string;
}

type Row = readonly [line: string, find: string, replace: string, code: string, at?: string];

export const slipsOf = (file: string, rows: readonly Row[]): readonly Slip[] =>
  rows.map(([line, find, replace, code, at]) => ({
    file,
    line,
    find,
    replace,
    code,
    ...(at === undefined ? {} : { at }),
  }));
