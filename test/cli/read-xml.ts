/** A strict reader of the little XML that a picture is: it throws where a browser's XML parser would. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly (XmlElement | string)[];
}

const entities = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["#39", "'"],
]);

function decode(text: string): string {
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    const allowed = code === 9 || code === 10 || (code >= 0x20 && code !== 0xfffe && code !== 0xffff);
    if (!allowed || (code >= 0xd800 && code < 0xe000)) throw new Error(`U+${code.toString(16)} may not stand in XML`);
  }
  if (text.includes("<")) throw new Error("`<` in text");
  return text.replace(/&([^;]*);?/g, (whole, name: string) => {
    const char = entities.get(name);
    if (char === undefined || !whole.endsWith(";")) throw new Error(`bad entity ${whole}`);
    return char;
  });
}

export function readXml(text: string): XmlElement {
  interface Open {
    readonly name: string;
    readonly attributes: Map<string, string>;
    readonly children: (XmlElement | string)[];
  }
  const document: Open = { name: "", attributes: new Map(), children: [] };
  const stack = [document];
  const tag = /<(\/?)([A-Za-z][\w:-]*)((?:\s+[\w:-]+="[^"]*")*)\s*(\/?)>/y;
  for (let at = 0; at < text.length; ) {
    const top = stack.at(-1) ?? document;
    const next = text.indexOf("<", at);
    if (next !== at) {
      top.children.push(decode(text.slice(at, next < 0 ? text.length : next)));
      at = next < 0 ? text.length : next;
      continue;
    }
    tag.lastIndex = at;
    const found = tag.exec(text);
    if (found === null) throw new Error(`bad tag at ${at}: ${text.slice(at, at + 80)}`);
    const [whole, slash, name = "", list = "", empty] = found;
    at += whole.length;
    if (slash === "/") {
      if (stack.length < 2 || top.name !== name) throw new Error(`</${name}> closes <${top.name}>`);
      stack.pop();
      continue;
    }
    const element: Open = { name, attributes: new Map(), children: [] };
    for (const [, key = "", value = ""] of list.matchAll(/([\w:-]+)="([^"]*)"/g)) {
      if (element.attributes.has(key)) throw new Error(`${key} is given twice`);
      element.attributes.set(key, decode(value));
    }
    top.children.push(element);
    if (empty !== "/") stack.push(element);
  }
  const roots = document.children.filter((child) => typeof child !== "string");
  const [root] = roots;
  if (stack.length !== 1 || root === undefined || roots.length !== 1) throw new Error("not one closed root element");
  return root;
}

export function* allElements(element: XmlElement): Generator<XmlElement> {
  yield element;
  for (const child of element.children) if (typeof child !== "string") yield* allElements(child);
}

/** All text below an element, hints left out. */
export function shownText(element: XmlElement): string {
  return element.children
    .map((child) => (typeof child === "string" ? child : child.name === "title" ? "" : shownText(child)))
    .join("");
}
