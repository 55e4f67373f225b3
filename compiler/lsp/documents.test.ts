import { expect, test } from "vitest";
import { TextDocument } from "vscode-languageserver-textdocument";
import { makeSource } from "../../dsl/diagnostics/source.ts";
import { OpenDocuments, offsetOf, pathOfUri, positionOf, uriOfPath } from "./documents.ts";

test.each([
  ["file:///home/a.ds", "/home/a.ds"],
  ["file:///home/my%20project%20%28old%29/a.ds", "/home/my project (old)/a.ds"],
  ["file:///home/my project/a.ds", "/home/my project/a.ds"],
  ["file:///c%3A/Users/me/a.ds", "c:/Users/me/a.ds"],
  ["file:///C:/Users/me/a.ds", "c:/Users/me/a.ds"],
  ["file://localhost/home/a.ds", "/home/a.ds"],
  ["file://server/share/a.ds", "//server/share/a.ds"],
  ["file:///home/gr%C3%B6%C3%9Fe%23%25.ds", "/home/größe#%.ds"],
])("%s is the path %s", (uri, path) => {
  expect(pathOfUri(uri)).toBe(path);
  expect(pathOfUri(uriOfPath(path))).toBe(path);
});

test("paths are escaped as editors escape them", () => {
  expect(uriOfPath("/home/my project (old)/a+b.ds")).toBe("file:///home/my%20project%20%28old%29/a%2Bb.ds");
  expect(uriOfPath("c:/a.ds")).toBe("file:///c%3A/a.ds");
  expect(uriOfPath("//server/share/a.ds")).toBe("file://server/share/a.ds");
});

test("an address that is escaped wrongly is taken as it stands", () => {
  expect(pathOfUri("file:///home/100%.ds")).toBe("/home/100%.ds");
});

test("unsaved texts have paths that meet nothing else", () => {
  expect(pathOfUri("untitled:Untitled-1")).not.toBe(pathOfUri("untitled:Untitled-2"));
});

test("the editor's spelling is kept for what it named and for what lies beside it", () => {
  const open = new OpenDocuments();
  open.put(TextDocument.create("file:///C:/my%20project/(a)/x.ds", "dsc", 1, ""));
  expect(open.uriOf("c:/my project/(a)/x.ds")).toBe("file:///C:/my%20project/(a)/x.ds");
  expect(open.uriOf("c:/my project/(a)/sub (b)/y.ds")).toBe("file:///C:/my%20project/(a)/sub%20%28b%29/y.ds");
  expect(open.uriOf("/elsewhere/z.ds")).toBe("file:///elsewhere/z.ds");
  open.drop("file:///C:/my%20project/(a)/x.ds");
  expect(open.uriOf("c:/my project/(a)/x.ds")).toBe("file:///C:/my%20project/(a)/x.ds");
});

test("positions count UTF-16 units, and lines end at any line break", () => {
  const source = makeSource("a.ds", "a 🙂 b\r\nc\rd\ne");
  expect(positionOf(source, 5)).toEqual({ line: 0, character: 5 });
  expect(source.text.slice(offsetOf(source, { line: 2, character: 0 }))).toBe("d\ne");
  expect(offsetOf(source, { line: 99, character: 0 })).toBe(source.text.length);
});
