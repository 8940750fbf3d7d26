/** Who somebody is: signing up and in, what a person keeps here, and what an admin may do about it. */
import { ROLES, type Role } from "../commands.js";
import { Count, Id, Lat, Lng, Millis, type Static, Strict, Text, Type } from "../schemas.js";
import { OpeningRestaurant } from "./catalog.js";
import { operations } from "./operation.js";

const Email = Type.String({
  minLength: 3,
  maxLength: 254,
  pattern: "^[^\\s@\\u0000-\\u001f\\ud800-\\udfff]{1,64}@[^\\s@\\u0000-\\u001f\\ud800-\\udfff]{1,189}$",
});
/** Longer than any person's, shorter than what makes hashing it a burden. */
const GivenPassword = Type.String({ minLength: 1, maxLength: 256, pattern: "^[^\\u0000\\ud800-\\udfff]*$" });
export const PASSWORD_MIN_LENGTH = 10;
const NewPassword = Type.String({
  minLength: PASSWORD_MIN_LENGTH,
  maxLength: 256,
  pattern: "^[^\\u0000\\ud800-\\udfff]*$",
});
/** With the country's code, as ITU-T E.164 writes it. */
const Phone = Type.String({ minLength: 8, maxLength: 16, pattern: "^\\+[1-9][0-9]{6,14}$" });
const Name = Text(100);
const Reason = Type.String({ minLength: 1, maxLength: 300, pattern: "^[^\\u0000\\ud800-\\udfff]*$" });
const RefreshToken = Type.String({ minLength: 1, maxLength: 200, pattern: "^[A-Za-z0-9._-]+$" });
const AnyRole = Type.Unsafe<Role>({ type: "string", enum: [...ROLES] });

export const VEHICLES = ["bicycle", "scooter", "motorcycle", "car", "foot"] as const;
const Vehicle = Type.Unsafe<(typeof VEHICLES)[number]>({ type: "string", enum: [...VEHICLES] });

/** What a driver shows, by reference: the papers themselves are kept where papers are kept. */
const DriverDocument = Strict({
  kind: Type.Union([
    Type.Literal("identity"),
    Type.Literal("licence"),
    Type.Literal("insurance"),
    Type.Literal("permit"),
  ]),
  reference: Type.String({ minLength: 1, maxLength: 200, pattern: "^[^\\u0000\\ud800-\\udfff]*$" }),
});

/**
 * What somebody asks to become. Without `restaurantId` a restaurant is new: its id is made, and its first member asks. With
 * `opens` it is looked up on the map at once, and stands there as a draft once the application is approved.
 */
export const Application = Type.Union([
  Strict({
    role: Type.Literal("driver"),
    vehicle: Vehicle,
    plate: Type.Optional(Text(20)),
    documents: Type.Array(DriverDocument, { maxItems: 8 }),
    note: Type.Optional(Text(300)),
  }),
  Strict({
    role: Type.Literal("restaurant"),
    restaurantId: Type.Optional(Id),
    restaurantName: Type.Optional(Text(100)),
    opens: Type.Optional(OpeningRestaurant),
    note: Type.Optional(Text(300)),
  }),
]);
export type Application = Static<typeof Application>;

/** One role of an account. `principalId` is the id under which a person with it acts: a restaurant's for its staff. */
export const AccountRole = Strict({
  role: AnyRole,
  principalId: Id,
  state: Type.Union([Type.Literal("active"), Type.Literal("applied"), Type.Literal("rejected"), Type.Literal("ended")]),
  applicationId: Type.Optional(Id),
  since: Millis,
  reason: Type.Optional(Text(300)),
});
export type AccountRole = Static<typeof AccountRole>;

export const Address = Strict({
  label: Type.String({ minLength: 1, maxLength: 40, pattern: "^[^\\u0000\\ud800-\\udfff]*$" }),
  text: Type.String({ minLength: 1, maxLength: 200, pattern: "^[^\\u0000\\ud800-\\udfff]*$" }),
  note: Type.Optional(Text(200)),
  lat: Lat,
  lng: Lng,
});
export type Address = Static<typeof Address>;
const SavedAddress = Strict({ addressId: Id, ...Address.properties });

const Consent = Strict({ what: Type.Literal("location"), given: Type.Boolean(), at: Millis });

