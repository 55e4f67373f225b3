/**
 * Finds messages in a stream of bytes. The protocol library reads on from wherever a broken message ended and then never
 * finds another one; here, what is no header is skipped up to the next one that is.
 */
import { Transform } from "node:stream";

const headerEnd = Buffer.from("\r\n\r\n");

/** No message is larger: a length beyond it is a broken header, and waiting for so many bytes would be for ever. */
const largest = 256 * 1024 * 1024;

export function resynchronising(): Transform {
  let pending: Buffer = Buffer.alloc(0);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      for (;;) {
        const end = pending.indexOf(headerEnd);
        if (end < 0) break;
        const length = /Content-Length: *(\d+)/i.exec(pending.toString("latin1", 0, end))?.[1];
        const bodyStart = end + headerEnd.length;
        if (length === undefined || Number(length) > largest) {
          pending = pending.subarray(bodyStart);
          continue;
        }
        const bodyEnd = bodyStart + Number(length);
        if (pending.length < bodyEnd) break;
        this.push(`Content-Length: ${length}\r\n\r\n`);
        this.push(pending.subarray(bodyStart, bodyEnd));
        pending = pending.subarray(bodyEnd);
      }
      done();
    },
  });
}
