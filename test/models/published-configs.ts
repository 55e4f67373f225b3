/** The configs that DeepSeek has published, of which the shared inputs hold a copy. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../conformance/bind-text.ts";

/** A folder of NAME.json. */
export const configs = join(process.env["DSC_TEST_DATA"] ?? join(root, "../shared"), "architectures/configs");

/** Behind the name of tests that need them; empty where they are there. */
export const whyNoConfigs = existsSync(configs) ? "" : " (skipped: no published configs, set DSC_TEST_DATA)";

export const publishedConfig = (name: string): string => readFileSync(join(configs, `${name}.json`), "utf8");
