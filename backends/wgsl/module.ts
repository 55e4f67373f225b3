/**
 * A lowered kernel as a WGSL module with one entry point, named as the kernel. Group 0 has the bindings of bindings.ts and behind them
 * a uniform of i32: the sizes, then for each buffer the element where it starts in what is bound, then 0, and where long
 * loops end at the latest. What is bound is a multiple of 16 bytes.
 *
 * The kernel stands first, then the functions that it takes, of which most are the same in many kernels.
 *
 * A kernel of one lane is run by as many invocations of a workgroup as have room for its shared memory, an item each.
 */
import { type Elem, elems } from "../../compiler/kernel/elem.ts";
import { add, constant, div, mod, mul, name, sub } from "../../compiler/kernel/expr.ts";
import { groupsOf, isStaged, partsOf } from "../../compiler/kernel/joined.ts";
import {
  type Buffer,
  type Expr,
  type Kernel,
  type Part,
  type Shared,
  type Stmt,
  subgroupNames,
} from "../../compiler/kernel/kernel.ts";
import { FreshNames } from "../../compiler/kernel/lower/fresh-names.ts";
import { printExpr } from "../../compiler/kernel/print.ts";
import { verify } from "../../compiler/kernel/verify.ts";
import { exprsOf, someExpr, walkExpr, walkStmts } from "../../compiler/kernel/walk.ts";
import type { KernelTarget } from "../../compiler/target/kernel-target.ts";
import { inOneLine, writeStatements } from "../c-like/statements.ts";
import { Writer } from "../c-like/writer.ts";
import { accessesIn } from "./accesses.ts";
import { type Binding, bindingsOf, mostBindings } from "./bindings.ts";
import { fn } from "./codes.ts";
import { Expressions } from "./expressions.ts";
import { inlined } from "./inlined.ts";
import { WgslMemory } from "./memory.ts";
import { sharedPlaces } from "./places.ts";
import { Prelude, type WgslFunction } from "./prelude.ts";
import { Statements } from "./statements.ts";
import type { WgslVariant } from "./variant.ts";
import { WgslError } from "./wgsl-error.ts";

export interface WgslModule {
  /** `own`, then `functions`. */
  readonly text: string;
  readonly own: string;
  readonly functions: readonly WgslFunction[];
  readonly kernel: Kernel;
  readonly bindings: readonly Binding[];
  /** Work items of one workgroup. */
  readonly itemsInGroup: number;
  /** Features of a device that it takes. */
  readonly features: readonly ("shader-f16" | "subgroups")[];
  /** Of the WGSL that it is written in. */
  readonly language: readonly string[];
}

/** Invocations of a workgroup, for kernels that have one lane. */
const invocations = 64;

/** Throws `WgslError`. */
export function wgslModule(k: Kernel, target: KernelTarget, variant: WgslVariant): WgslModule {
  const problems = verify(k, target);
  if (problems.length > 0)
    throw new WgslError("invalid-kernel", k.name, problems.map((p) => `${p.rule}: ${p.message}`).join("; "));
  return new Spelling(k, target, variant).module();
}

class Spelling {
  readonly #k: Kernel;
  /** Its parts, or itself. */
  readonly #parts: readonly Kernel[];
  readonly #variant: WgslVariant;
  readonly #names: FreshNames;
  readonly #prelude: Prelude;
  readonly #bindings: readonly Binding[];
  /** By buffer and shared array; buffers of one binding have the same. */
  readonly #memories = new Map<string, WgslMemory>();
  /** Of buffers: the members of the uniform that say where they start. */
  readonly #members = new Map<string, string>();
  /** Where each buffer, and each shared array of a kernel of one lane, starts. */
  readonly #starts = new Map<string, string>();
  readonly #itemsInGroup: number;
  readonly #own: Readonly<Record<"item" | "zero" | "bound" | "index", string>>;
  /** Names of places that several loads and stores have in common. */
  readonly #places = new Set<string>();
  #usesZero = false;
  #usesBound = false;

