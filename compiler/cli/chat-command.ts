/** `dsc chat`: a conversation with a model, in a terminal or through a pipe. */
import { resolve } from "node:path";
import { type RandomSource, randomFromSeed } from "../../runtime/sampling/random.ts";
import { TextError } from "../../runtime/text/text-error.ts";
import { type Conversation, messagesOf, savedText, type Turn } from "./chat/conversation.ts";
import { type ChatCommand, chatCommands, readInput } from "./chat/read-input.ts";
import { type RememberingRunner, rememberingRunner } from "./chat/remembering-runner.ts";
import { noTotals, type Totals, totalsText, withAnswer } from "./chat/totals.ts";
import { type CommandLine, twoColumns } from "./command-line.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { type GenerationOptions, readGenerationOptions } from "./generation-options.ts";
import type { InputLines } from "./input-lines.ts";
import { interruptible, onInterrupt } from "./interrupt.ts";
import { openText, type TextFiles } from "./open-text.ts";
import { nameFrom } from "./project.ts";
import { unfitTokens } from "./read-tokens.ts";
import { type RunResult, runLoop } from "./run-loop.ts";
import { statisticsLine } from "./run-statistics.ts";
import { streamWriter } from "./stream-writer.ts";
import type { Surroundings } from "./surroundings.ts";
import { noTaps } from "./tap-names.ts";
import { reportFailure, type Terminal } from "./terminal.ts";
import { withRunner } from "./with-runner.ts";
import { writeResult } from "./write-file.ts";

export async function runChat(line: CommandLine, surroundings: Surroundings): Promise<ExitCode> {
  const { terminal } = surroundings;
  const options = readGenerationOptions(line, Number.POSITIVE_INFINITY);
  if (options instanceof Failure) return reportFailure(terminal, options);
  const loading = onInterrupt();
  try {
    return await withRunner(
      line,
      surroundings,
      {
        taps: noTaps,
        draft: options.draft,
        chunk: options.chunk,
        signal: loading.signal,
        prepare: (folder, config) => openChatText(folder, config, line, terminal.cwd),
      },
      async ({ runner, ready: text }) => {
        loading.release();
        const json = line.has("json");
        const chat = new Chat(
          { runner: rememberingRunner(runner), text, options, json, terminal },
          line.value("system"),
        );
        return chat.talk(terminal.lines("> "));
      },
    );
  } finally {
    loading.release();
  }
}

/** Before any weight is read. */
function openChatText(folder: string, config: string, line: CommandLine, cwd: string): TextFiles | Failure {
  const text = openText(folder, config, cwd, line.value("chat-template"));
  if (text instanceof Failure) return text;
  if (text.tokenizer === null)
    return new Failure(exitCodes.errorsFound, "there is no tokenizer.json beside the weights", "a chat needs one");
  if (text.templates().size === 0)
    return new Failure(
      exitCodes.errorsFound,
      "there is no chat template beside the weights",
      "--chat-template FILE.jinja gives one; `dsc run` goes on from any text",
    );
  return text;
}

interface ChatParts {
  readonly runner: RememberingRunner;
  readonly text: TextFiles;
  readonly options: GenerationOptions;
  readonly json: boolean;
  readonly terminal: Terminal;
}

class Chat {
  readonly #parts: ChatParts;
  readonly #random: RandomSource;
  #conversation: Conversation;
  #totals: Totals = noTotals;
  #failed = false;

  constructor(parts: ChatParts, system: string | null) {
    this.#parts = parts;
    this.#random = randomFromSeed(parts.options.seed);
    this.#conversation = { system, turns: [] };
  }

  /** To the end of the input. What fails there ends with its exit code; a person has seen it. */
  async talk(lines: InputLines): Promise<ExitCode> {
    const { terminal, json } = this.#parts;
    if (lines.typed && !json) terminal.error("/help lists commands, /quit leaves\n");
    try {
      for (;;) {
        const line = await lines.next();
        if (line.kind === "interrupted") return exitCodes.interrupted;
        if (line.kind === "end") break;
        const input = readInput(line.text, json);
        if (input.kind === "wrong") this.#complain(input.why);
        if (input.kind === "message") await this.#answer(input.text);
        if (input.kind !== "command") continue;
        if (input.command === "quit") break;
        this.#obey(input.command, input.rest);
      }
      return this.#failed && !lines.typed ? exitCodes.errorsFound : exitCodes.fine;
    } finally {
      lines.close();
    }
  }

