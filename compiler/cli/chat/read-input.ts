/** What a line of a chat means: a message, or a command. */
import { closest } from "../../../dsl/diagnostics/suggest.ts";

export const chatCommands = {
  reset: "forgets what was said; the system text stays",
  undo: "takes the last question and its answer back",
  system: "TEXT: what the conversation begins with; without a text nothing",
  save: "FILE: writes the conversation as JSON",
  stats: "how much was said and computed",
  help: "these commands; a message that begins with / is written with //",
  quit: "leaves, as the end of the input does",
} as const;

export type ChatCommand = keyof typeof chatCommands;

export type ChatInput =
  | { readonly kind: "message"; readonly text: string }
  | { readonly kind: "command"; readonly command: ChatCommand; readonly rest: string }
  | { readonly kind: "nothing" }
  | { readonly kind: "wrong"; readonly why: string };

const isCommand = (name: string): name is ChatCommand => Object.hasOwn(chatCommands, name);

/** `json`: a line that begins with `{` is an object with the message as its `content`, which may have several lines. */
export function readInput(line: string, json: boolean): ChatInput {
  const text = line.trim();
  if (text === "") return { kind: "nothing" };
  if (json && text.startsWith("{")) return readObject(text);
  if (text.startsWith("//")) return { kind: "message", text: text.slice(1) };
  if (!text.startsWith("/")) return { kind: "message", text };
  const [, name = "", rest = ""] = /^\/(\S*)\s*(.*)$/s.exec(text) ?? [];
  if (isCommand(name)) return { kind: "command", command: name, rest };
  const near = closest(name, Object.keys(chatCommands));
  return {
    kind: "wrong",
    why: `there is no command /${name}; ${near === null ? "/help lists them" : `did you mean /${near}?`}`,
  };
}

function readObject(text: string): ChatInput {
  try {
    const value: unknown = JSON.parse(text);
    const content = typeof value === "object" && value !== null && "content" in value ? value.content : null;
    if (typeof content === "string") return { kind: "message", text: content };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return { kind: "wrong", why: 'expected an object with a text as its content: {"content": "…"}' };
}
