/**
 * What this machine gives to WebAssembly, now: bytes read from memory far beyond the caches, and multiply-adds in registers, on
 * one thread and on several. Shares of a limit mean something only beside a limit of the same minute.
 */
import { Worker } from "node:worker_threads";
import { peakFlops, peakShapes, readShapes } from "../../../backends/wasm/probe-kernels.ts";
import { probeWorker } from "./probe-worker.ts";

export interface MachineLimits {
  readonly threads: number;
  /** Bytes a second, of the best of the ways tried. */
  readonly bytesPerSecond: number;
  /** Operations a second; a multiply-add is two. */
  readonly flopsPerSecond: number;
}

export interface Measuring {
  /** The probe kernels in a module over shared memory. */
  readonly module: Uint8Array;
  readonly threads: number;
  /** Of one measurement; there are three. */
  readonly seconds: number;
}

/** What one thread does: calls of a kernel, again and again until the time is over. */
export interface ProbeJob {
  readonly kernel: string;
  /** Work items of one call, and what follows: scratch, buffers, sizes. */
  readonly items: readonly [number, number];
  readonly rest: readonly number[];
  /** Bytes that are filled first, so that they are in memory: from, to. */
  readonly fill: readonly [number, number];
  /** Bytes or operations of one call. */
  readonly amount: number;
  readonly seconds: number;
}

const page = 65_536;
/** Far beyond the caches of any thread. */
const readBytes = 192 * 2 ** 20;
/** Elements of a row: no power of two, so that rows side by side fall into different cache sets. */
const rowLength = 4096 + 48;

export async function measureMachine({ module, threads, seconds }: Measuring): Promise<MachineLimits> {
  const rows = Math.floor(readBytes / threads / 4 / rowLength / 8) * 8;
  const block = rows * rowLength * 4;
  const start = (1 + threads) * page;
  const pages = Math.ceil((start + block * threads) / page);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const results = (thread: number): number => (1 + thread) * page; // where sums go: nobody reads them
  const compiled = await WebAssembly.compile(new Uint8Array(module));
  const run = (jobOf: (thread: number) => ProbeJob): Promise<number> => together({ compiled, memory, threads, jobOf });
  const reads: number[] = [];
  for (const shape of readShapes)
    reads.push(
      await run((thread) => ({
        kernel: `read_${shape}`,
        items: [0, rows / shape],
        rest: [results(thread), start + thread * block, results(thread), rows, rowLength],
        fill: [start + thread * block, start + (thread + 1) * block],
        amount: block,
        seconds,
      })),
    );
  const turns = 200_000;
  const peaks: number[] = [];
  for (const shape of peakShapes)
    peaks.push(
      await run((thread) => ({
        kernel: `peak_${shape}`,
        items: [0, 1],
        rest: [results(thread), start + thread * block, results(thread), turns, 1],
        fill: [start + thread * block, start + thread * block + 64],
        amount: peakFlops(shape, turns),
        seconds,
      })),
    );
  return { threads, bytesPerSecond: Math.max(...reads), flopsPerSecond: Math.max(...peaks) };
}

interface Together {
  readonly compiled: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly threads: number;
  readonly jobOf: (thread: number) => ProbeJob;
}

/** Amounts a second of all threads, which begin at the same moment. */
async function together({ compiled, memory, threads, jobOf }: Together): Promise<number> {
  const gate = new Int32Array(new SharedArrayBuffer(8));
  const rates = Array.from({ length: threads }, (_, thread) => {
    const workerData = { compiled, memory, gate, threads, job: jobOf(thread) };
    return rateOf(new Worker(probeWorker, { eval: true, workerData }));
  });
  return (await Promise.all(rates)).reduce((sum, rate) => sum + rate, 0);
}

function rateOf(worker: Worker): Promise<number> {
  return new Promise((resolve, reject) => {
    worker.once("message", (rate: number) => resolve(rate));
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`a worker has ended with ${code}`)));
  });
}
