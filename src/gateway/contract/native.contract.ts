/**
 * What a gateway relies on of its native server, one test per promise. Run on the native server itself and on its twin in
 * virtual time: the twin is honest only as far as this suite goes.
 */
import type { Test } from "tap";
import type { Clock } from "../../lib/clock.js";
import { sendBody } from "../http/sending.js";
import { headText, type NativeApp } from "../native.js";
import { nativeSocketContract, throws } from "./sockets.contract.js";

/** A client's socket that keeps what it hears. */
export interface HeardSocket {
  readonly isOpen: boolean;
  readonly protocol: string;
  readonly heard: readonly (string | Uint8Array)[];
  /** Null while it is not over. */
  readonly over: { readonly code: number; readonly reason: string } | null;
  send(data: Uint8Array | string): void;
  close(code: number, reason: string): void;
  /** Drops the line without a goodbye. */
  terminate(): void;
}

export interface HeardAnswer {
  readonly status: number;
  header(name: string): string | null;
  /** The whole body. */
  text(): Promise<string>;
  /** The first piece of the body. */
  first(): Promise<string>;
}

export interface NativeSubject {
  /** On the side of the server. */
  readonly clock: Clock;
  /** Resolves once the app that `build` has filled answers at `origin`. */
  open(build: (app: NativeApp) => void): Promise<{ readonly origin: string; readonly app: NativeApp }>;
  fetch(
    url: string,
    init: {
      readonly method: string;
      readonly headers: Record<string, string>;
      readonly body?: string;
      readonly signal?: AbortSignal;
    },
  ): Promise<HeardAnswer>;
  /** `url`: `ws://…` */
  socket(url: string, protocols: readonly string[]): HeardSocket;
  /** More than a line takes that nobody reads. */
  readonly tooLargeBytes: number;
  /** Clients stop taking what arrives, or go on. */
  readAll(reads: boolean): void;
  /** Resolves when the condition holds; rejects when it does not hold for long. */
  until(what: string, isSo: () => boolean): Promise<void>;
  /** What a promise gives, with time going on meanwhile. */
  settle<T>(promise: Promise<T>): Promise<T>;
}

/** Makes a subject that lives until the end of the given test. */
export type MakeSubject = (t: Test) => Promise<NativeSubject>;

const get = { method: "GET", headers: {} } as const;
const PIECE = "x".repeat(64 * 1024);
const MOST_PIECES = 2_000;

