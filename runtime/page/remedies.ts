/** What a person can do about what went wrong. */
import type { Fault } from "./fault.ts";

const damaged =
  "The file is cut off or damaged. Download it again; if it comes from a server, what is kept of it can be removed below.";
const again = "Load the weights again.";

/** By code. */
const remedies: Readonly<Record<string, string>> = {
  "not-found":
    "Check the address. That of a folder ends with / and the folder holds model.safetensors, or model.safetensors.index.json and its parts.",
  "missing-shard":
    "A part of the checkpoint is missing: choose all of its files, or complete the folder on the server.",
  "bad-response":
    "The server has to answer requests for ranges of bytes; for a page of another origin it also has to allow that and to expose Content-Range and ETag (CORS). You can download the files and choose them here instead.",
  "read-failed":
    "Check the address and the connection and load again: what has arrived is kept where that was asked for. A server of another origin also has to allow this page to ask (CORS).",
  "cannot-read": "Check the connection, and that the server has the whole package, then load again.",
  "short-read": damaged,
  "file-changed": "The file has changed while it was read. Load again.",
  "past-end": damaged,
  "file-too-small": damaged,
  "header-past-end": damaged,
  "header-too-large": "This is no safetensors file. Choose the checkpoint's .safetensors files.",
  "bad-json": "This is no safetensors file, or a damaged one.",
  "bad-header": "This is no safetensors file, or a damaged one.",
  "unknown-format": "Weights are read from .safetensors files.",
  "weights-mismatch":
    "These are the weights of another model, or of another size of it. Choose those that this package was compiled for, or compile it with their config.json.",
  "weight-value": damaged,
  "out-of-memory": "Close other tabs, or load with a smaller context (Options).",
  "context-length": "Start anew, or load the weights with a larger context (Options), as far as the model has one.",
  "no-tokenizer": "Choose tokenizer.json together with the weights, or put it beside them on the server.",
  "bad-option": "Correct it and try again.",
  "no-draft": "Set drafts to none in the settings.",
  "corrupt-package": "Reload the page without the browser's cache; if that does not help, compile the package again.",
  version: "Reload the page without the browser's cache; if that does not help, compile the package again.",
  "thread-failed": "Load the weights again, with one thread (Options).",
  "kernel-failed": `${again} If it happens again, it is a fault of dsc.`,
  "worker-died": `The browser has ended it, most likely for want of memory. Close other tabs, then load again with a smaller context (Options).`,
  "no-adapter":
    "This browser gives the page no GPU. Use one with WebGPU, allow it hardware acceleration, or use the same model compiled for wasm.",
  "gpu-fallback":
    "The model works, slowly. Allow the browser hardware acceleration, or use the same model compiled for wasm.",
  "gpu-refused":
    "The model works with other kernels, perhaps more slowly. The checks show which are right on this device.",
  "gpu-limit": "Load with a smaller context (Options), or use the same model compiled for wasm.",
  "device-lost":
    "The GPU was taken away: by its driver, by another program, or for taking too long. Load the weights again.",
  "cache-no-storage":
    "The model works; the next visit has to download the weights again. Private windows and pages without https keep nothing.",
  "cache-no-version": "The model works; the next visit has to download the weights again.",
  "cache-full":
    "The model works. To keep all of its weights, remove others or free space on the disk, then load again.",
  "cache-in-use": "Unload the weights here and in other tabs of this site, then remove them.",
  "cache-not-written": "The model works; the next visit has to download some of the weights again.",
};

export const remedyOf = ({ code }: Fault): string => remedies[code] ?? again;
