/**
 * The texts of a package: all kernels for any adapter in `plain.wgsl`, and beside it for each set of features what is different with
 * it of those that have another text. The plan is one for all: what an adapter has changes how kernels are lowered and what their memory is.
 */
import type { Emitted, PackageTarget } from "../../compiler/driver/package-target.ts";
import { InternalError } from "../../compiler/graph/internal-error.ts";
import type { Kernel } from "../../compiler/kernel/kernel.ts";
import { lower } from "../../compiler/kernel/lower/lower.ts";
import { checksText, kernelChecks } from "../../compiler/package/kernel-checks.ts";
import type { KernelTarget } from "../../compiler/target/kernel-target.ts";
import type { KernelDecl, KernelVariant } from "../../runtime/artifact/program.ts";
import { plainFile, variantFile } from "./kernel-files.ts";
import { usesElem, usesProducts, type WgslModule, wgslModule } from "./module.ts";
import { startAtVectors } from "./starts.ts";
import { webgpuSubgroupsTarget, webgpuTarget } from "./target.ts";
import { plainVariant } from "./variant.ts";

interface Order {
  readonly name: string;
  readonly target: KernelTarget;
  readonly f16: boolean;
  /** Products of numbers of 8 bits, four at once. */
  readonly packed: boolean;
}
const plain: Order = { name: "plain", target: webgpuTarget, f16: false, packed: false };
const unpacked: readonly Order[] = [
  { ...plain, name: "f16-subgroups", target: webgpuSubgroupsTarget, f16: true },
  { ...plain, name: "subgroups", target: webgpuSubgroupsTarget },
  { ...plain, name: "f16", f16: true },
];
/** The best first; what an adapter does not have, or does wrong, is left out from the left. */
const others: readonly Order[] = [
  ...unpacked.map((o): Order => ({ ...o, name: `${o.name}-packed`, packed: true })),
  { ...plain, name: "packed", packed: true },
  ...unpacked,
];

/** Throws `WgslError`. */
export const wgslFiles: PackageTarget["emit"] = async ({ program, kernels, scheduled }): Promise<Emitted> => {
  const whole = startAtVectors(program, kernels);
  /** By what of an order makes a difference to a kernel. */
  const known = new Map<string, Map<Kernel, WgslModule>>();
  const module = (k: Kernel, i: number, { target, f16, packed }: Order): WgslModule => {
    const own = { f16: f16 && usesElem(k, "f16"), packedDot: packed && usesProducts(k) };
    const id = `${target.name} ${own.f16} ${own.packedDot}`;
    const made = known.get(id) ?? new Map<Kernel, WgslModule>();
    const variant = { ...plainVariant, ...own, wholeVectors: whole[i] === true };
    const m = made.get(k) ?? wgslModule(lower(k, target), target, variant);
    known.set(id, made.set(k, m));
    return m;
  };
  const base = scheduled.map((k, i) => module(k, i, plain));
  const decls = program.kernels.map((decl, i): KernelDecl => ({ ...decl, gpu: gpuOf(base[i]) }));
  const orders = scheduled.some(usesProducts) ? others : unpacked;
  const found = orders.flatMap((order) => {
    const own = scheduled.flatMap((k, i) => {
      if (!mayDiffer(k, order)) return [];
      const m = module(k, i, order);
      checkSame(m, base[i]);
      return m.text === base[i]?.text ? [] : [m];
    });
    return own.length === 0 ? [] : [written(order.name, own, variantFile(own, base))];
  });
  // Where no kernel holds f16, for one, that variant is another one under a plainer name.
  const different = found.filter((v, i) => found.findLastIndex((w) => w.content === v.content) === i);
  const files = [...different, written(plain.name, base, plainFile(base))];
  const variants = files.map(
    ({ name, features, language }): KernelVariant => ({ file: `kernels/${name}`, features, language }),
  );
  const checks = { name: "checks.json", content: checksText(kernelChecks(kernels, decls)) };
  return {
    program: { ...program, kernels: decls, target: "webgpu", variants },
    modules: [...files.map(({ name, content }) => ({ name, content })), checks],
    texts: [],
  };
};

/** Lanes that reduce do so in another way, what holds f16 keeps it in another way, products are another word; spelling the others is in vain. */
const mayDiffer = (k: Kernel, { target, f16, packed }: Order): boolean =>
  (target.subgroup !== null && k.lanes > 1) || (f16 && usesElem(k, "f16")) || (packed && usesProducts(k));

function written(name: string, modules: readonly WgslModule[], content: string) {
  const features = [...new Set(modules.flatMap((m) => m.features))].sort();
  const language = [...new Set(modules.flatMap((m) => m.language))].sort();
  return { name: `${name}.wgsl`, features, language, content };
}

function gpuOf(m: WgslModule | undefined): NonNullable<KernelDecl["gpu"]> {
  if (m === undefined) throw new InternalError("a kernel without a module");
  const numbers = new Map(m.kernel.buffers.map((b, i) => [b.name, i]));
  const bindings = m.bindings.map(({ members }) => members.map((b) => numbers.get(b.name) ?? -1));
  return { bindings, itemsInGroup: m.itemsInGroup };
}

/** All variants are called alike. */
function checkSame(m: WgslModule, base: WgslModule | undefined): void {
  const [own, others] = [m, base].map((x) => JSON.stringify(gpuOf(x)));
  if (own !== others) throw new InternalError(`${m.kernel.name} is bound in two ways`);
}
