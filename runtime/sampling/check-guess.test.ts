/** The rule that takes a guess or another token, over all that chance can say: what comes out is distributed as p, to the last bit. */
import { describe, expect, test } from "vitest";
import type { Weighed } from "./candidates.ts";
import { type Checked, checkGuess, type Guess, newChoices } from "./check-guess.ts";
import { randomFromSeed } from "./random.ts";

type Rule = (model: Weighed, guess: Guess, random: { readonly nextFraction: () => number }) => Checked;

/** Whole numbers in the place of probabilities; ids without a weight are left out. */
function weighed(counts: readonly number[]): Weighed {
  const ids = Int32Array.from(counts.flatMap((n, id) => (n > 0 ? [id] : [])));
  const weights = Float64Array.from(ids, (id) => counts[id] ?? 0);
  return { ids, weights, total: weights.reduce((a, b) => a + b, 0) };
}

/** All that can be drawn: fractions in the middle of `grain` equal parts, which no weight cuts, twice. */
function* draws(grain: number): Generator<{ readonly nextFraction: () => number }> {
  for (let a = 0; a < grain; a += 1)
    for (let b = 0; b < grain; b += 1) {
      const left = [a, b];
      yield {
        nextFraction: () => {
          const next = left.shift();
          if (next === undefined) throw new Error("more than two fractions are drawn");
          return (next + 0.5) / grain;
        },
      };
    }
}

/** Shares of what comes out, exact, where the guess is drawn from q. */
function outcome(rule: Rule, p: readonly number[], q: readonly number[], grain: number): readonly number[] {
  const [model, from] = [weighed(p), weighed(q)];
  const found = p.map(() => 0);
  for (const [id, weight] of q.entries()) {
    if (weight === 0) continue;
    for (const random of draws(grain)) {
      const out = rule(model, { id, from }, random).id;
      found[out] = (found[out] ?? 0) + weight / from.total / grain ** 2;
    }
  }
  return found;
}

const share = (counts: readonly number[]): readonly number[] => {
  const total = counts.reduce((a, b) => a + b, 0);
  return counts.map((n) => n / total);
};

/** p and q of twelfths: the thresholds p / q and the rests then fall between the draws of a grain that all of them divide. */
function* pairs(): Generator<readonly [readonly number[], readonly number[]]> {
  const parts = [
    [6, 4, 2],
    [3, 3, 6],
    [0, 12, 0],
    [12, 0, 0],
    [4, 0, 8],
    [1, 1, 10],
    [0, 6, 6],
    [4, 4, 4],
    [2, 3, 7],
  ];
  for (const p of parts) for (const q of parts) yield [p, q];
}
const grain = (p: readonly number[], q: readonly number[]): number => {
  const rest = p.reduce((sum, n, i) => sum + Math.max(0, n - (q[i] ?? 0)), 0);
  const factors = [...q, rest].filter((n) => n > 0);
  const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
  return factors.reduce((a, b) => (a * b) / gcd(a, b), 1);
};

const off = (rule: Rule): number => {
  let most = 0;
  for (const [p, q] of pairs()) {
    const want = share(p);
    for (const [id, found] of outcome(rule, p, q, grain(p, q)).entries())
      most = Math.max(most, Math.abs(found - (want[id] ?? 0)));
  }
  return most;
};