/** A session as its holder gets it. Send the access token; keep the refresh token for when it ends. */
export const Session = Strict({
  accountId: Id,
  sessionId: Id,
  role: AnyRole,
  principalId: Id,
  accessToken: Type.String({ maxLength: 2048 }),
  accessTtlMs: Count(Number.MAX_SAFE_INTEGER),
  refreshToken: Type.String({ maxLength: 200 }),
  refreshTtlMs: Count(Number.MAX_SAFE_INTEGER),
});
export type Session = Static<typeof Session>;

export const Me = Strict({
  accountId: Id,
  createdAt: Millis,
  email: Email,
  name: Type.Optional(Name),
  phone: Type.Optional(Phone),
  addresses: Type.Array(SavedAddress, { maxItems: 20 }),
  roles: Type.Array(AccountRole, { maxItems: 32 }),
  consents: Type.Array(Consent, { maxItems: 100 }),
  /** Of the token that asked. */
  role: AnyRole,
  principalId: Id,
});
export type Me = Static<typeof Me>;

/** What support sees of an account: never its addresses. */
export const AccountSummary = Strict({
  accountId: Id,
  createdAt: Millis,
  state: Type.Union([Type.Literal("active"), Type.Literal("banned"), Type.Literal("erased")]),
  reason: Type.Optional(Text(300)),
  email: Type.Optional(Email),
  name: Type.Optional(Name),
  phone: Type.Optional(Phone),
  roles: Type.Array(AccountRole, { maxItems: 32 }),
  consents: Type.Array(Consent, { maxItems: 100 }),
});
export type AccountSummary = Static<typeof AccountSummary>;

const ApplicationView = Strict({
  applicationId: Id,
  accountId: Id,
  principalId: Id,
  state: Type.Union([Type.Literal("applied"), Type.Literal("active"), Type.Literal("rejected"), Type.Literal("ended")]),
  since: Millis,
  reason: Type.Optional(Text(300)),
  name: Type.Optional(Name),
  asks: Application,
});
export type ApplicationView = Static<typeof ApplicationView>;

const Done = Strict({ done: Type.Literal(true) });
const staff = ["support", "admin"] as const;
const AccountParams = Strict({ accountId: Id });
const RoleParams = Strict({ role: AnyRole, principalId: Id });

