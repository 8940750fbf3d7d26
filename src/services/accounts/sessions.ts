/**
 * Signing up, in and out, and refreshing. Owns what a session is worth and how its tokens are made.
 *
 * Invariants: an unknown e-mail address and a wrong password cost the same time and get the same answer; a refresh token
 * is used once, and one that comes back after its successor was made ends the session for whoever holds either; the same
 * request with the same idempotency key gets the same session or the same successor, so that a lost answer costs nothing.
 */
import type { ACCOUNT_OPERATIONS, Application, OperationCall, Role, Session } from "../../protocol/mod.js";
import { located, withApplication } from "./applications.js";
import {
  type AccountContext,
  type Answered,
  answered,
  emailHashOf,
  emailText,
  newId,
  type Refused,
  refused,
  tellRevoked,
  tokensUntil,
} from "./context.js";
import { normal, weakness } from "./password-rules.js";
import { type AccountRecord, PasswordsBusy, type SessionRecord } from "./ports.js";
import { createThrottle, type ThrottleSettings } from "./throttle.js";
import { keyedHash, sameText } from "./vault.js";

type SignUp = OperationCall<(typeof ACCOUNT_OPERATIONS)["accounts.signUp"]>["body"];
type SignIn = OperationCall<(typeof ACCOUNT_OPERATIONS)["accounts.signIn"]>["body"];

export interface Sessions {
  signUp(body: SignUp, key: string, address: string): Promise<Answered<Session>>;
  signIn(body: SignIn, key: string, address: string): Promise<Answered<Session>>;
  refresh(refreshToken: string, key: string): Promise<Answered<Session>>;
  /** A token that is none, or of a session that has ended, is as good as signed out. */
  signOut(refreshToken: string): Promise<void>;
  /** Is this the password of who is signed in? Counted like an attempt to sign in, and apart from those of strangers. */
  confirm(account: AccountRecord, password: string, address: string): Promise<Refused | null>;
  /** Not counted as a try: only for whoever has just been counted. */
  has(account: AccountRecord, password: string): Promise<boolean | Refused>;
  hash(password: string): Promise<{ readonly ok: true; readonly hash: string } | Refused>;
}

const BUSY_MS = 2_000;
/** Some seconds of hashing. Whoever comes then is told so before the store is asked: it serves those who are signed in. */
const MOST_UNDER_WAY = 64;
const tooSoon = (waitMs: number): Refused => ({ ok: false, code: "rate_limited", retryAfterMs: Math.ceil(waitMs) });
const OVERLOADED: Refused = { ok: false, code: "overloaded", retryAfterMs: BUSY_MS };

