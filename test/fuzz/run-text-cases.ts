/** Sends mutated tokenizer, template and generation files through `runtime/text/`: a `TextError` or a consistent answer. */
import { parseChatTemplate } from "../../runtime/text/chat-template.ts";
import { endOfTextIds } from "../../runtime/text/end-of-text.ts";
import { chooseTemplate, readTemplates } from "../../runtime/text/template-files.ts";
import { TextError } from "../../runtime/text/text-error.ts";
import { readTokenizer, type Tokenizer } from "../../runtime/text/tokenizer.ts";
import { byteLevelFile, pieceFile } from "../text/tiny-tokenizer.ts";
import { cpuTime } from "./cpu-time.ts";
import { mutatedJson } from "./mutate-json.ts";
import { type Random, seeded } from "./random.ts";
import { mutated } from "./texts.ts";

const tokenizers = [JSON.stringify(byteLevelFile), JSON.stringify(pieceFile)] as const;

const template =
  "{%- set ns = namespace(system='', first=true) -%}{%- for m in messages -%}{%- if m['role'] == 'system' -%}" +
  "{%- set ns.system = ns.system + m.content -%}{%- endif -%}{%- endfor -%}{{ bos_token }}{{ ns.system }}\n" +
  "{%- macro turn(m, tag='user') -%}<{{ tag }}>{{ m.content | trim }}{%- endmacro -%}" +
  "{%- for m in messages if m.role != 'system' -%}{%- if m.role == 'user' -%}{{ turn(m) }}{%- elif m.tool_calls -%}" +
  "{{ m.tool_calls | tojson(indent=2) }}{%- else -%}{{ turn(m, tag='assistant') + eos_token }}{%- endif -%}" +
  "{{ loop.index0 if not loop.last else '.' }}{%- endfor -%}{% if tools %}{{ tools | map(attribute='name') | join(', ') }}" +
  "{% endif %}{% for i in range(3) %}{{ 'a,b'.split(',')[i % 2] | upper }}{{ 'x'.replace('x', 'yy') }}{% endfor %}" +
  "{% if add_generation_prompt %}<assistant>{% endif %}";

const config = JSON.stringify({
  add_bos_token: true,
  add_eos_token: false,
  bos_token: { content: "<bos>", lstrip: false },
  eos_token: "<eos>",
  pad_token: "<eos>",
  unk_token: null,
  clean_up_tokenization_spaces: false,
  chat_template: [{ name: "default", template }],
});

const generation = JSON.stringify({ bos_token_id: 0, eos_token_id: [1, 106], temperature: 0.6, top_p: 0.95 });

const request = {
  messages: [
    { role: "system", content: "Be brief." },
    { role: "user", content: " ab <bos> é " },
    { role: "assistant", content: null, tool_calls: [{ function: { name: "f", arguments: { a: [1, "x"] } } }] },
    { role: "assistant", content: "done" },
  ],
  tools: [{ name: "f" }, { name: "g" }],
  addGenerationPrompt: true,
  bosToken: "<bos>",
  eosToken: "<eos>",
};

const texts = ["", "ab ab", " a1234b ", "<bos>é😀<user>", "ab,  \n\n!x▁", "\u0000\ufeff\ud800a"];

export interface TextOutcome {
  readonly accepted: number;
  readonly refused: number;
  readonly slowest: { readonly seed: number; readonly ms: number };
  readonly failures: readonly string[];
}

/** Seeds `from` to `from + count - 1`. */
export function runTextCases(from: number, count: number): TextOutcome {
  let [accepted, refused] = [0, 0];
  let slowest = { seed: from, ms: 0 };
  const failures: string[] = [];
  for (let seed = from; seed < from + count; seed += 1) {
    const started = cpuTime();
    try {
      runCase(seeded(seed));
      accepted += 1;
    } catch (error) {
      if (error instanceof TextError) refused += 1;
      else failures.push(`seed ${seed}: ${error instanceof Error ? error.stack : String(error)}`);
    }
    const ms = cpuTime() - started;
    if (ms > slowest.ms) slowest = { seed, ms };
  }
  return { accepted, refused, slowest, failures };
}

const change = (random: Random, text: string): string =>
  random.below(3) === 0 ? mutated(random, [text]) : mutatedJson(random, text);

function runCase(random: Random): void {
  switch (random.below(8)) {
    case 0:
      return checkEndIds(endOfTextIds({ generationConfig: change(random, generation), fallback: [7] }));
    case 1:
      return checkTokenizer(readTokenizer({ tokenizer: tokenizers[0], config: change(random, config) }));
    case 2:
      chooseTemplate(readTemplates({ config: change(random, config) }));
      return;
    case 3:
    case 4:
      checkText(parseChatTemplate(mutated(random, [template])).render(request));
      return;
    default:
      return checkTokenizer(readTokenizer({ tokenizer: change(random, random.pick(tokenizers)) }));
  }
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

function checkEndIds(ids: readonly number[]): void {
  check(ids.length > 0 && ids.every((id) => Number.isInteger(id) && id >= 0), `end-of-text ids ${ids.join()}`);
}

function checkText(text: unknown): void {
  check(typeof text === "string", "a rendered template is no text");
}

/** What holds of any tokenizer that was accepted. */
function checkTokenizer(tokenizer: Tokenizer): void {
  for (const text of texts) {
    const ids = tokenizer.encode(text);
    for (const id of ids) {
      check(id < tokenizer.vocabularySize && tokenizer.tokenOf(id) !== null, `the id ${id} has no token`);
    }
    const framed = tokenizer.encode(text, "as-configured");
    check(framed.length >= ids.length && framed.length <= ids.length + 64, "ids around a text");
    const decoder = tokenizer.newDecoder();
    const streamed = framed.map((id) => decoder.push(id)).join("") + decoder.end();
    check(streamed === tokenizer.decode(framed), "a stream is not the whole");
  }
}
