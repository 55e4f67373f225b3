/** dsc itself, packed and installed into an empty folder, compiles there. Slow: npm fetches what dsc depends on. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../conformance/bind-text.ts";
import { mustRun, runCommand } from "./run-command.ts";
import { smallConfig } from "./small-config.ts";

const full = process.env["DSC_FULL"] === "1";

/** npm could not reach a registry, and had not everything in its cache. */
const offline = /ENOTCACHED|ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ENETUNREACH/;

describe.skipIf(!full)(`dsc in an empty folder${full ? "" : " (skipped: only in the full tests)"}`, () => {
  let folder = "";
  let why = "";
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "dsc-installed-"));
    const [packed] = JSON.parse(await packJson());
    const place = join(folder, "user");
    mkdirSync(place);
    writeFileSync(join(place, "package.json"), '{ "private": true, "type": "module" }');
    writeFileSync(join(place, "config.json"), smallConfig);
    const args = ["install", "--prefer-offline", "--no-audit", "--no-fund", join(folder, packed.filename)];
    const { code, error } = await runCommand("npm", args, { cwd: place });
    if (code !== 0 && offline.test(error)) why = error;
    else if (code !== 0) throw new Error(error);
  }, 300_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** With \`prepare\`, which builds; what a build prints stands before the list. */
  async function packJson(): Promise<string> {
    const out = await mustRun("npm", ["pack", "--json", "--pack-destination", folder], root);
    return out.slice(out.indexOf("[\n"));
  }

  test("npx dsc compile writes a package that runs", { timeout: 300_000 }, async ({ skip }) => {
    if (why !== "") skip(`npm has no way to the packages that dsc depends on: ${why}`);
    const place = join(folder, "user");
    const model = "node_modules/dsc/models/deepseek-llm.ds";
    const dsc = (...args: readonly string[]): Promise<string> => mustRun("npx", ["dsc", ...args], place);
    await dsc("compile", model, "--config", "config.json", "--out", "out");
    expect(existsSync(join(place, "out/kernels/simd.wasm"))).toBe(true);
    await dsc("tiny", model, "--config", "config.json", "--out", "twin");
    await dsc("compile", model, "--config", "twin/config.json", "--out", "out");
    const script = `
      import { facts, load } from "./out/index.js";
      const model = await load({ weights: "twin" });
      const logits = await model.session().forward([1, 2, 3]);
      console.log(logits.length === facts.vocabulary && logits.every(Number.isFinite));
      model.dispose();`;
    writeFileSync(join(place, "main.js"), script);
    expect(await mustRun("node", ["main.js"], place)).toBe("true\n");
  });
});
