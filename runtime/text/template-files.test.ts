import { expect, test } from "vitest";
import { chooseTemplate, readTemplates } from "./template-files.ts";
import { TextError } from "./text-error.ts";

test("the file of its own goes first", () => {
  const config = JSON.stringify({ chat_template: "from the config" });
  expect(chooseTemplate(readTemplates({ config, jinja: "from the file" }))).toBe("from the file");
  expect(chooseTemplate(readTemplates({ config }))).toBe("from the config");
});

test("named templates, and the one for tools", () => {
  const list = [
    { name: "default", template: "plain" },
    { name: "tool_use", template: "tools" },
  ];
  const templates = readTemplates({ config: JSON.stringify({ chat_template: list }) });
  expect(chooseTemplate(templates)).toBe("plain");
  expect(chooseTemplate(templates, { withTools: true })).toBe("tools");
  expect(chooseTemplate(templates, { withTools: true, name: "default" })).toBe("plain");
  expect(() => chooseTemplate(templates, { name: "rag" })).toThrow(
    "no chat template `rag`; there is `default`, `tool_use`",
  );
});

test("no template is no error until one is chosen", () => {
  expect(readTemplates({}).size).toBe(0);
  expect(readTemplates({ config: "{}" }).size).toBe(0);
  expect(() => chooseTemplate(new Map())).toThrow("the files have none");
});

test.each([
  ["not JSON", "{", "tokenizer_config.json is not JSON"],
  ["a number", '{"chat_template": 1}', "$.chat_template: expected a list, found number"],
  ["an entry without a name", '{"chat_template": [{"template": ""}]}', "$.chat_template[0].name: expected a string"],
  ["no text", '{"chat_template": [{"name": "a"}]}', "$.chat_template[0].template: expected a string"],
  [
    "twice a name",
    '{"chat_template": [{"name": "a", "template": ""}, {"name": "a", "template": ""}]}',
    "$.chat_template[1].name: a second template",
  ],
])("%s", (_name, config, message) => {
  expect(() => readTemplates({ config })).toThrow(TextError);
  expect(() => readTemplates({ config })).toThrow(message);
});
