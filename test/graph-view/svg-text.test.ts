import fc from "fast-check";
import { expect, test } from "vitest";
import { cutText, faces, runLine, textWidth, wrapText } from "../../dsl/graph-view/svg-text.ts";
import { readXml, shownText } from "../cli/read-xml.ts";

const anyFace = fc.constantFrom(...Object.values(faces));
const anyText = fc.string({ unit: "binary", maxLength: 80 });

test("a cut text fits its width and begins as the whole one does", () => {
  fc.assert(
    fc.property(anyText, anyFace, fc.integer({ min: 0, max: 400 }), (text, face, width) => {
      const cut = cutText(text, face, width);
      expect(textWidth(cut, face)).toBeLessThanOrEqual(width);
    }),
  );
  expect(cutText("rms_norm", faces.code, 500)).toBe("rms_norm");
  expect(cutText("lightning_indexer", faces.code, 60)).toBe("lightni…");
  expect(cutText("name", faces.code, 3)).toBe("");
});

test("wrapped lines fit, keep every word, and are no more than allowed", () => {
  fc.assert(
    fc.property(
      anyText,
      anyFace,
      fc.integer({ min: 60, max: 300 }),
      fc.integer({ min: 1, max: 4 }),
      (text, face, width, most) => {
        const lines = wrapText(text, face, width, most);
        expect(lines.length).toBeLessThanOrEqual(most);
        for (const line of lines) expect(textWidth(line, face)).toBeLessThanOrEqual(width);
      },
    ),
  );
  expect(wrapText("名𐀀", faces.huge, 60, 2)).toEqual(["名", "𐀀"]);
  const text = "x: [T, D], pos: [T] in S -> y: [T, D]";
  const lines = wrapText(text, faces.code, 130, 9);
  expect(lines.length).toBeGreaterThan(1);
  expect(lines.join(" ")).toBe(text);
});

test("any name gives well-formed XML", () => {
  fc.assert(
    fc.property(anyText, anyText, fc.integer({ min: 30, max: 400 }), (a, b, width) => {
      const runs = [
        { text: a, face: faces.room, fill: "#000" },
        { text: b, face: faces.code, fill: "#000" },
      ];
      const line = runLine(1, 2, runs, 8, width);
      if (line !== "") readXml(line);
    }),
  );
  const line = runLine(0, 0, [{ text: `</text><script>"&'`, face: faces.room, fill: "#000" }], 0, 900);
  expect(shownText(readXml(line))).toBe(`</text><script>"&'`);
});

test("signs of unknown width are held to the room they were given", () => {
  const line = runLine(0, 0, [{ text: "ﷺ名", face: faces.room, fill: "#000" }], 0, 900);
  expect(line).toContain(`textLength="${(2 * 1.3 * 14).toFixed(1)}"`);
  expect(runLine(0, 0, [{ text: "norm", face: faces.room, fill: "#000" }], 0, 900)).not.toContain("textLength");
});