describe("a guess that was drawn from q", () => {
  test("comes out as p, whatever q is", () => {
    expect(off(checkGuess)).toBeLessThan(1e-12);
  });

  test("comes out as p where it was not drawn", () => {
    for (const [p] of pairs())
      for (const id of [0, 1, 2]) {
        const rest = p.reduce((sum, n, i) => sum + (i === id ? 0 : n), 0);
        const parts = 12 * Math.max(1, rest);
        const found = p.map(() => 0);
        for (const random of draws(parts)) {
          const out = checkGuess(weighed(p), { id, from: null }, random).id;
          found[out] = (found[out] ?? 0) + 1 / parts ** 2;
        }
        for (const [i, want] of share(p).entries()) expect(found[i]).toBeCloseTo(want, 10);
      }
  });

  test("is taken as often as it can be: the shares that p and q have in common", () => {
    for (const [p, q] of pairs()) {
      let taken = 0;
      const parts = grain(p, q);
      for (const [id, weight] of q.entries())
        if (weight > 0)
          for (const random of draws(parts))
            if (checkGuess(weighed(p), { id, from: weighed(q) }, random).accepted)
              taken += (share(q)[id] ?? Number.NaN) / parts ** 2;
      expect(taken).toBeCloseTo(
        share(p).reduce((sum, x, i) => sum + Math.min(x, share(q)[i] ?? 0), 0),
        10,
      );
    }
  });

  const shareOf = ({ ids, weights, total }: Weighed, id: number): number => (weights[ids.indexOf(id)] ?? 0) / total;
  /** The rule with another way to draw in the place of what is refused. */
  const refusing =
    (draw: (model: Weighed, from: Weighed, fraction: number) => number): Rule =>
    (model, guess, random) => {
      const from = guess.from ?? model;
      const accepted = random.nextFraction() * shareOf(from, guess.id) < shareOf(model, guess.id);
      return { id: accepted ? guess.id : draw(model, from, random.nextFraction()), accepted };
    };
  const firstBeyond = (model: Weighed, weight: (id: number) => number, fraction: number): number => {
    let left = fraction;
    for (const id of model.ids) {
      left -= weight(id);
      if (left < 0) return id;
    }
    return model.ids.at(-1) ?? 0;
  };
  test.each<[string, Rule]>([
    ["takes every guess", (_, { id }) => ({ id, accepted: true })],
    ["draws from p instead", refusing((model, _, u) => firstBeyond(model, (id) => shareOf(model, id), u))],
    [
      "does not normalise what is left",
      refusing((model, from, u) => firstBeyond(model, (id) => Math.max(0, shareOf(model, id) - shareOf(from, id)), u)),
    ],
    [
      "compares the wrong way round",
      (model, { id, from }, random) => {
        const other = from ?? model;
        return checkGuess(other, { id, from: model }, random);
      },
    ],
  ])("a mutant that %s is caught", (_, rule) => {
    expect(off(rule)).toBeGreaterThan(0.05);
  });
});

describe("with the options of sampling", () => {
  const random = randomFromSeed(3);
  const logits = Array.from({ length: 8 }, (_, i) => ((i * 5) % 8) - 4);
  test("temperature 0 takes the best token and draws nothing", () => {
    const { guess, check } = newChoices(random, { temperature: 0 });
    const before = random.state();
    const best = logits.indexOf(Math.max(...logits));
    expect(guess(logits, [])?.id).toBe(best);
    const other = logits.map((x) => -x);
    expect(check(other, { id: best, from: null }, [])).toEqual({ id: 0, accepted: false });
    expect(check(logits, { id: best, from: null }, [])).toEqual({ id: best, accepted: true });
    expect(random.state()).toEqual(before);
  });
  test("what they leave out is never accepted", () => {
    const { check } = newChoices(random, { topK: 3 });
    for (let i = 0; i < 100; i += 1) {
      const { id, accepted } = check(logits, { id: 0, from: null }, []);
      expect([accepted, (logits[id] ?? 0) >= 1]).toEqual([false, true]);
    }
  });
  test("the penalty is for drafts too", () => {
    const { check } = newChoices(random, { temperature: 0, repetitionPenalty: 100 });
    const best = logits.indexOf(3);
    expect(check(logits, { id: best, from: null }, []).accepted).toBe(true);
    expect(check(logits, { id: best, from: null }, [best])).toEqual({ id: logits.indexOf(2), accepted: false });
  });
  test("logits that leave nothing are no guess, and an error of the model", () => {
    const { guess, check } = newChoices(random, {});
    const bad = logits.map(() => Number.NaN);
    expect(guess(bad, [])).toBeNull();
    expect(() => check(bad, { id: 0, from: null }, [])).toThrow(/not a number/);
  });
});
