/** What people choose to be told, and what operations see and have tried again. */
import type { Clock } from "../../lib/clock.js";
import { pageByAge } from "../../lib/page.js";
import type {
  NOTIFICATION_OPERATIONS,
  OperationCaller,
  OperationHandlers,
  OperationResult,
} from "../../protocol/mod.js";
import { DEFAULT_WISHES, KINDS } from "./kinds.js";
import type { NotificationStore } from "./ports.js";

const MOST_DEVICES = 20;
const PAGE = 50;
const UNAVAILABLE = { ok: false, code: "unavailable", retryAfterMs: 2_000 } as const;

async function stored<T>(work: () => Promise<OperationResult<T>>): Promise<OperationResult<T>> {
  try {
    return await work();
  } catch {
    return UNAVAILABLE;
  }
}

export function notificationOperations(
  store: NotificationStore,
  clock: Clock,
): OperationHandlers<typeof NOTIFICATION_OPERATIONS> {
  const of = ({ role, id }: OperationCaller) => ({ role, principalId: id });

  async function wished(caller: OperationCaller) {
    const [wishes, devices] = await Promise.all([store.wishes(of(caller)), store.devices(of(caller))]);
    const { locale, kinds } = wishes ?? DEFAULT_WISHES;
    return {
      ok: true as const,
      value: { locale, kinds, devices: devices.map(({ deviceId, since }) => ({ deviceId, since })) },
    };
  }

  return {
    "notifications.wishes": ({ caller }) => stored(() => wished(caller)),
    "notifications.wish": ({ caller, body }) =>
      stored(async () => {
        await store.saveWishes(of(caller), body);
        return wished(caller);
      }),
    "notifications.add_device": ({ caller, params, body }) =>
      stored(async () => {
        const { deviceId } = params;
        const { sessionId } = caller;
        const device = { deviceId, token: body.token, since: clock.now() };
        const owned = sessionId === undefined ? device : { ...device, sessionId };
        const kept = await store.saveDevice(of(caller), owned, MOST_DEVICES);
        if (kept === "ended") return { ok: false, code: "unauthenticated" };
        return kept ? wished(caller) : { ok: false, code: "too_many", detail: { most: MOST_DEVICES } };
      }),
    "notifications.remove_device": ({ caller, params }) =>
      stored(async () => {
        await store.removeDevice(of(caller), params.deviceId);
        return wished(caller);
      }),
    "notifications.list": ({ query }) =>
      stored(async () => {
        const { state, principalId, before, limit = PAGE } = query;
        const filter = {
          ...(state === undefined ? {} : { state }),
          ...(principalId === undefined ? {} : { principalId }),
        };
        const { rows, nextBefore } = await pageByAge(
          (most) => store.list(filter, before ?? Number.MAX_SAFE_INTEGER, most),
          ({ createdAt }) => createdAt,
          limit,
        );
        return { ok: true, value: { notifications: [...rows], ...(nextBefore === undefined ? {} : { nextBefore }) } };
      }),
    "notifications.retry": ({ caller, body }) =>
      stored(async () => {
        const now = clock.now();
        const { id: principalId, role, accountId } = caller;
        // Whoever asks for it wants it to be told now: it is worth telling for as long as any.
        const expiresAt = now + KINDS.order_waiting.worthMs;
        const outcome = await store.retry(body.notificationId, now, expiresAt, {
          at: now,
          role,
          principalId,
          ...(accountId === undefined ? {} : { accountId }),
          action: "notification.retry",
          subject: `notification/${body.notificationId}`.slice(0, 140),
          reason: body.reason,
        });
        if (outcome === "not_found") return { ok: false, code: "not_found" };
        if (outcome === "not_dead") return { ok: false, code: "illegal_transition" };
        return { ok: true, value: outcome };
      }),
  };
}
