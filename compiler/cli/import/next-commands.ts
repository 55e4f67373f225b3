/** Commands to go on with, as they can be pasted. */
import type { ImportReport } from "./report.ts";

type Facts = Pick<ImportReport, "folder" | "model" | "config" | "weights" | "tokenizer" | "templates">;

/** `usable`: the text describes the checkpoint, and is run on tokens alone. */
export function nextCommands(facts: Facts, usable: boolean): readonly string[] {
  const { folder, model, config, weights, tokenizer, templates } = facts;
  const [file, dir] = [quoted(model.file), quoted(folder)];
  const given = `--config ${quoted(`${folder}/${config}`)}`;
  if (!usable) return [`dsc check ${file} ${given}`];
  const params = `dsc params ${file} ${given}`;
  if (weights === null) return [params, `dsc tiny ${file} ${given} --out twin`];
  const run = tokenizer === null ? "--ids 1,2,3" : '--prompt "Once upon a time"';
  return [
    `dsc run ${file} --weights ${dir} ${run}`,
    ...(tokenizer === null || templates.length === 0 ? [] : [`dsc chat ${file} --weights ${dir} --backend wasm`]),
    `dsc compile ${file} ${given} --out package`,
    params,
  ];
}

/** For a shell, where it needs that. */
const quoted = (text: string): string => (/^[\w./@%+,:=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