  #complain(why: string): void {
    const { terminal, json } = this.#parts;
    this.#failed = true;
    if (json) terminal.out(`${JSON.stringify({ error: why })}\n`);
    else reportFailure(terminal, new Failure(exitCodes.errorsFound, why));
  }

  /** Said beside answers: it is no part of them. */
  #tell(text: string): void {
    this.#parts.terminal.error(`${text}\n`);
  }

  async #answer(question: string): Promise<void> {
    const { runner, text, options, json, terminal } = this.#parts;
    const prompt = this.#promptFor(question);
    if (prompt === null) return;
    if (prompt.length > runner.context) {
      const size = `the conversation has ${prompt.length} tokens, the model remembers ${runner.context}`;
      this.#complain(`${size}; /reset or /undo makes room`);
      return;
    }
    const show = json ? () => undefined : streamWriter(terminal, options.showReasoning);
    // A tokenizer of another model.
    const unfit = unfitTokens(prompt, runner);
    if (unfit !== null) {
      this.#complain(unfit.message);
      return;
    }
    const known = runner.keepFor(prompt);
    const result = await interruptible((signal) =>
      runLoop({
        ...{ runner, options, text, prompt, known, show, signal },
        random: this.#random,
        progress: terminal.progress,
      }),
    );
    this.#totals = withAnswer(this.#totals, result.statistics);
    this.#remember(question, result);
    if (json) terminal.out(`${JSON.stringify(answerObject(result))}\n`);
    else {
      terminal.out("\n");
      this.#tell(statisticsLine(result.statistics, result.stop));
    }
  }

  /** Null where the template or the tokenizer refuses, which is told. */
  #promptFor(question: string): readonly number[] | null {
    const { text, options } = this.#parts;
    try {
      const rendered = text.chat(messagesOf(this.#conversation, question), options.variables);
      return text.tokenizer?.encode(rendered) ?? null;
    } catch (error) {
      if (!(error instanceof TextError)) throw error;
      this.#complain(error.message);
      return null;
    }
  }

  /** An answer that was stopped before its first word leaves nothing behind, its question neither. */
  #remember(user: string, { answer, reasoning, stop }: RunResult): void {
    if (stop.kind === "interrupted" && (answer ?? "").trim() === "") {
      this.#tell("the question is taken back");
      return;
    }
    const turn: Turn = { user, answer: answer ?? "", reasoning };
    this.#conversation = { ...this.#conversation, turns: [...this.#conversation.turns, turn] };
  }

  #obey(command: Exclude<ChatCommand, "quit">, rest: string): void {
    const { runner, terminal } = this.#parts;
    const { system, turns } = this.#conversation;
    switch (command) {
      case "reset":
        this.#conversation = { system, turns: [] };
        return this.#tell("forgotten");
      case "undo":
        if (turns.length === 0) return this.#complain("nothing was said yet");
        this.#conversation = { system, turns: turns.slice(0, -1) };
        return this.#tell(`${turns.length - 1} turns are left`);
      case "system":
        this.#conversation = { system: rest === "" ? null : rest, turns };
        return this.#tell(rest === "" ? "no system text" : "the conversation begins with that from now on");
      case "save":
        return this.#save(rest);
      case "stats":
        return this.#tell(totalsText(this.#totals, runner.length(), runner.context));
      case "help":
        return terminal.error(
          twoColumns(
            Object.entries(chatCommands).map(([name, about]) => [`/${name}`, about]),
            terminal.columns,
          ),
        );
      default:
        return command satisfies never;
    }
  }

  #save(file: string): void {
    const { cwd } = this.#parts.terminal;
    if (file === "") return this.#complain("/save needs a file: /save chat.json");
    const path = resolve(cwd, file);
    const failure = writeResult(path, nameFrom(cwd, path), savedText(this.#conversation));
    if (failure === null) this.#tell(`${nameFrom(cwd, path)} has been written`);
    else this.#complain(failure.message);
  }
}

const answerObject = ({ answer, reasoning, ids, stop, statistics }: RunResult): object => ({
  ...{ answer, reasoning, ids, stop, statistics },
});
