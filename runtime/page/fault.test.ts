import { expect, test } from "vitest";
import { CacheError, OutOfMemoryError } from "../artifact/errors.ts";
import { WeightsError } from "../formats/weights-error.ts";
import { faultOf, wasCancelled } from "./fault.ts";
import { remedyOf } from "./remedies.ts";

test("an error goes by its code, and each has its remedy", () => {
  const absent = faultOf(new WeightsError({ code: "not-found", file: "a", message: "the server has no such file" }));
  expect(absent).toEqual({ name: "WeightsError", code: "not-found", message: "a: the server has no such file" });
  expect(remedyOf(absent)).toContain("ends with /");
  expect(remedyOf(faultOf(new OutOfMemoryError("the context", 10, 5)))).toContain("smaller context");
  const elsewhere = faultOf(new WeightsError({ code: "read-failed", file: "a", message: "no answer came" }));
  expect(remedyOf(elsewhere)).toContain("CORS");
  const full = faultOf(new CacheError("full", "no room"));
  expect(full.code).toBe("cache-full");
  expect(remedyOf(full)).toContain("remove others");
  expect(remedyOf(faultOf(new TypeError("?")))).toBe("Load the weights again.");
  expect(faultOf("text")).toEqual({ name: "Error", code: "", message: "text" });
});

test("what was cancelled is no fault of anything", () => {
  const abort = new AbortController();
  abort.abort();
  expect(wasCancelled(faultOf(abort.signal.reason))).toBe(true);
  expect(wasCancelled(faultOf(new Error("AbortError")))).toBe(false);
});
