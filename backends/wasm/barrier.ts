/**
 * The barrier between threads that run parts of a kernel's items, as the function `barrier(control, count, spins)`: returns when `count`
 * threads have called it; what each wrote before, all may read after. At `control`, a multiple of 4, are two words of the shared memory
 * that start as 0, 64 bytes apart so that polling one does not slow the other: how many have arrived, and the generation,
 * which the last one to arrive raises. The others read it `spins` times, then sleep until it changes; with spins < 0 they only read
 * it, since the main thread of a browser may not sleep.
 */
import type { Binaryen, Module, Ref } from "./binaryen.ts";

export const barrierName = "barrier";
const generationAt = 64;

/** Adds the function to a module of shared memory and exports it. */
export function addBarrier(wasm: Binaryen, m: Module): void {
  const { i32 } = m;
  const local = (index: number) => (): Ref => m.local.get(index, wasm.i32);
  const [control, count, spins, before] = [local(0), local(1), local(2), local(3)];
  const generation = (): Ref => i32.atomic.load(generationAt, control());
  const isLast = i32.eq(i32.add(i32.atomic.rmw.add(0, control(), i32.const(1)), i32.const(1)), count());
  const release = m.block(null, [
    i32.atomic.store(0, control(), i32.const(0)), // before the others may come again
    m.drop(i32.atomic.rmw.add(generationAt, control(), i32.const(1))),
    m.drop(m.memory.atomic.notify(i32.add(control(), i32.const(generationAt)), i32.const(-1))),
    m.return(),
  ]);
  const sleep = m.drop(m.memory.atomic.wait32(i32.add(control(), i32.const(generationAt)), before(), m.i64.const(-1n)));
  const countDown = m.local.set(2, i32.sub(spins(), i32.const(1)));
  const poll = m.loop(
    "poll",
    m.block(null, [
      m.if(i32.ne(generation(), before()), m.return()),
      // Sleeping ends where the generation has changed already, so that no wakening is missed.
      m.if(spins(), m.if(i32.gt_s(spins(), i32.const(0)), countDown), sleep),
      m.br("poll"),
    ]),
  );
  const body = m.block(null, [m.local.set(3, generation()), m.if(isLast, release), poll]);
  const made = m.addFunction(barrierName, wasm.createType([wasm.i32, wasm.i32, wasm.i32]), wasm.none, [wasm.i32], body);
  for (const [i, n] of ["control", "count", "spins", "before"].entries()) wasm.Function.setLocalName(made, i, n);
  m.addFunctionExport(barrierName, barrierName);
}