export async function nativeContract(t: Test, make: MakeSubject): Promise<void> {
  await t.test("of two routes that fit, the literal one answers, then the parameter, then the rest", async (t) => {
    const subject = await make(t);
    const { origin } = await subject.open((app) => {
      app.any("/*", (res, req) => void res.writeStatus("404 Not Found").end(`rest ${req.getUrl()}`));
      app.get("/a/:id", (res, req) => void res.end(`one ${req.getParameter(0)}`));
      app.get("/a/b", (res) => void res.end("literal"));
      app.get("/a/:id/c/:name", (res, req) => void res.end(`two ${req.getParameter(0)} ${req.getParameter(1)}`));
      app.post("/a/:id", (res, req) => void res.end(`posted ${req.getParameter(0)} ${req.getMethod()}`));
    });
    const text = async (method: string, path: string): Promise<string> => {
      const answer = await subject.settle(subject.fetch(origin + path, { ...get, method }));
      return `${answer.status} ${await subject.settle(answer.text())}`;
    };
    t.equal(await text("GET", "/a/b"), "200 literal");
    t.equal(await text("GET", "/a/x%20y"), "200 one x%20y");
    t.equal(await text("GET", "/a/b/c/d"), "200 two b d");
    t.equal(await text("POST", "/a/b"), "200 posted b post");
    t.equal(await text("GET", "/a/b/c"), "404 rest /a/b/c");
    t.equal(await text("PUT", "/a/b"), "404 rest /a/b");
    t.equal(await text("GET", "/"), "404 rest /");
  });

  await t.test("a request tells its headers, path, query and method until its handler has returned", async (t) => {
    const subject = await make(t);
    let unreadable = false;
    const { origin } = await subject.open((app) => {
      app.get("/q", (res, req) => {
        res.onAborted(() => {});
        const told = [req.getUrl(), req.getQuery(), req.getMethod(), req.getHeader("x-one"), req.getHeader("x-two")];
        req.forEach((name, value) => {
          if (name.startsWith("x-")) told.push(`${name}: ${value}`);
        });
        told.push(`by ${Buffer.from(res.getProxiedRemoteAddressAsText()).toString("latin1")}`);
        subject.clock.after(1, () => {
          unreadable = throws(() => req.getUrl());
          res.cork(() => res.end(told.join("|")));
        });
      });
    });
    const answer = await subject.settle(
      subject.fetch(`${origin}/q?a=1&b=%20`, { method: "GET", headers: { "X-One": "Yes" } }),
    );
    t.equal(await subject.settle(answer.text()), "/q|a=1&b=%20|get|Yes||x-one: Yes|by ");
    t.ok(unreadable);
  });

  await t.test("status, headers and body arrive; what is answered must not be used again", async (t) => {
    const subject = await make(t);
    const after: boolean[] = [];
    const { origin } = await subject.open((app) => {
      app.get("/s", (res) => {
        res.writeStatus("409 Conflict").writeHeader("x-a", "1").writeHeader("etag", '"e"');
        res.end(Buffer.from("grüß"));
        after.push(
          throws(() => res.writeHeader("x-b", "2")),
          throws(() => res.end("again")),
        );
      });
      app.head("/s", (res) => {
        res.writeHeader("content-length", "6").endWithoutBody();
      });
      const head = headText("200 OK", [
        ["x-a", "1"],
        ["etag", '"e"'],
      ]);
      const bytes = new TextEncoder().encode(head);
      app.get("/head", (res) => void res.writeStatus(head).writeHeader("x-b", "2").end("body"));
      app.get("/bytes", (res) => void res.writeStatus(bytes).writeHeader("x-b", "2").end("body"));
      app.get("/304", (res) => {
        res.writeStatus("304 Not Modified").writeHeader("etag", '"e"').endWithoutBody();
      });
    });
    const answer = await subject.settle(subject.fetch(`${origin}/s`, get));
    t.equal(answer.status, 409);
    t.equal(answer.header("x-a"), "1");
    t.equal(answer.header("etag"), '"e"');
    t.equal(await subject.settle(answer.text()), "grüß");
    t.strictSame(after, [true, true]);
    const head = await subject.settle(subject.fetch(`${origin}/s`, { ...get, method: "HEAD" }));
    t.equal(head.header("content-length"), "6");
    t.equal(await subject.settle(head.text()), "");
    for (const path of ["head", "bytes"]) {
      const whole = await subject.settle(subject.fetch(`${origin}/${path}`, get));
      t.strictSame([whole.status, ...["x-a", "etag", "x-b"].map((name) => whole.header(name))], [200, "1", '"e"', "2"]);
      t.equal(await subject.settle(whole.text()), "body", "a head made before");
    }
    const same = await subject.settle(subject.fetch(`${origin}/304`, get));
    t.equal(same.status, 304);
  });

  await t.test("a body comes in order, its end once, and its memory is taken back", async (t) => {
    const subject = await make(t);
    const kept: { readonly chunk: ArrayBuffer; readonly first: number }[] = [];
    const lasts: boolean[] = [];
    const { origin } = await subject.open((app) => {
      app.post("/b", (res) => {
        const parts: Buffer[] = [];
        res.onAborted(() => {});
        res.onData((chunk, isLast) => {
          if (chunk.byteLength > 0) kept.push({ chunk, first: new Uint8Array(chunk)[0]! });
          lasts.push(isLast);
          parts.push(Buffer.from(new Uint8Array(chunk)));
          if (isLast) res.cork(() => res.end(Buffer.concat(parts)));
        });
      });
    });
    const body = Array.from({ length: 20_000 }, (_, i) => String(i % 10)).join("");
    const send = async (text?: string): Promise<string> => {
      const init = { method: "POST", headers: {}, ...(text === undefined ? {} : { body: text }) };
      const answer = await subject.settle(subject.fetch(`${origin}/b`, init));
      return subject.settle(answer.text());
    };
    t.equal(await send(body), body);
    t.equal(lasts.filter((last) => last).length, 1);
    t.equal(lasts[lasts.length - 1], true);
    const intact = kept.filter(({ chunk, first }) => !throws(() => new Uint8Array(chunk)) && at0(chunk) === first);
    t.strictSame(intact, []);
    lasts.length = 0;
    t.equal(await send(), "");
    t.strictSame(lasts, [true]);
  });

  await t.test("an answer before the end of the body reaches the client", async (t) => {
    const subject = await make(t);
    const { origin } = await subject.open((app) => {
      app.post("/large", (res) => {
        let answered = false;
        res.onAborted(() => {});
        res.onData(() => {
          if (answered) return;
          answered = true;
          res.cork(() => {
            res.writeStatus("413 Content Too Large");
            res.end("too large", true);
          });
        });
      });
    });
    const answer = await subject.settle(
      subject.fetch(`${origin}/large`, { method: "POST", headers: {}, body: "y".repeat(8_000) }),
    );
    t.equal(answer.status, 413);
    t.equal(await subject.settle(answer.text()), "too large");
  });

  await t.test("whoever goes away while waiting is told to the handler once, and is not to be answered", async (t) => {
    const subject = await make(t);
    let asked = false;
    let aborted = 0;
    let unusable = false;
    const { origin } = await subject.open((app) => {
      app.get("/wait", (res) => {
        asked = true;
        res.onAborted(() => {
          aborted++;
          subject.clock.after(1, () => {
            unusable = throws(() => res.cork(() => res.end("late")));
          });
        });
      });
    });
    const leave = new AbortController();
    const waiting = subject.fetch(`${origin}/wait`, { ...get, signal: leave.signal }).then(
      () => "answered",
      (error: Error) => error.name,
    );
    await subject.until("asked", () => asked);
    leave.abort();
    t.equal(await subject.settle(waiting), "AbortError");
    await subject.until("told and tried", () => unusable);
    t.equal(aborted, 1);
  });

  await t.test("pieces arrive as they are written, in order, until the end", async (t) => {
    const subject = await make(t);
    const { origin } = await subject.open((app) => {
      app.get("/stream", (res) => {
        res.onAborted(() => {});
        res.writeHeader("content-type", "text/event-stream");
        res.write("one\n");
        subject.clock.after(30, () => {
          res.cork(() => res.write("two\n"));
          res.cork(() => res.end("three\n"));
        });
      });
    });
    const answer = await subject.settle(subject.fetch(`${origin}/stream`, get));
    t.equal(answer.header("content-type"), "text/event-stream");
    t.equal(await subject.settle(answer.text()), "one\ntwo\nthree\n");
  });

  await t.test("a stream that is not read says so, and says when it has room again", async (t) => {
    const subject = await make(t);
    let pieces = 0;
    let full = false;
    let writable = 0;
    const { origin } = await subject.open((app) => {
      app.get("/slow", (res) => {
        res.onAborted(() => {});
        res.onWritable(() => {
          writable++;
          if (writable === 1) res.cork(() => res.end("end"));
          return true;
        });
        res.write("begin");
        subject.clock.after(50, () => {
          while (!full && pieces < MOST_PIECES) {
            pieces++;
            res.cork(() => {
              full = !res.write(PIECE);
            });
          }
        });
      });
    });
    const answer = await subject.settle(subject.fetch(`${origin}/slow`, get));
    t.equal(await subject.settle(answer.first()), "begin");
    subject.readAll(false);
    await subject.until("the line is full", () => full);
    t.equal(writable, 0);
    subject.readAll(true);
    t.equal((await subject.settle(answer.text())).length, pieces * PIECE.length + "end".length);
    t.ok(writable > 0);
  });

  await t.test("a body goes as far as the line takes it, and on from there when it has room again", async (t) => {
    const subject = await make(t);
    const body = Buffer.from(
      Array.from({ length: subject.tooLargeBytes / 8 }, (_, i) => String(i).padStart(8, "0")).join(""),
    );
    let full = false;
    let offset = 0;
    let writable = 0;
    const { origin } = await subject.open((app) => {
      app.get("/large", (res) => {
        const send = (from: number): boolean => {
          for (offset = from; ; offset += PIECE.length) {
            const [isTaken, isOver] = res.tryEnd(body.subarray(offset, offset + PIECE.length), body.length);
            if (isOver || !isTaken) return isTaken;
          }
        };
        res.onAborted(() => {});
        res.onWritable((from) => {
          writable++;
          return send(from);
        });
        subject.clock.after(50, () => {
          res.cork(() => {
            full = !send(0);
          });
        });
      });
      app.get("/whole", (res) => sendBody(res, body, () => {}));
    });
    subject.readAll(false);
    const answer = subject.fetch(`${origin}/large`, get);
    await subject.until("the line is full", () => full);
    t.equal(writable, 0);
    t.ok(offset < body.length, "the rest has not been asked for");
    subject.readAll(true);
    const large = await subject.settle(answer);
    t.equal(large.header("content-length"), String(body.length));
    t.equal(await subject.settle(large.text()), body.toString());
    t.ok(writable > 0);
    const whole = await subject.settle(subject.fetch(`${origin}/whole`, get));
    t.equal(await subject.settle(whole.text()), body.toString());
  });

  await t.test("a stream whose reader leaves is told", async (t) => {
    const subject = await make(t);
    let aborted = 0;
    const { origin } = await subject.open((app) => {
      app.get("/stream", (res) => {
        res.onAborted(() => aborted++);
        res.write("begin");
      });
    });
    const leave = new AbortController();
    const answer = await subject.settle(subject.fetch(`${origin}/stream`, { ...get, signal: leave.signal }));
    t.equal(await subject.settle(answer.first()), "begin");
    leave.abort();
    await subject.until("told", () => aborted === 1);
  });

  await t.test("closing the app cuts who is waiting, and nobody is there afterwards", async (t) => {
    const subject = await make(t);
    let asked = false;
    let aborted = false;
    const { origin, app } = await subject.open((app) => {
      app.get("/wait", (res) => {
        asked = true;
        res.onAborted(() => {
          aborted = true;
        });
      });
    });
    const outcome = (answer: Promise<HeardAnswer>): Promise<string> =>
      answer.then(
        () => "answered",
        (error: Error) => error.constructor.name,
      );
    const waiting = outcome(subject.fetch(`${origin}/wait`, get));
    await subject.until("asked", () => asked);
    app.close();
    t.equal(await subject.settle(waiting), "TypeError");
    t.ok(aborted);
    t.equal(await subject.settle(outcome(subject.fetch(`${origin}/wait`, get))), "TypeError");
  });

  await nativeSocketContract(t, make);
}

function at0(buffer: ArrayBuffer): number | undefined {
  return new Uint8Array(buffer)[0];
}
