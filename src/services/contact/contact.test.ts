/** The port's contract on both adapters: the sandbox, and the sandbox behind HTTP as a provider would be. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import t, { type Test } from "tap";
import {
  type ContactProvider,
  ContactRefused,
  type ContactSandbox,
  ContactUnavailable,
  contactEffect,
  contactSandbox,
  httpContactProvider,
} from "./mod.js";

const TOKEN = "the-providers-token";
const pair = (pairId: string) => ({ pairId, customerId: `c-${pairId}`, driverId: `d-${pairId}` });

interface Served {
  readonly url: string;
  /** Answers so from now on, whatever is asked; null: as the provider does. */
  answer: { readonly code: number; readonly body: string } | null;
}

/** The sandbox as somebody else's server. */
async function serve(t: Test, sandbox: ContactSandbox): Promise<Served> {
  const served: { url: string; answer: Served["answer"] } = { url: "", answer: null };
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on("end", async () => {
      const pairId = decodeURIComponent(request.url?.slice("/masked/pairs/".length) ?? "");
      const say = (code: number, body: object | string): void => {
        response.writeHead(code).end(typeof body === "string" ? body : JSON.stringify(body));
      };
      if (served.answer !== null) return say(served.answer.code, served.answer.body);
      if (request.headers.authorization !== `Bearer ${TOKEN}`) return say(403, "who are you?");
      if (request.method === "DELETE") {
        await sandbox.close(pairId);
        return say(404, "there is none");
      }
      const { customer, driver } = JSON.parse(text) as { customer: string; driver: string };
      sandbox.open({ pairId, customerId: customer, driverId: driver }).then(
        (opened) => say(200, opened),
        (error: unknown) => say(409, String(error)),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  served.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/masked`;
  return served;
}

async function contract(t: Test, provider: ContactProvider, sandbox: ContactSandbox): Promise<void> {
  const { number } = await provider.open(pair("o:1"));
  t.match(number, /^\+[0-9]{6,15}$/);
  t.notMatch(number, /c-|d-/);
  t.same(await provider.open(pair("o:1")), { number }, "opening again gives the same");
  t.not((await provider.open(pair("o:2"))).number, number, "another driver, another number");
  t.equal(sandbox.call(number, "c-o:1"), "d-o:1");
  t.equal(sandbox.call(number, "d-o:1"), "c-o:1");
  t.equal(sandbox.call(number, "c-o:2"), null, "whoever is not of the pair reaches nobody");
  await provider.close("o:1");
  await provider.close("o:1");
  t.equal(sandbox.call(number, "c-o:1"), null);
  await provider.close("o:3");
  await t.rejects(provider.open(pair("o:3")), ContactRefused, "closed before it was opened");
  await t.rejects(provider.open(pair("o:1")), ContactRefused);
}

t.test("R-COM-4: the sandbox keeps the contract", async (t) => {
  const sandbox = contactSandbox();
  await contract(t, sandbox, sandbox);
});

t.test("R-COM-4: a provider over HTTP keeps the contract", async (t) => {
  const sandbox = contactSandbox();
  const { url } = await serve(t, sandbox);
  await contract(t, httpContactProvider({ url, token: TOKEN, timeoutMs: 5_000 }), sandbox);
});

t.test("R-COM-4: what may pass is asked again, what will not is not", async (t) => {
  const served = await serve(t, contactSandbox());
  const settings = { url: served.url, token: TOKEN, timeoutMs: 5_000 };
  const provider = httpContactProvider(settings);
  await t.rejects(httpContactProvider({ ...settings, token: null }).open(pair("a")), ContactRefused);
  for (const body of ["not json", "{}", '{"number":"+90 (555) <b>"}', '{"number":5}']) {
    served.answer = { code: 200, body };
    await t.rejects(provider.open(pair("a")), ContactUnavailable, body);
  }
  served.answer = { code: 503, body: "later" };
  await t.rejects(provider.open(pair("a")), ContactUnavailable);
  await t.rejects(provider.close("a"), ContactUnavailable);
  const nowhere = httpContactProvider({ ...settings, url: "http://127.0.0.1:1" });
  await t.rejects(nowhere.open(pair("a")), ContactUnavailable);
  const run = (step: "open" | "close") =>
    contactEffect(provider)({
      effectId: "e",
      actor: { kind: "chat-room", key: "trip:o" },
      key: "k",
      input: { step, ...pair("a") },
      attempt: 1,
    });
  await t.rejects(run("open"), ContactUnavailable, "the effect is run again");
  served.answer = { code: 422, body: "no such person" };
  t.same(await run("open"), { outcome: "refused", reason: "no such person" });
  served.answer = null;
  t.match(await run("open"), { outcome: "open", number: /^\+/ });
  t.same(await run("close"), { outcome: "closed" });
});
