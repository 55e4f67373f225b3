/** What was said: a system text, and turns of a question and its answer. */
import type { ChatMessage } from "../../../runtime/text/chat-template.ts";

export interface Turn {
  readonly user: string;
  /** What goes back into the conversation; reasoning does not. */
  readonly answer: string;
  readonly reasoning: string | null;
}

export interface Conversation {
  readonly system: string | null;
  readonly turns: readonly Turn[];
}

/** As a chat template reads it, up to a new question. */
export const messagesOf = ({ system, turns }: Conversation, question: string): readonly ChatMessage[] => [
  ...(system === null ? [] : [{ role: "system", content: system }]),
  ...turns.flatMap(({ user, answer }) => [
    { role: "user", content: user },
    { role: "assistant", content: answer },
  ]),
  { role: "user", content: question },
];

/** As it is saved. */
export function savedText({ system, turns }: Conversation): string {
  const messages = [
    ...(system === null ? [] : [{ role: "system", content: system }]),
    ...turns.flatMap(({ user, answer, reasoning }) => [
      { role: "user", content: user },
      { role: "assistant", content: answer, ...(reasoning === null ? {} : { reasoning }) },
    ]),
  ];
  return `${JSON.stringify({ messages }, null, 2)}\n`;
}
