/** Lines of standard input, one when it is asked for: from a person with an editable line, else from a file or a pipe. */
import { createInterface } from "node:readline";

export type InputLine =
  | { readonly kind: "line"; readonly text: string }
  | { readonly kind: "end" }
  /** Ctrl-C in a line that is being typed. */
  | { readonly kind: "interrupted" };

export interface InputLines {
  /** Whether a person types them. */
  readonly typed: boolean;
  readonly next: () => Promise<InputLine>;
  readonly close: () => void;
}

export const inputLines = ({ stdin, stdout }: NodeJS.Process, prompt: string): InputLines =>
  stdin.isTTY === true && stdout.isTTY === true ? typedLines(stdin, stdout, prompt) : pipedLines(stdin);

/** An editor a line: while an answer is written there is none, so that Ctrl-C is a signal again. */
function typedLines(stdin: NodeJS.ReadStream, stdout: NodeJS.WriteStream, prompt: string): InputLines {
  let history: string[] = [];
  const next = (): Promise<InputLine> =>
    new Promise((resolve) => {
      const editor = createInterface({ input: stdin, output: stdout, history, prompt });
      let result: InputLine = { kind: "end" };
      editor.on("history", (lines: string[]) => {
        history = [...lines];
      });
      editor.on("line", (text) => {
        result = { kind: "line", text };
        editor.close();
      });
      editor.on("SIGINT", () => {
        result = { kind: "interrupted" };
        editor.close();
      });
      editor.on("close", () => {
        if (result.kind !== "line") stdout.write("\n");
        resolve(result);
      });
      editor.prompt();
    });
  return { typed: true, next, close: () => undefined };
}

function pipedLines(stdin: NodeJS.ReadStream): InputLines {
  const reader = createInterface({ input: stdin, terminal: false, crlfDelay: Number.POSITIVE_INFINITY });
  const lines = reader[Symbol.asyncIterator]();
  return {
    typed: false,
    next: async () => {
      const { done, value } = await lines.next();
      return done === true ? { kind: "end" } : { kind: "line", text: value };
    },
    close: () => {
      reader.close();
      stdin.destroy();
    },
  };
}
