/** What `program.json` says for WebGPU, read without trust: how kernels are bound, and which files have their texts. */
import { elemBytes } from "./elems.ts";
import type { GpuKernel, KernelBuffer, KernelVariant } from "./program.ts";
import { type At, corrupt, count, list, member, text, word } from "./read-value.ts";

/** Storage buffers of a stage, and invocations of a workgroup, by the default limits. */
const mostBindings = 8;
const mostItems = 256;

/** Every buffer has one binding; those that share one are read, and of one elem size. */
export function readGpuKernel(at: At, buffers: readonly KernelBuffer[]): GpuKernel {
  const bound = new Set<number>();
  const bindings = list(member(at, "bindings"), mostBindings, (binding) => {
    const members = list(binding, buffers.length, (one) => {
      const number = count(one, buffers.length - 1);
      if (bound.has(number)) throw corrupt(one.path, `buffer ${number} is bound twice`);
      bound.add(number);
      return number;
    });
    if (members.length === 0) throw corrupt(binding.path, "nothing is bound");
    const of = members.flatMap((i) => buffers[i] ?? []);
    if (of.length > 1 && of.some((b) => b.access !== "read")) throw corrupt(binding.path, "what is written is shared");
    if (new Set(of.map((b) => elemBytes[b.elem])).size > 1) throw corrupt(binding.path, "elements of several sizes");
    return members;
  });
  if (bound.size !== buffers.length)
    throw corrupt(`${at.path}.bindings`, `${bound.size} of ${buffers.length} buffers are bound`);
  return { bindings, itemsInGroup: count(member(at, "itemsInGroup"), mostItems, 1) };
}

/** Names of files stay inside of the package. */
const fileName = /^kernels\/[a-z0-9][a-z0-9-]*\.wgsl$/;

export function readVariants(at: At): readonly KernelVariant[] {
  const variants = list(at, 16, (one): KernelVariant => {
    const file = text(member(one, "file"), 256);
    if (!fileName.test(file)) throw corrupt(`${one.path}.file`, `${JSON.stringify(file)} is no file of kernels`);
    return {
      file,
      features: list(member(one, "features"), 2, (a) => word(a, ["shader-f16", "subgroups"])),
      language: list(member(one, "language"), 16, (a) => text(a, 64)),
    };
  });
  const last = variants.at(-1);
  if (last === undefined) throw corrupt(at.path, "there is none");
  if (last.features.length + last.language.length > 0)
    throw corrupt(at.path, "the last one takes what is not everywhere");
  if (new Set(variants.map((v) => v.file)).size < variants.length) throw corrupt(at.path, "two are one file");
  return variants;
}
