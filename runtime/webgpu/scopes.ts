/** What a device finds wrong with what it is asked for. */
import { KernelError } from "../artifact/errors.ts";

const kinds = ["validation", "out-of-memory", "internal"] as const;

/** Does something on the device; `checked` throws KernelError where it was wrong. */
export function inScopes<T>(
  device: GPUDevice,
  what: string,
  work: () => T,
): { readonly value: T; readonly checked: Promise<void> } {
  for (const kind of kinds) device.pushErrorScope(kind);
  let scopes: readonly Promise<GPUError | null>[] = [];
  let value: T;
  try {
    value = work();
  } finally {
    scopes = kinds.map(() => device.popErrorScope());
    for (const scope of scopes) scope.catch(() => undefined);
  }
  const checked = Promise.all(scopes).then((errors) => {
    const found = errors.find((error) => error !== null);
    if (found !== undefined && found !== null) throw new KernelError(`${what}: ${found.message}`);
  });
  checked.catch(() => undefined); // whoever waits for it is told
  return { value, checked };
}