export function createSessions(context: AccountContext, throttleSettings: ThrottleSettings): Sessions {
  const { store, keyring, passwords, tokens, clock, settings } = context;
  const throttle = createThrottle(store, keyring, throttleSettings);
  /** Of a password that nobody knows: what is compared when there is no account. */
  let nobodys: Promise<string> | null = null;

  let underWay = 0;
  /** What ends in a slow hash: so much of it at once, and the rest comes back later. */
  async function admitted<T>(work: () => Promise<T>): Promise<T | Refused> {
    if (underWay >= MOST_UNDER_WAY) return OVERLOADED;
    underWay++;
    try {
      return await work();
    } finally {
      underWay--;
    }
  }

  async function slowly<T>(work: () => Promise<T>): Promise<T | Refused> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof PasswordsBusy) return OVERLOADED;
      throw error;
    }
  }

  const isRefused = (value: unknown): value is Refused => typeof value === "object" && value !== null && "ok" in value;

  /** True, false, or why it was not even tried. Takes as long for an account that is not there. */
  async function matches(
    account: AccountRecord | null,
    who: string,
    password: string,
    address: string,
  ): Promise<boolean | Refused> {
    // Counted before the hash, so that attempts side by side do not all pass; what it was not is given back.
    const waitMs = await throttle.tries(who, address);
    if (waitMs > 0) return tooSoon(waitMs);
    const right = await slowly(async () => {
      nobodys ??= passwords.hash(keyedHash(keyring.refresh, "nobody", "password"));
      const encoded = await nobodys.catch((error: unknown) => {
        nobodys = null;
        throw error;
      });
      return passwords.verify(account?.password ?? encoded, normal(password));
    });
    if (isRefused(right)) {
      await throttle.notTried(who, address);
      return right;
    }
    const known = right && account !== null && account.password !== null;
    await (known ? throttle.right(who, address) : throttle.wrong(who, address));
    return known;
  }

  const tokenOf = (session: SessionRecord): string => {
    const generation = session.generation.toString(36);
    return `${session.id}.${generation}.${keyedHash(keyring.refresh, "refresh", `${session.id}.${generation}`)}`;
  };

  function readToken(text: string): { readonly sessionId: string; readonly generation: number } | null {
    const [sessionId, generation, mac, more] = text.split(".");
    if (sessionId === undefined || generation === undefined || mac === undefined || more !== undefined) return null;
    if (!sameText(mac, keyedHash(keyring.refresh, "refresh", `${sessionId}.${generation}`))) return null;
    return { sessionId, generation: Number.parseInt(generation, 36) };
  }

  function issued(session: SessionRecord): Session {
    const { accountId, id: sessionId, role, principalId } = session;
    const seconds = Math.floor(settings.accessTokenMs / 1000);
    return {
      accountId,
      sessionId,
      role,
      principalId,
      accessToken: tokens.issue({ id: principalId, role, accountId, sessionId }, seconds),
      accessTtlMs: seconds * 1000,
      refreshToken: tokenOf(session),
      refreshTtlMs: Math.max(0, session.expiresAt - clock.now()),
    };
  }

  /** The session that this key opens for this role: the same one for the same request. */
  function newSession(accountId: string, role: Role, principalId: string, key: string): SessionRecord {
    const now = clock.now();
    return {
      id: keyedHash(keyring.refresh, "session", `${accountId}\n${role}\n${principalId}\n${key}`).slice(0, 32),
      accountId,
      role,
      principalId,
      generation: 0,
      lastKey: "",
      createdAt: now,
      usedAt: now,
      expiresAt: now + settings.refreshTokenMs,
      endedAt: null,
      endedWhy: null,
    };
  }

  async function openFor(
    account: AccountRecord,
    role: Role,
    restaurantId: string | undefined,
    key: string,
  ): Promise<Answered<Session>> {
    if (account.state === "banned") return refused("account_banned", { reason: account.reason });
    const ofRole = account.roles.filter((each) => each.role === role);
    const active = ofRole.filter(({ state }) => state === "active");
    const chosen =
      restaurantId === undefined ? active : active.filter(({ principalId }) => principalId === restaurantId);
    if (chosen.length !== 1) {
      const latest = ofRole.toSorted((a, b) => b.since - a.since)[0];
      return refused("role_missing", {
        role,
        state: active.length > 0 ? "active" : (latest?.state ?? "none"),
        ...(role === "restaurant" ? { restaurantIds: active.map(({ principalId }) => principalId) } : {}),
        ...(latest === undefined || latest.reason === "" ? {} : { reason: latest.reason }),
      });
    }
    const wanted = newSession(account.id, role, chosen[0]!.principalId, key);
    const opened = await store.openSession(wanted, settings.maxSessions, tokensUntil(context));
    if (!opened.ok) {
      if (opened.why === "banned") return refused("account_banned");
      return opened.why === "role_missing"
        ? refused("role_missing", { role, state: "ended" })
        : refused("wrong_credentials");
    }
    await tellRevoked(context, opened.revoked);
    const { session } = opened;
    // A key from the past, whose session has moved on or ended since.
    if (session.generation > 0 || session.endedAt !== null || session.expiresAt <= clock.now())
      return refused("key_reused");
    return answered(issued(session));
  }

  return {
    async signUp(body, key, address) {
      const email = emailText(body.email);
      const weak = weakness(body.password, [email, email.split("@")[0] ?? "", body.name ?? ""]);
      if (weak !== null) return refused("invalid", { path: "/password", problem: weak });
      const emailHash = emailHashOf(context, email);
      const existing = async (account: AccountRecord): Promise<Answered<Session>> => {
        const right = await matches(account, emailHash, body.password, address);
        if (isRefused(right)) return right;
        return right ? openFor(account, "customer", undefined, key) : refused("email_taken");
      };
      const known = await admitted(async () => {
        const before = await store.byEmail(emailHash);
        return before === null ? null : existing(before);
      });
      if (known !== null) return known;
      const asks = body.application === undefined ? undefined : await located(context, body.application);
      if (isRefused(asks)) return asks;
      return admitted(async () => {
        const waitMs = await throttle.makes(address);
        if (waitMs > 0) return tooSoon(waitMs);
        const hashed = await slowly(() => passwords.hash(normal(body.password)));
        if (isRefused(hashed)) {
          await throttle.notMade(address);
          return hashed;
        }
        const account = newAccount(body, asks, email, emailHash, hashed);
        const session = newSession(account.id, "customer", account.id, key);
        if ((await store.create(account, session)) === "created") return answered(issued(session));
        const faster = await store.byEmail(emailHash);
        return faster === null ? refused("unavailable") : existing(faster);
      });
    },
    signIn: (body, key, address) =>
      admitted(async () => {
        const emailHash = emailHashOf(context, body.email);
        const account = await store.byEmail(emailHash);
        const right = await matches(account, emailHash, body.password, address);
        if (isRefused(right)) return right;
        if (!right || account === null) return refused("wrong_credentials");
        return openFor(account, body.role ?? "customer", body.restaurantId, key);
      }),
    async refresh(refreshToken, key) {
      const token = readToken(refreshToken);
      if (token === null) return refused("session_ended");
      const now = clock.now();
      const outcome = await store.rotateSession(
        token.sessionId,
        token.generation,
        keyedHash(keyring.refresh, "key", key),
        {
          now,
          expiresAt: now + settings.refreshTokenMs,
          until: tokensUntil(context),
        },
      );
      switch (outcome.kind) {
        case "rotated":
        case "repeated":
          return answered(issued(outcome.session));
        case "reused":
          context.log.warn(
            { sessionId: token.sessionId },
            "A refresh token came back after it was used: its session has ended",
          );
          await tellRevoked(context, outcome.revoked);
          return refused("session_ended", { reason: "reused" });
        case "ended":
          return refused("session_ended");
      }
    },
    async signOut(refreshToken) {
      const token = readToken(refreshToken);
      if (token === null) return;
      await tellRevoked(
        context,
        await store.endSession(token.sessionId, "signed_out", clock.now(), tokensUntil(context)),
      );
    },
    async confirm(account, password, address) {
      const right = await admitted(() => matches(account, `own\n${account.id}`, password, address));
      if (isRefused(right)) return right;
      return right ? null : refused("wrong_credentials");
    },
    has: async (account, password) =>
      account.password !== null && slowly(() => passwords.verify(account.password as string, normal(password))),
    async hash(password) {
      const hashed = await slowly(() => passwords.hash(normal(password)));
      return isRefused(hashed) ? hashed : { ok: true, hash: hashed };
    },
  };

  function newAccount(
    body: SignUp,
    asks: Application | undefined,
    email: string,
    emailHash: string,
    password: string,
  ): AccountRecord {
    const id = newId(context);
    const now = clock.now();
    const account: AccountRecord = {
      id,
      state: "active",
      reason: "",
      createdAt: now,
      version: 1,
      emailHash,
      password,
      ...context.people.enclose(id, {
        email,
        ...(body.name === undefined ? {} : { name: body.name }),
        ...(body.phone === undefined ? {} : { phone: body.phone }),
        addresses: {},
      }),
      consents: [],
      roles: [
        { role: "customer", principalId: id, state: "active", applicationId: null, since: now, reason: "", asks: null },
      ],
    };
    return asks === undefined ? account : applied(account, asks);
  }

  function applied(account: AccountRecord, asks: Application): AccountRecord {
    const wanted = withApplication(context, account, asks);
    return "ok" in wanted ? account : wanted;
  }
}