  constructor(k: Kernel, target: KernelTarget, variant: WgslVariant) {
    this.#k = k;
    this.#parts = partsOf(k);
    this.#variant = variant;
    this.#names = new FreshNames(k);
    if (k.parts !== undefined) for (const part of this.#parts) this.#names.keep(part);
    this.#names.take(k.name);
    this.#prelude = new Prelude(this.#names);
    this.#own = {
      item: this.#names.take("item"),
      zero: this.#names.take("zero"),
      bound: this.#names.take("bound"),
      index: this.#names.take("index_in_group"),
    };
    const bytes = k.shared.reduce((n, s) => n + this.#room(s) * elems[s.elem].bytes, 0);
    this.#itemsInGroup = k.lanes > 1 || k.parts !== undefined ? 1 : itemsWithin(bytes, target.sharedBytes);
    const once = k.parts === undefined ? accessedOnce(k.body) : new Set<string>();
    for (const b of k.buffers) {
      const member = this.#names.take(`${b.name}_at`);
      this.#members.set(b.name, member);
      this.#starts.set(b.name, once.has(b.name) ? `size.${member}` : member);
    }
    if (k.lanes === 1) for (const s of k.shared) this.#starts.set(s.name, this.#names.take(`${s.name}_at`));
    const around = { prelude: this.#prelude, names: this.#names, variant, refuse: this.#refuse };
    const accesses = accessesIn(k);
    const declare = (members: readonly { readonly name: string; readonly elem: Elem }[]): void => {
      const [first] = members;
      if (first === undefined) return;
      const named = members.length === 1 ? first.name : this.#names.take(`several_${first.elem}`);
      const of = members.flatMap((m) => accesses.get(m.name) ?? []);
      const all = { loads: of.flatMap((a) => a.loads), stores: of.flatMap((a) => a.stores) };
      const memory = new WgslMemory({ name: named, elem: first.elem }, all, around);
      for (const m of members) this.#memories.set(m.name, memory);
    };
    this.#bindings = bindingsOf(k);
    if (this.#bindings.length > mostBindings)
      this.#refuse(`${this.#bindings.length} buffers that cannot share bindings`);
    for (const b of this.#bindings) declare(b.members);
    for (const s of this.#shared) declare([s]);
  }
  get #shared(): readonly Shared[] {
    return this.#parts.flatMap((part) => part.shared);
  }

  readonly #refuse = (why: string): never => {
    throw new WgslError("not-spelled", this.#k.name, why);
  };
  /** Elements that an item has of a shared array: a multiple of every access. */
  #room(s: Kernel["shared"][number]): number {
    return this.#k.lanes === 1 ? Math.ceil(s.size / 16) * 16 : s.size;
  }

  module(): WgslModule {
    const k = this.#k;
    const entry = this.#entry(); // says which functions it needs
    const subgroups = this.#usesSubgroups();
    const w = new Writer();
    if (this.#variant.f16 && this.#declaresF16()) w.line("enable f16;");
    if (subgroups) w.line("enable subgroups;");
    if (this.#variant.packedDot && usesProducts(k)) w.line("requires packed_4x8_integer_dot_product;");
    if (this.#uses("subgroup_id")) w.line("requires subgroup_id;");
    w.line(`// ${inOneLine(k.source)}`);
    w.line("");
    this.#declarations(w);
    const features = [
      ...(this.#variant.f16 && this.#declaresF16() ? (["shader-f16"] as const) : []),
      ...(subgroups ? (["subgroups"] as const) : []),
    ];
    const language = [
      ...(this.#variant.packedDot && usesProducts(k) ? ["packed_4x8_integer_dot_product"] : []),
      ...(this.#uses("subgroup_id") ? ["subgroup_id"] : []),
    ];
    const own = `${w.text()}\n${entry}`;
    const { functions } = this.#prelude;
    const text = [own, ...functions.map((f) => `${f.text}\n`)].join("\n");
    const [bindings, itemsInGroup] = [this.#bindings, this.#itemsInGroup];
    return { text, own, functions, kernel: k, bindings, itemsInGroup, features, language };
  }

  #declaresF16(): boolean {
    return [...this.#memories.values()].some((m) => m.element.includes("f16")) || usesElem(this.#k, "f16");
  }
  #has(is: (e: Expr) => boolean): boolean {
    return this.#parts.some((part) => someIn(part.body, is));
  }
  #uses(builtin: string): boolean {
    return this.#has((e) => e.kind === "name" && e.name === builtin);
  }
  #usesSubgroups(): boolean {
    let reduces = false;
    for (const part of this.#parts)
      walkStmts(part.body, (s) => {
        if (s.kind === "reduce" && part.lanes > 1) reduces = true;
      });
    return reduces || subgroupNames.some((n) => this.#uses(n));
  }

  #declarations(w: Writer): void {
    const k = this.#k;
    const { zero, bound } = this.#own;
    const behind = this.#usesBound ? [zero, bound] : this.#usesZero ? [zero] : [];
    const members = [...k.sizes.map((s) => s.name), ...this.#members.values(), ...behind];
    const sizes = this.#names.take("Sizes");
    w.line(`struct ${sizes} {`);
    for (const m of members) w.line(`\t${m}: i32,`);
    w.line("}");
    for (const [i, { members, written }] of this.#bindings.entries()) {
      const memory = this.#memories.get(members[0]?.name ?? "");
      const each = members.map((b) => `${members.length === 1 ? "" : `${b.name}: `}${b.elem}[${extentText(b)}]`);
      const access = written ? "read_write" : "read";
      const variable = `var<storage, ${access}> ${memory?.name}: array<${memory?.element}>;`;
      w.line(`@group(0) @binding(${i}) ${variable} // ${each.join(", ")}`);
    }
    w.line(`@group(0) @binding(${this.#bindings.length}) var<uniform> size: ${sizes};`);
    for (const s of this.#shared) {
      const memory = this.#memories.get(s.name);
      const elements = Math.ceil(this.#room(s) / (memory?.perElement ?? 1)) * this.#itemsInGroup;
      w.line(`var<workgroup> ${s.name}: array<${memory?.element ?? "u32"}, ${elements}>;`);
    }
  }

  #zero(): string {
    this.#usesZero = true;
    return `size.${this.#own.zero}`;
  }
  #bound(): string {
    this.#usesBound = true;
    return `size.${this.#own.bound}`;
  }

  #entry(): string {
    const k = this.#k;
    const own = (what: string): string => this.#names.take(what);
    const { index } = this.#own;
    const place = own("place");
    const inputs = [`${place}: ${this.#place()}`, `@builtin(local_invocation_index) ${index}: u32`];
    const builtin = {
      subgroup_size: "subgroup_size",
      subgroup_lane: "subgroup_invocation_id",
      subgroup_id: "subgroup_id",
    };
    const given = subgroupNames.filter((n) => this.#uses(n)).map((n) => ({ n, as: own(`${n}_of`), is: builtin[n] }));
    for (const { as, is } of given) inputs.push(`@builtin(${is}) ${as}: u32`);
    const w = new Writer();
    w.line(`@compute @workgroup_size(${k.lanes === 1 ? this.#itemsInGroup : k.lanes})`);
    w.block(`fn ${k.name}(${inputs.join(", ")})`, () => {
      const { item } = this.#own;
      const at = `${this.#groupOf()}(${place})`;
      w.line(`let ${item} = ${this.#itemsInGroup === 1 ? at : `${at} * ${this.#itemsInGroup} + i32(${index})`};`);
      if (k.lanes > 1) w.line(`let lane = i32(${index});`); // no name of a kernel
      for (const { n, as } of given) w.line(`let ${n} = i32(${as});`);
      if (k.parts === undefined) {
        const spelled = this.#spelled(k);
        w.line(`if (${item} >= ${spelled.expr(allItems(k))}) { return; }`);
        this.#body(w, k, spelled, name(item));
        return;
      }
      this.#bindStarts(w);
      if (isStaged(k)) this.#stages(w, k.parts, index);
      else this.#sides(w, index);
    });
    return w.text();
  }
  /** Of a workgroup, the same for all that are in it: a member that is not would make all of them count as not uniform. */
  #place(): string {
    return this.#prelude.fn("Place", (n) =>
      [
        `struct ${n} {`,
        "\t@builtin(workgroup_id) group: vec3u,",
        "\t@builtin(num_workgroups) groups: vec3u,",
        "}",
      ].join("\n"),
    );
  }
  #groupOf(): string {
    const type = this.#place();
    return this.#prelude.fn("group_of", (n) =>
      fn(`${n}(at: ${type}) -> i32`, [
        "// Workgroups beyond the most of one dimension go on in the next.",
        "return i32(at.group.x + at.group.y * at.groups.x);",
      ]),
    );
  }
  #spelled(part: Kernel): Statements {
    const { knownWork } = this.#variant;
    const hidden = { knownWork, zero: () => this.#zero(), bound: () => this.#bound() };
    return new Statements(part, this.#names, hidden, this.#expressions(part));
  }

  /** As names, where they are asked for more than once. */
  #bindStarts(w: Writer): void {
    for (const [buffer, member] of this.#members)
      if (this.#starts.get(buffer) === member) w.line(`let ${member} = size.${member};`);
  }

  /** Of one work item. */
  #body(w: Writer, part: Kernel, spelled: Statements, item: Expr): void {
    let before: Expr = constant(1);
    for (const [i, axis] of part.grid.entries()) {
      const rest = div(item, before);
      w.line(`let ${axis.name} = ${spelled.expr(i === part.grid.length - 1 ? rest : mod(rest, axis.extent))};`);
      before = mul(before, axis.extent);
    }
    if (this.#k.parts === undefined) {
      this.#bindStarts(w);
      if (part.lanes === 1)
        for (const s of part.shared)
          w.line(`let ${this.#starts.get(s.name)} = i32(${this.#own.index}) * ${this.#room(s)};`);
    }
    const buffers = new Map(part.buffers.map((b) => [b.name, b]));
    const { body, names } = sharedPlaces(inlined(part.body), {
      perElement: (memory, type) => this.#memories.get(memory)?.perValue(type) ?? null,
      place: (memory, index, piece) => this.#placeIn(buffers, memory, index, piece),
      take: (base) => this.#names.take(base),
    });
    for (const n of names) this.#places.add(n);
    writeStatements(w, body, spelled);
  }

  /** Parts side by side: each has groups of its own. */
  #sides(w: Writer, index: string): void {
    const { item: group } = this.#own;
    let first: Expr = constant(0);
    for (const [i, part] of this.#parts.entries()) {
      const spelled = this.#spelled(part);
      const own = this.#k.parts?.[i];
      if (own === undefined) continue;
      const next = add(first, groupsOf(this.#k, own));
      const item = this.#names.take("own_item");
      w.block(`if (${spelled.expr(first)} <= ${group} && ${group} < ${spelled.expr(next)})`, () => {
        const ahead = spelled.expr(sub(name(group), first));
        if (part.lanes > 1) {
          w.line(`let ${item} = ${ahead};`);
          return this.#body(w, part, spelled, name(item));
        }
        w.line(`let ${item} = (${ahead}) * ${this.#k.lanes} + i32(${index});`);
        w.block(`if (${item} < ${spelled.expr(allItems(part))})`, () => this.#body(w, part, spelled, name(item)));
      });
      first = next;
    }
  }

  /** One group goes through all items, and meets between stages. */
  #stages(w: Writer, parts: readonly Part[], index: string): void {
    const meets = (): void => {
      w.line("storageBarrier();");
      w.line("workgroupBarrier();");
    };
    const last = Math.max(...parts.map((p) => p.stage));
    for (let stage = 0; stage <= last; stage += 1) {
      if (stage > 0) meets();
      for (const [i, part] of this.#parts.entries()) {
        if (parts[i]?.stage !== stage) continue;
        const spelled = this.#spelled(part);
        const item = this.#names.take("own_item");
        const items = allItems(part);
        const body = (): void => {
          this.#body(w, part, spelled, name(item));
          if (part.lanes > 1) meets();
        };
        const [from, step] = part.lanes > 1 ? ["0", 1] : [`i32(${index})`, this.#k.lanes];
        // Where all is done in one turn there is no loop: drivers take longer over meetings in one.
        if (items.kind !== "const" || items.value > step) {
          w.block(`for (var ${item} = ${from}; ${item} < ${spelled.expr(items)}; ${item} += ${step})`, body);
          continue;
        }
        w.line(`let ${item} = ${from};`);
        if (part.lanes > 1 && items.value === 1) body();
        else w.block(`if (${item} < ${items.value})`, body);
      }
    }
  }

  /** Where an index is in what the memory is declared as, in elems. */
  #placeIn(buffers: ReadonlyMap<string, Buffer>, memory: string, index: Expr, piece: Expr | undefined): Expr {
    if (someExpr(index, (e) => e.kind === "name" && this.#places.has(e.name))) return index;
    const buffer = buffers.get(memory);
    const inAll = piece === undefined || buffer === undefined ? index : add(mul(piece, buffer.extent), index);
    const start = this.#starts.get(memory);
    return start === undefined ? inAll : add(name(start), inAll);
  }

  #expressions(k: Kernel): (register: (name: string, index: Expr) => string) => Expressions {
    const sizes = new Set(k.sizes.map((s) => s.name));
    const buffers = new Map(k.buffers.map((b) => [b.name, b]));
    for (const s of this.#k.sizes) sizes.add(s.name);
    return (register) =>
      new Expressions({
        prelude: this.#prelude,
        variant: this.#variant,
        refuse: this.#refuse,
        named: (n) => (sizes.has(n) ? `size.${n}` : n === "lane" && k.lanes === 1 ? "0" : n),
        memory: (n) => this.#memories.get(n) ?? null,
        place: (memory, index, piece) => this.#placeIn(buffers, memory, index, piece),
        register,
        zero: () => this.#zero(),
      });
  }
}

/** Memories that one statement outside of loops loads from or stores to, once. */
function accessedOnce(body: readonly Stmt[]): ReadonlySet<string> {
  const times = new Map<string, number>();
  const visit = (all: readonly Stmt[], weight: number): void => {
    const count = (memory: string): void => {
      times.set(memory, (times.get(memory) ?? 0) + weight);
    };
    for (const s of all) {
      if (s.kind === "store") count(s.to);
      for (const e of exprsOf(s))
        walkExpr(e, (x) => {
          if (x.kind === "load") count(x.from);
        });
      if (s.kind === "loop" || s.kind === "if") visit(s.body, s.kind === "loop" ? 2 : weight);
    }
  };
  visit(body, 1);
  return new Set([...times].filter(([, n]) => n === 1).map(([memory]) => memory));
}

/** As many items as have room, at most `invocations` of them; a power of two. */
function itemsWithin(bytes: number, most: number): number {
  let items = invocations;
  while (items > 1 && items * bytes > most) items /= 2;
  return items;
}

const extentText = ({ extent, pieces }: Buffer): string =>
  `${pieces === undefined ? "" : `${printExpr(pieces)}; `}${printExpr(extent)}`;

function someIn(body: readonly Stmt[], is: (e: Expr) => boolean): boolean {
  let found = false;
  walkStmts(body, (s) => {
    if (exprsOf(s).some((e) => someExpr(e, is))) found = true;
  });
  return found;
}
/** Whether it computes with values of an elem, or moves them. */
export const usesElem = (k: Kernel, elem: string): boolean =>
  partsOf(k).some((part) => someIn(part.body, (e) => e.type.elem === elem));
/** Whether it sums products of four numbers of 8 bits at once. */
export const usesProducts = (k: Kernel): boolean =>
  partsOf(k).some((part) => someIn(part.body, (e) => e.kind === "dot" && e.group === 4));
const allItems = (k: Kernel): Expr => k.grid.reduce<Expr>((n, g) => mul(n, g.extent), constant(1));