export const ACCOUNT_OPERATIONS = operations({
  "accounts.signUp": {
    method: "POST",
    path: "/v1/accounts",
    summary: "Sign up. Everybody is a customer at once; driving and restaurants are asked for along with it or later.",
    access: "anyone",
    tier: "command",
    body: Strict({
      email: Email,
      password: NewPassword,
      name: Type.Optional(Name),
      phone: Type.Optional(Phone),
      application: Type.Optional(Application),
    }),
    reply: Session,
    refusals: ["email_taken", "overloaded", "unavailable"],
  },
  "accounts.signIn": {
    method: "POST",
    path: "/v1/auth/sign-in",
    summary: "Sign in for one role: a customer unless another is named. Staff of several restaurants name one.",
    access: "anyone",
    tier: "command",
    body: Strict({
      email: Email,
      password: GivenPassword,
      role: Type.Optional(AnyRole),
      restaurantId: Type.Optional(Id),
    }),
    reply: Session,
    refusals: ["wrong_credentials", "account_banned", "role_missing", "key_reused", "overloaded", "unavailable"],
  },
  "accounts.refresh": {
    method: "POST",
    path: "/v1/auth/refresh",
    summary:
      "A new access token and a new refresh token for a refresh token. Repeat it with the same key when no answer came.",
    access: "anyone",
    tier: "command",
    body: Strict({ refreshToken: RefreshToken }),
    reply: Session,
    refusals: ["session_ended", "unavailable"],
  },
  "accounts.signOut": {
    method: "POST",
    path: "/v1/auth/sign-out",
    summary: "End the session of a refresh token. Its sockets close.",
    access: "anyone",
    tier: "command",
    keyed: false,
    body: Strict({ refreshToken: RefreshToken }),
    reply: Done,
    refusals: ["unavailable"],
  },
  "accounts.signOutEverywhere": {
    method: "POST",
    path: "/v1/auth/sign-out-everywhere",
    summary: "End every session of the account.",
    access: ROLES,
    tier: "command",
    keyed: false,
    body: Strict({}),
    reply: Done,
    refusals: ["not_found", "unavailable"],
  },
  "accounts.keys": {
    method: "GET",
    path: "/v1/auth/keys",
    summary: "The public keys that access tokens are verified with, as a JSON Web Key Set (RFC 7517).",
    access: "anyone",
    tier: "browse",
    reply: Strict({
      keys: Type.Array(
        Strict({
          kty: Type.Literal("OKP"),
          crv: Type.Literal("Ed25519"),
          use: Type.Literal("sig"),
          alg: Type.Literal("EdDSA"),
          kid: Text(64),
          x: Text(64),
        }),
        { maxItems: 32 },
      ),
    }),
  },
  "accounts.me": {
    method: "GET",
    path: "/v1/me",
    summary: "The account of the token: its person, addresses, roles and consents.",
    access: ROLES,
    tier: "browse",
    reply: Me,
    refusals: ["not_found", "unavailable"],
  },
  "accounts.update": {
    method: "PUT",
    path: "/v1/me",
    summary: "Change name and phone. What is left out is removed.",
    access: ROLES,
    tier: "command",
    body: Strict({ name: Type.Optional(Name), phone: Type.Optional(Phone) }),
    reply: Me,
    refusals: ["not_found", "unavailable"],
  },
  "accounts.changePassword": {
    method: "PUT",
    path: "/v1/me/password",
    summary: "Change the password. All other sessions end.",
    access: ROLES,
    tier: "command",
    body: Strict({ password: GivenPassword, newPassword: NewPassword }),
    reply: Done,
    refusals: ["not_found", "wrong_credentials", "overloaded", "unavailable"],
  },
  "accounts.saveAddress": {
    method: "PUT",
    path: "/v1/me/addresses/:addressId",
    summary: "Keep an address under an id of the app's own choice.",
    access: ROLES,
    tier: "command",
    params: Strict({ addressId: Id }),
    body: Address,
    reply: Me,
    refusals: ["not_found", "too_many", "unavailable"],
  },
  "accounts.removeAddress": {
    method: "DELETE",
    path: "/v1/me/addresses/:addressId",
    summary: "Forget an address.",
    access: ROLES,
    tier: "command",
    params: Strict({ addressId: Id }),
    reply: Me,
    refusals: ["not_found", "unavailable"],
  },
  "accounts.apply": {
    method: "POST",
    path: "/v1/me/applications",
    summary: "Ask to become a driver, or staff of a restaurant. An admin decides.",
    access: ROLES,
    tier: "command",
    body: Application,
    reply: Me,
    refusals: ["not_found", "too_many", "unavailable"],
  },
  "accounts.consent": {
    method: "PUT",
    path: "/v1/me/consents/location",
    summary: "Give or withdraw the consent to share one's location while driving.",
    access: ROLES,
    tier: "command",
    body: Strict({ given: Type.Boolean() }),
    reply: Me,
    refusals: ["not_found", "unavailable"],
  },
  "accounts.export": {
    method: "GET",
    path: "/v1/me/export",
    summary: "Everything that is kept about the person, orders included.",
    access: ROLES,
    tier: "command",
    reply: Type.Object({}, { additionalProperties: true }),
    refusals: ["not_found", "overloaded", "unavailable"],
  },
  "accounts.erase": {
    method: "POST",
    path: "/v1/me/erase",
    summary: "Forget the person for good. Orders keep their ids and their money.",
    access: ROLES,
    tier: "command",
    keyed: false,
    body: Strict({ password: GivenPassword }),
    reply: Done,
    refusals: ["not_found", "wrong_credentials", "overloaded", "unavailable"],
  },
  "accounts.applications": {
    method: "GET",
    path: "/v1/applications",
    summary: "Applications, the longest waiting first.",
    access: staff,
    tier: "browse",
    query: Strict({
      role: Type.Optional(Type.Union([Type.Literal("driver"), Type.Literal("restaurant")])),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
    }),
    reply: Strict({ applications: Type.Array(ApplicationView, { maxItems: 100 }) }),
    refusals: ["unavailable"],
  },
  "accounts.approve": {
    method: "POST",
    path: "/v1/applications/:applicationId/approve",
    summary: "Give the role that was asked for.",
    access: ["admin"],
    tier: "command",
    keyed: false,
    params: Strict({ applicationId: Id }),
    body: Strict({ reason: Type.Optional(Text(300)) }),
    reply: AccountSummary,
    refusals: ["not_found", "illegal_transition", "address_unknown", "unavailable"],
  },
  "accounts.reject": {
    method: "POST",
    path: "/v1/applications/:applicationId/reject",
    summary: "Refuse the role that was asked for, and say why.",
    access: ["admin"],
    tier: "command",
    keyed: false,
    params: Strict({ applicationId: Id }),
    body: Strict({ reason: Reason }),
    reply: AccountSummary,
    refusals: ["not_found", "illegal_transition", "unavailable"],
  },
  "accounts.find": {
    method: "POST",
    path: "/v1/accounts/find",
    summary: "The account of an e-mail address. It is in the body, because addresses of requests are logged by many.",
    access: staff,
    tier: "browse",
    keyed: false,
    body: Strict({ email: Email }),
    reply: AccountSummary,
    refusals: ["not_found", "unavailable"],
  },
  "accounts.read": {
    method: "GET",
    path: "/v1/accounts/:accountId",
    summary: "An account as support sees it.",
    access: staff,
    tier: "browse",
    params: AccountParams,
    reply: AccountSummary,
    refusals: ["not_found", "unavailable"],
  },
  "accounts.ban": {
    method: "POST",
    path: "/v1/accounts/:accountId/ban",
    summary: "Ban an account: its sessions end and its sockets close, on every node, within seconds.",
    access: ["admin"],
    tier: "command",
    keyed: false,
    params: AccountParams,
    body: Strict({ reason: Reason }),
    reply: AccountSummary,
    refusals: ["not_found", "unavailable"],
  },
  "accounts.unban": {
    method: "POST",
    path: "/v1/accounts/:accountId/unban",
    summary: "Let a banned account sign in again.",
    access: ["admin"],
    tier: "command",
    keyed: false,
    params: AccountParams,
    body: Strict({ reason: Reason }),
    reply: AccountSummary,
    refusals: ["not_found", "unavailable"],
  },
  "accounts.banPrincipal": {
    method: "POST",
    path: "/v1/principals/:role/:principalId/ban",
    summary: "Ban whoever acts under this id in this role: a driver, or all staff of a restaurant.",
    access: ["admin"],
    tier: "command",
    keyed: false,
    params: RoleParams,
    body: Strict({ reason: Reason }),
    reply: Done,
    refusals: ["unavailable"],
  },
  "accounts.unbanPrincipal": {
    method: "POST",
    path: "/v1/principals/:role/:principalId/unban",
    summary: "Lift such a ban.",
    access: ["admin"],
    tier: "command",
    keyed: false,
    params: RoleParams,
    body: Strict({ reason: Reason }),
    reply: Done,
    refusals: ["unavailable"],
  },
  "accounts.grantRole": {
    method: "PUT",
    path: "/v1/accounts/:accountId/roles/:role",
    summary: "Give an account a role without an application. Staff of a restaurant get it for that restaurant.",
    access: ["admin"],
    tier: "command",
    params: Strict({ accountId: Id, role: AnyRole }),
    body: Strict({ restaurantId: Type.Optional(Id), reason: Reason }),
    reply: AccountSummary,
    refusals: ["not_found", "too_many", "unavailable"],
  },
  "accounts.endRole": {
    method: "POST",
    path: "/v1/accounts/:accountId/roles/:role/end",
    summary: "Take a role away: the sessions that act in it end.",
    access: ["admin"],
    tier: "command",
    keyed: false,
    params: Strict({ accountId: Id, role: AnyRole }),
    body: Strict({ restaurantId: Type.Optional(Id), reason: Reason }),
    reply: AccountSummary,
    refusals: ["not_found", "unavailable"],
  },
  "accounts.rotateKeys": {
    method: "POST",
    path: "/v1/auth/keys/rotate",
    summary: "Make a new key for access tokens. The one before verifies until the last token signed with it has ended.",
    access: ["admin"],
    tier: "command",
    body: Strict({ reason: Reason }),
    reply: Strict({ kid: Text(64), signsFrom: Millis }),
    refusals: ["unavailable"],
  },
});
