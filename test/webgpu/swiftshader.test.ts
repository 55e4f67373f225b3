/** Dawn with SwiftShader: no f16, subgroups of 4, indices beyond a buffer are those of its last element. */
import { afterAll } from "vitest";
import { conform } from "./conform.ts";
import { openSwiftshader } from "./drivers.ts";

const gpu = await openSwiftshader();
afterAll(() => (typeof gpu === "string" ? undefined : gpu.close()));
conform("SwiftShader", { gpu, flushes: true, share: { operations: 2, cases: 2, rows: 14 }, first: 3 });
