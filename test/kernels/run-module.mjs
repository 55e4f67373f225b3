// Plain JavaScript, for whatever Node it is started with: reads calls of modules as JSON, writes what their buffers hold after them.
let text = "";
for await (const part of process.stdin) text += part;
const bytesOf = (base64) => new Uint8Array(Buffer.from(base64, "base64"));
const results = [];
for (const { module, shared, name, buffers, sizes, items, scratch } of JSON.parse(text)) {
  const memory = new WebAssembly.Memory({ initial: 256, maximum: 256, shared });
  const { instance } = await WebAssembly.instantiate(bytesOf(module), { env: { memory } });
  let top = 65_536;
  const reserve = (bytes) => {
    const at = top;
    top = Math.ceil((at + bytes) / 64) * 64;
    return at;
  };
  const scratchAt = reserve(scratch);
  const contents = buffers.map(bytesOf);
  const at = contents.map((bytes) => reserve(bytes.length));
  const all = new Uint8Array(memory.buffer);
  for (const [i, bytes] of contents.entries()) all.set(bytes, at[i]);
  instance.exports[name](0, items, scratchAt, ...at, ...sizes);
  results.push(contents.map((bytes, i) => Buffer.from(all.slice(at[i], at[i] + bytes.length)).toString("base64")));
}
process.stdout.write(JSON.stringify(results));
