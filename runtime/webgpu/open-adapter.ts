/** The adapter that a model is to be played on, and what can be said of it. */
import { NoAdapterError } from "../artifact/errors.ts";

/** `given`: a `GPU` of the specification; without it that of the page. Throws NoAdapterError. */
export async function openAdapter(given: object | undefined, power: GPUPowerPreference): Promise<OpenAdapter> {
  const gpu = given ?? Reflect.get(globalThis.navigator ?? {}, "gpu");
  if (!isGpu(gpu))
    throw new NoAdapterError(
      "there is no WebGPU here: in a page it takes https or localhost and a browser that has it, in Node `load({ gpu })` of the npm package webgpu",
    );
  const adapter = await gpu.requestAdapter({ powerPreference: power }).catch((cause: unknown) => {
    throw new NoAdapterError(`WebGPU gives no adapter: ${String(cause)}`);
  });
  if (adapter === null)
    throw new NoAdapterError("WebGPU gives no adapter: it finds no graphics driver, or none that it trusts");
  // Dawn has them as an object of its own, some browsers as a set, some not at all.
  const language: unknown = Reflect.get(gpu, "wgslLanguageFeatures");
  const names = isNames(language) ? [...language] : [];
  return { adapter, language: new Set(names) };
}

export interface OpenAdapter {
  readonly adapter: GPUAdapter;
  /** What the browser's WGSL has beyond the first version. */
  readonly language: ReadonlySet<string>;
}

const isGpu = (x: unknown): x is GPU =>
  typeof x === "object" && x !== null && typeof Reflect.get(x, "requestAdapter") === "function";
const isNames = (x: unknown): x is Iterable<string> =>
  typeof x === "object" && x !== null && typeof Reflect.get(x, Symbol.iterator) === "function";

/** "nvidia ampere", as far as it is told: Firefox tells nothing. */
export function adapterName({ info }: GPUAdapter): string {
  const { vendor = "", architecture = "", description = "" } = info ?? {};
  const words = [vendor, architecture, description].filter((w) => w !== "");
  return words.length === 0 ? "unnamed adapter" : words.join(" ");
}
