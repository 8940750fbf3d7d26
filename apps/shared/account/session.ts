/**
 * Who is signed in on this device.
 *
 * Owns: the tokens, their renewal and their end. Invariants: a refresh token is sent by one tab at a time, with a key that
 * is kept beside it, so that a lost answer can be asked for again; whoever is told that the session has ended is signed
 * out here, and nowhere else; a page acts for one account only, and begins anew when the device has another.
 */
import { signal } from "@preact/signals";
import { createHttp, type Role, SwiftEatsError, type TokenReason } from "../../../sdk/mod.js";
import { uuidV7 } from "../../../src/lib/random.js";
import { clock, random } from "../clock.js";
import { closeLine, nodeUrl } from "../line/node.js";
import { hasCode } from "../words.js";

export interface Account {
  /** The id under which this person acts in this role: a restaurant's for its staff. */
  readonly id: string;
  readonly accountId: string;
  readonly role: Role;
  readonly name: string;
}

/** What the node answers to signing in, up, and renewing. */
export interface SessionReply {
  readonly accountId: string;
  readonly role: Role;
  readonly principalId: string;
  readonly accessToken: string;
  readonly accessTtlMs: number;
  readonly refreshToken: string;
}

interface Kept {
  readonly account: Account;
  readonly accessToken: string;
  /** Milliseconds since the epoch, by this device's clock. */
  readonly accessUntil: number;
  readonly refreshToken: string;
  readonly refreshKey: string;
}

const APP = location.pathname.split("/")[1] ?? "";
const KEY = `swift-eats.session.${APP}`;
/** Renewed this long before its end, so that no request finds it ended. */
const EARLY_MS = 30_000;
/** What is open to anyone. */
const open = createHttp({ url: nodeUrl });

function stored(): Kept | null {
  try {
    const value = JSON.parse(localStorage.getItem(KEY) ?? "null") as Kept | null;
    return typeof value?.refreshToken === "string" && typeof value.account?.id === "string" ? value : null;
  } catch {
    return null;
  }
}

let present = stored();
export const account = signal<Account | null>(present?.account ?? null);
/** False where the browser keeps nothing: signed in as long as the page lasts. */
let storing = true;

function store(next: Kept | null): void {
  present = next;
  try {
    if (next === null) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, JSON.stringify(next));
  } catch {
    storing = false;
  }
}

function keep(next: Kept): void {
  store(next);
  account.value = next.account;
}

const sameAccount = (a: Kept | null, b: Kept | null): boolean =>
  a?.account.accountId === b?.account.accountId && a?.account.id === b?.account.id;

/** Another window has signed somebody else in, or out. */
const isAnother = (): boolean => storing && !sameAccount(stored(), present);

/** Sockets, lists and half-written things of who was here end with the page, and it does nothing more until then. */
function beginAnew(): void {
  present = null;
  closeLine();
  location.reload();
}

window.addEventListener("storage", ({ key }) => {
  if ((key === KEY || key === null) && isAnother()) beginAnew();
});

const newKey = (): string => uuidV7(clock.now(), random);

function keptOf(reply: SessionReply, name: string): Kept {
  const { accountId, role, principalId: id, accessToken, refreshToken } = reply;
  return {
    account: { id, accountId, role, name },
    accessToken,
    accessUntil: clock.now() + reply.accessTtlMs,
    refreshToken,
    refreshKey: newKey(),
  };
}

/** Asks with a token that is not kept: for what an applicant may see before having the role. */
export const httpAs = (accessToken: string) => createHttp({ url: nodeUrl, token: accessToken });
/** Asks as who is signed in. */
export const http = createHttp({ url: nodeUrl, tokenProvider: token });

export interface Person {
  readonly email: string;
  readonly password: string;
}

/** The session for the first of these roles that the account has. Keeps nothing. */
export async function openSession(person: Person, roles: readonly Role[]): Promise<SessionReply> {
  for (const [index, role] of roles.entries()) {
    try {
      return await open.send<SessionReply>("POST", "/v1/auth/sign-in", { ...person, role });
    } catch (error) {
      if (!hasCode(error, "role_missing") || index === roles.length - 1) throw error;
    }
  }
  throw new TypeError("openSession: no role was given");
}

/** A new account, and its session as a customer. Keeps nothing. */
export function createAccount(
  person: Person & { readonly name: string; readonly phone?: string },
  application?: object,
): Promise<SessionReply> {
  return open.send<SessionReply>("POST", "/v1/accounts", {
    ...person,
    ...(application === undefined ? {} : { application }),
  });
}

/** From here on this device acts as this person. */
export async function enter(reply: SessionReply): Promise<void> {
  const me = await httpAs(reply.accessToken).get<{ readonly name?: string; readonly email: string }>("/v1/me");
  keep(keptOf(reply, me.name ?? me.email));
}

export function renamed(name: string): void {
  if (present === null || isAnother()) return;
  // Another window may have newer tokens.
  const kept = stored() ?? present;
  keep({ ...kept, account: { ...kept.account, name } });
}

const signedOut = () => new SwiftEatsError({ code: "unauthenticated", temporary: false });

/** For the client: the token that is held, or a new one. */
export async function token(reason: TokenReason): Promise<string> {
  if (present === null) throw signedOut();
  if (reason !== "refresh" && present.accessUntil - EARLY_MS > clock.now()) return present.accessToken;
  return renewAlone(present.accessToken);
}

/** One renewal at a time in this tab; and one among all tabs, where the browser can tell. */
let renewing: Promise<string> | null = null;
function renewAlone(refused: string): Promise<string> {
  renewing ??= ("locks" in navigator ? navigator.locks.request(KEY, () => renew(refused)) : renew(refused)).finally(
    () => {
      renewing = null;
    },
  );
  return renewing;
}

async function renew(refused: string): Promise<string> {
  stayOrBeginAnew();
  // Another tab may have been quicker.
  const kept = stored() ?? present;
  if (kept === null) throw signedOut();
  if (kept.accessToken !== refused && kept.accessUntil - EARLY_MS > clock.now()) {
    present = kept;
    return kept.accessToken;
  }
  try {
    const reply = await open.send<SessionReply>(
      "POST",
      "/v1/auth/refresh",
      { refreshToken: kept.refreshToken },
      { idempotencyKey: kept.refreshKey },
    );
    stayOrBeginAnew();
    keep(keptOf(reply, kept.account.name));
    return reply.accessToken;
  } catch (error) {
    if (present !== null && error instanceof SwiftEatsError && !error.temporary && error.code !== "aborted") {
      if (!isAnother()) store(null);
      beginAnew();
    }
    throw error;
  }
}

/** A window that slept hears of it now: what it was about to do was meant for another account. */
function stayOrBeginAnew(): void {
  if (present !== null && isAnother()) beginAnew();
  if (present === null) throw signedOut();
}

const leavers: (() => void)[] = [];
/** What is done while it is still known who signs out. */
export const whenLeaving = (work: () => void): void => void leavers.push(work);

/**
 * Ends the session here at once, and at the node if it can be told: that request outlives the page. Nobody is shown a
 * form on a page that still holds the line of who has left.
 */
export function signOut(): Promise<never> {
  const kept = present;
  for (const work of leavers) work();
  store(null);
  if (kept !== null) {
    fetch(`${nodeUrl}/v1/auth/sign-out`, {
      method: "POST",
      keepalive: true,
      headers: { "content-type": "application/json", "idempotency-key": newKey() },
      body: JSON.stringify({ refreshToken: kept.refreshToken }),
    }).catch(() => undefined);
  }
  location.hash = "";
  beginAnew();
  return new Promise(() => undefined);
}
