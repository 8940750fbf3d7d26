/** Money of a node: stores, services and their operations for a gateway, effects for a shard worker, the bookkeeper. */
import { hkdfSync } from "node:crypto";
import type { ActorClient, ActorStore, EffectRunner } from "../actors/runtime/mod.js";
import type { Clock } from "../lib/clock.js";
import type { Log } from "../lib/log.js";
import type { Random } from "../lib/random.js";
import type { AnyOperationHandlers } from "../protocol/mod.js";
import {
  type Bookkeeper,
  createBookkeeper,
  createDeliveries,
  createLedgerReports,
  type Deliveries,
  ledgerOperations,
} from "../services/ledger/mod.js";
import {
  createMethodService,
  defaultHttpProviderSettings,
  httpPaymentProvider,
  httpProviderLedger,
  type MethodService,
  methodReader,
  paymentEffect,
  paymentOperations,
  tokenVault,
} from "../services/payments/mod.js";
import {
  createPromotionService,
  type PromotionService,
  promotionEffect,
  promotionOperations,
} from "../services/promotions/mod.js";
import { createPostgresMoney } from "../store/postgres/mod.js";
import type { ThreadPlan } from "./plan.js";
import type { NodeSecrets } from "./secrets.js";

/** Reports and checks at the door share these; what is under way never waits for them. */
const GATEWAY_CONNECTIONS = 2;

interface Parts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** What signs the sandbox's webhooks when nobody has given a secret: the same on every node that shares its secrets. */
export function derivedWebhookSecret({ orderIdSecret }: Pick<NodeSecrets, "orderIdSecret">): string {
  return Buffer.from(hkdfSync("sha256", orderIdSecret, "", "swift-eats payment webhooks", 32)).toString("hex");
}

function webhookSecrets({ config, secrets }: Pick<ThreadPlan, "config" | "secrets">): readonly string[] {
  const { url, webhookSecret } = config.payment;
  if (webhookSecret !== null) return [webhookSecret];
  return url === null ? [derivedWebhookSecret(secrets)] : [];
}

const vaultOf = ({ secrets }: ThreadPlan, random: Random) => tokenVault(secrets.masterSecrets, random);

/** For a gateway. */
export function openMoney(
  plan: ThreadPlan,
  client: ActorClient,
  index: Pick<ActorStore, "queryIndex">,
  { clock, random, log }: Parts,
): {
  readonly operations: readonly AnyOperationHandlers[];
  readonly promotions: PromotionService;
  readonly methods: MethodService;
  readonly deliveries: Deliveries;
  close(): Promise<void>;
} {
  const { connectionString, config } = plan;
  const store = createPostgresMoney({ connectionString, connections: GATEWAY_CONNECTIONS, clock, log });
  const reports = createLedgerReports({
    store: store.ledger,
    provider: httpProviderLedger(plan.paymentUrl),
    clock,
    graceMs: config.payment.graceMs,
  });
  const methods = createMethodService({ store: store.methods, vault: vaultOf(plan, random), clock });
  const isRestaurant = async (id: string): Promise<boolean> =>
    (await index.queryIndex({ kind: "restaurant", keys: [id], views: false, limit: 1 })).length > 0;
  return {
    operations: [
      ledgerOperations(reports, clock, isRestaurant, log),
      paymentOperations({ methods, orders: client, webhookSecrets: webhookSecrets(plan), clock }),
      promotionOperations(store.promotions),
    ],
    promotions: createPromotionService({ store: store.promotions, clock }),
    methods,
    deliveries: createDeliveries(store.ledger, clock),
    close: () => store.close(),
  };
}

/** For a shard worker. */
export function openMoneyEffects(
  plan: ThreadPlan,
  { clock, random, log }: Parts,
): {
  readonly effects: { readonly payment: EffectRunner; readonly promotion: EffectRunner };
  close(): Promise<void>;
} {
  const { connectionString, paymentUrl } = plan;
  const store = createPostgresMoney({ connectionString, clock, log });
  const provider = httpPaymentProvider({ ...defaultHttpProviderSettings, url: paymentUrl });
  return {
    effects: {
      payment: paymentEffect(provider, methodReader(store.methods, vaultOf(plan, random))),
      promotion: promotionEffect(store.promotions, () => clock.now()),
    },
    close: () => store.close(),
  };
}

/** One for each node; the store lets one of them book at a time. */
export function startBookkeeper(connectionString: string, clock: Clock, log: Log): Pick<Bookkeeper, "stop" | "stats"> {
  const store = createPostgresMoney({ connectionString, clock, log });
  const bookkeeper = createBookkeeper({ store: store.ledger, clock, log });
  return {
    stats: () => bookkeeper.stats(),
    async stop() {
      await bookkeeper.stop();
      await store.close();
    },
  };
}
