/** Generated text on a terminal: what the model writes to itself is dim, or left out. */
import type { StreamPiece } from "../../runtime/text/streams.ts";
import type { Terminal } from "./terminal.ts";

/** Text is written as it is, tags included; an answer without its reasoning begins where its first word does. */
export function streamWriter(terminal: Terminal, showReasoning: boolean): (piece: StreamPiece) => void {
  const dim = (text: string): string => (terminal.colour.out ? `\u001b[2m${text}\u001b[22m` : text);
  let hidden = false;
  return ({ stream, text }) => {
    if (stream !== "answer") {
      hidden = !showReasoning;
      if (showReasoning) terminal.out(dim(text));
      return;
    }
    const shown = hidden ? text.trimStart() : text;
    if (shown === "") return;
    hidden = false;
    terminal.out(shown);
  };
}
