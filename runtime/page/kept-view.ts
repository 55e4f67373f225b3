/** The checkpoints that this site keeps on the device. */
import { byId, element } from "./dom.ts";
import type { Kept } from "./protocol.ts";
import { bytesText } from "./words.ts";

export interface KeptActions {
  readonly load: (url: string) => void;
  readonly remove: (url: string) => Promise<void>;
}

export function showKept({ checkpoints, room }: Kept, { load, remove }: KeptActions): void {
  byId("kept", HTMLElement).hidden = checkpoints.length === 0;
  byId("room", HTMLParagraphElement).textContent =
    room === null ? "" : `The browser lets this site keep ${bytesText(room.most)}; ${bytesText(room.used)} are taken.`;
  const items = checkpoints.map(({ url, kept, size }) => {
    const part = kept >= size ? bytesText(kept) : `${Math.floor((100 * kept) / size)} % of ${bytesText(size)}`;
    const name = element("span", { className: "name", text: url });
    name.append(element("span", { className: "hint", text: part }));
    const loads = element("button", { text: "Load" });
    loads.type = "button";
    loads.setAttribute("aria-label", `Load ${url}`);
    loads.addEventListener("click", () => load(url));
    const removes = element("button", { className: "quiet", text: "Remove" });
    removes.type = "button";
    removes.setAttribute("aria-label", `Remove ${url}`);
    removes.addEventListener("click", async () => {
      removes.disabled = true;
      await remove(url);
      removes.disabled = false;
    });
    const item = element("li");
    item.append(name, loads, removes);
    return item;
  });
  byId("kept-list", HTMLUListElement).replaceChildren(...items);
}
