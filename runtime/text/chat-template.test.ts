import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type ChatRequest, type JsonValue, parseChatTemplate } from "./chat-template.ts";
import { TextError } from "./text-error.ts";

const render = (text: string, request: Partial<ChatRequest> = {}): string =>
  parseChatTemplate(text).render({ messages: [], ...request });

function refusal(run: () => unknown): TextError {
  try {
    run();
  } catch (error) {
    if (error instanceof TextError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

interface Cases {
  readonly templates: Readonly<Record<string, string>>;
  readonly bos: string;
  readonly eos: string;
  readonly inputs: Readonly<Record<string, Readonly<Record<string, JsonValue>>>>;
  readonly expected: readonly { readonly template: string; readonly input: string; readonly text: string }[];
}

const folder = process.env["DSC_TEST_DATA"];
const path = folder === undefined ? undefined : join(folder, "data/chat-templates/cases.json");
const cases: Cases | undefined =
  path !== undefined && existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;

describe.skipIf(cases === undefined)("published templates (skipped without DSC_TEST_DATA)", () => {
  test("all 16 recorded cases", () => {
    expect(cases?.expected).toHaveLength(16);
  });

  test.each(cases?.expected ?? [])("$template, $input", ({ template, input, text }) => {
    const { messages, tools, add_generation_prompt, ...variables } = cases?.inputs[input] ?? {};
    const request: ChatRequest = {
      messages: messages as ChatRequest["messages"],
      ...(tools === undefined ? {} : { tools: tools as readonly JsonValue[] }),
      addGenerationPrompt: add_generation_prompt === true,
      bosToken: cases?.bos ?? "",
      eosToken: cases?.eos ?? "",
      variables,
    };
    expect(parseChatTemplate(cases?.templates[template] ?? "").render(request)).toBe(text);
  });
});

describe("what a template sees", () => {
  test("messages, tokens, variables, and tools as none when there are none", () => {
    const text =
      "{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m['content'] }}{{ eos_token }}{% endfor %}" +
      "{% if tools is none %}no tools{% endif %}{% if thinking %}!{% endif %}{% if add_generation_prompt %}>{% endif %}";
    const messages = [{ role: "user", content: "hé" }];
    expect(
      render(text, {
        messages,
        bosToken: "<s>",
        eosToken: "</s>",
        variables: { thinking: true },
        addGenerationPrompt: true,
      }),
    ).toBe("<s>[user]hé</s>no tools!>");
    expect(render("{{ tools | length }}", { tools: [{ a: 1 }] })).toBe("1");
  });

  test("no clock unless one is handed in", () => {
    expect(render("{{ strftime_now is defined }}")).toBe("false");
    expect(render("{{ strftime_now('%Y') }}", { strftimeNow: (format) => `<${format}>` })).toBe("<%Y>");
  });

  test("range as Python's", () => {
    const text = "{% for i in range(3) %}{{ i }}{% endfor %} {{ range(5, 1, -2) }} {{ range(2, 4) }} {{ range(0) }}";
    expect(render(text)).toBe("012 [5, 3] [2, 3] []");
  });

  test("growing operations still work, with operands evaluated once", () => {
    expect(render("{{ 'a-b-c'.replace('-', '+') }}")).toBe("a+b+c");
    expect(render("{{ 'a-b-c' | replace('-', '+', count=1) }}")).toBe("a+b-c");
    expect(render("{{ 'a-b-c'['replace']('-', '') }}")).toBe("abc");
    expect(render("{% filter replace('x', 'y') %}axb{% endfilter %}")).toBe("ayb");
    expect(render("{{ ['a', 'b'] | join('/') }}{{ 'abc' | join('.') }}{{ [1, 2] | join }}")).toBe("a/ba.b.c12");
    expect(render("{{ 'a\\nb' | indent(2) }}{{ 'a\\nb' | indent(width=1, first=true) }}")).toBe("a\n  b a\n b");
    expect(render("{{ {'a': [1, 'é']} | tojson }} {{ [1] | tojson(indent=2) }}")).toBe('{"a": [1, "é"]} [\n  1\n]');
    expect(render("{{ 'a b  c'.split() | length }}{{ 'a,b'.split(',')[1] }}")).toBe("3b");
    expect(render("{% set a = ['x', 'y'] %}{{ 'wxw'.replace(*a) }}")).toBe("wyw");
    expect(render("{% for x in [1, 2, 3] if x > 1 %}{{ loop.index }}:{{ x }} {% endfor %}")).toBe("1:2 2:3 ");
    expect(render("{% for x in [1, 2, 3] %}{% if x == 2 %}{% break %}{% endif %}{{ x }}{% endfor %}.")).toBe("1.");
    expect(render("{% macro m(a, b='-') %}{{ a }}{{ b }}{% endmacro %}{{ m('x') }}{{ m('y', b='z') }}")).toBe("x-yz");
  });
});

describe("what a template may not do", () => {
  test.each([
    ["an endless recursion", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "too-deep"],
    [
      "loops in loops",
      "{% for a in range(1000) %}{% for b in range(1000) %}{% for c in range(1000) %}{% endfor %}{% endfor %}{% endfor %}",
      "too-large",
    ],
    [
      "loops that break at once",
      "{% for a in range(100000) %}{% for b in range(100000) %}{% break %}{% endfor %}{% endfor %}",
      "too-large",
    ],
    [
      "loops over a list at hand that break at once",
      "{% set r = range(100000) %}{% for a in r %}{% for b in r %}{% break %}{% endfor %}{% endfor %}",
      "too-large",
    ],
    [
      "a list that grows by a namespace in it",
      "{% set n = namespace(s='x') %}{% set l = [n] %}{{ l | length }}" +
        "{% for i in range(21) %}{% set n.s = n.s + n.s %}{% endfor %}{% set k = [l, l, l] %}",
      "too-large",
    ],
    ["a long range", "{{ range(10000000000) }}", "too-large"],
    ["a range of halves", "{{ range(0.5) }}", "render"],
    [
      "a text that doubles",
      "{% set n = namespace(s='x') %}{% for i in range(40) %}{% set n.s = n.s + n.s %}{% endfor %}{{ n.s }}",
      "too-large",
    ],
    [
      "a list that doubles",
      "{% set n = namespace(s=[1]) %}{% for i in range(40) %}{% set n.s = n.s + n.s %}{% endfor %}",
      "too-large",
    ],
    [
      "a list that holds itself twice, and so on",
      "{% set n = namespace(s=[1]) %}{% for i in range(40) %}{% set n.s = [n.s, n.s] %}{% endfor %}{{ n.s }}",
      "too-large",
    ],
    ["a namespace that holds itself", "{% set n = namespace() %}{% set n.s = n %}{{ n }}", "too-deep"],
    [
      "a replacement that multiplies",
      "{% set n = namespace(s='x') %}{% for i in range(20) %}{% set n.s = n.s + n.s %}{% endfor %}{{ n.s.replace('x', n.s) }}",
      "too-large",
    ],
    [
      "a separator that multiplies",
      "{% set n = namespace(s='x') %}{% for i in range(20) %}{% set n.s = n.s + n.s %}{% endfor %}{{ n.s | join(n.s) }}",
      "too-large",
    ],
    ["a wide indent", "{{ 'a\\nb' | indent(500000000) }}", "too-large"],
    ["wide JSON", "{{ [[1]] | tojson(indent=500000000) }}", "too-large"],
    ["a method kept for later", "{% set f = 'x'.replace %}{{ f('x', 'y') }}", "unsupported"],
    ["refuses", "{{ raise_exception('roles must alternate') }}", "raised"],
    ["an unknown filter", "{{ 'a' | nothing }}", "render"],
    ["the first of nothing", "{{ [] | first }}", "render"],
    ["a missing operand", "{{ missing + 1 }}", "render"],
  ])("%s", (_name, text, code) => {
    expect(refusal(() => render(text)).code).toBe(code);
  });

  test("the message of raise_exception is the template's", () => {
    expect(refusal(() => render("{{ raise_exception('roles must alternate') }}")).message).toBe("roles must alternate");
  });

  test("long templates, long blanks, odd requests", () => {
    expect(refusal(() => parseChatTemplate("x".repeat(2 ** 18 + 1))).code).toBe("too-large");
    expect(refusal(() => parseChatTemplate(" ".repeat(1001))).code).toBe("too-large");
    expect(refusal(() => render("", { variables: { namespace: 1 } })).code).toBe("shape");
    expect(refusal(() => render("", { variables: { f: (() => 1) as unknown as JsonValue } })).code).toBe("shape");
    let deep: JsonValue = [];
    for (let i = 0; i < 5000; i += 1) deep = [deep];
    expect(refusal(() => render("", { variables: { deep } })).code).toBe("too-deep");
    expect(refusal(() => parseChatTemplate(`{{ ${"(".repeat(100_000)} }}`)).code).toBe("syntax");
  });
});

describe("lines of syntax errors", () => {
  test.each([
    ["a wrong character", "one\ntwo\n{{ a § b }}\nfour", 3],
    ["a wrong character at the end of a line", "one\n{{ a §\n }}", 2],
    ["an unknown statement", "one\n{% unknown %}\nthree", 2],
    ["a missing operand", "one\n\n{{ 'x' + }}\nfour", 3],
    ["a block that does not end", "{% if a %}\ntext\n", 2],
    ["an end without a beginning", "{% if a %}\n{% endif %}\n{{ 'q\\'uo' }}\n{% endfor %}\nmore", 4],
    ["a text that does not end", "one\n{{ 'abc }}\n", 2],
  ])("%s", (_name, text, line) => {
    const error = refusal(() => parseChatTemplate(text));
    expect(error.code).toBe("syntax");
    expect(error.line).toBe(line);
  });
});
