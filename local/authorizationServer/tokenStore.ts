import { type AdapterPayload, errors } from 'oidc-provider';

/** How long the store remembers a consumed token. It must recognize reuse, and a stack that keeps running must stay small. */
const REMEMBER_CONSUMED_MS = 6 * 3_600_000;
const PRUNE_EVERY_MS = 60_000;
const ISSUED_MODELS = new Set([
  'AccessToken',
  'ClientCredentials',
  'RefreshToken',
  'AuthorizationCode',
  'DeviceCode',
]);

/** The stored data of one token, grant, session or interaction. */
export interface StoredEntry {
  payload: AdapterPayload;
  expiresAt?: number;
  /** From this time on, the token counts as used. The time is in the future during a grace period. */
  consumedFrom?: number;
}

/** Entries by model name and id: the content of the data file. */
export type StoreSnapshot = Record<string, Record<string, StoredEntry>>;

/** What the store needs from its caller. */
export interface TokenStoreOptions {
  now: () => number;
  /** How long a used refresh token of this client stays usable. */
  graceMs: (clientId: string | undefined) => number;
  /** Called after each change. */
  changed: () => void;
}

/** The authorization server's state: a map per model, with expiry. */
export class TokenStore {
  /** Values of every token and code so far, for tests that search output for secrets. */
  readonly issued = new Set<string>();
  readonly #options: TokenStoreOptions;
  readonly #models = new Map<string, Map<string, StoredEntry>>();
  #prunedAt: number;

  constructor(options: TokenStoreOptions, snapshot: StoreSnapshot = {}) {
    this.#options = options;
    this.#prunedAt = options.now();
    for (const [model, entries] of Object.entries(snapshot)) {
      for (const [id, entry] of Object.entries(entries)) this.#put(model, id, entry);
    }
  }

  upsert(model: string, id: string, payload: AdapterPayload, expiresInSeconds?: number): void {
    const now = this.#options.now();
    const expiry = expiresInSeconds === undefined ? {} : { expiresAt: now + expiresInSeconds * 1000 };
    this.#put(model, id, { payload: structuredClone(payload), ...expiry });
    if (now - this.#prunedAt >= PRUNE_EVERY_MS) this.#prune(now);
    this.#options.changed();
  }

  find(model: string, id: string): AdapterPayload | undefined {
    const entry = this.#live(model, id);
    if (!entry) return undefined;
    const payload = structuredClone(entry.payload);
    if (this.#isConsumed(entry)) payload.consumed = Math.floor((entry.consumedFrom ?? 0) / 1000);
    return payload;
  }

  findByUid(model: string, uid: string): AdapterPayload | undefined {
    return this.#findBy(model, 'uid', uid);
  }

  findByUserCode(model: string, userCode: string): AdapterPayload | undefined {
    return this.#findBy(model, 'userCode', userCode);
  }

  #findBy(model: string, field: 'uid' | 'userCode', value: string): AdapterPayload | undefined {
    for (const [id, entry] of this.#entries(model)) {
      if (entry.payload[field] === value) return this.find(model, id);
    }
    return undefined;
  }

  /**
   * Marks a token as used, at the end of its grace period. Two token requests that run interleaved may both have found it unused:
   * the store refuses the second one here, because otherwise both would get a token.
   */
  consume(model: string, id: string): void {
    const entry = this.#live(model, id);
    if (!entry || this.#isConsumed(entry)) {
      if (entry?.payload.grantId) this.revokeGrant(entry.payload.grantId);
      throw new errors.InvalidGrant('token already used');
    }
    const grace = model === 'RefreshToken' ? this.#options.graceMs(entry.payload.clientId) : 0;
    entry.consumedFrom ??= this.#options.now() + grace;
    entry.expiresAt = Math.min(entry.expiresAt ?? Infinity, entry.consumedFrom + REMEMBER_CONSUMED_MS);
    this.#options.changed();
  }

  destroy(model: string, id: string): void {
    if (this.#entries(model).delete(id)) this.#options.changed();
  }

  /** Removes the consent (`Grant`) with all its tokens. It scans: this is rare, and an index would have to follow every expiry. */
  revokeGrant(grantId: string): void {
    this.#entries('Grant').delete(grantId);
    for (const entries of this.#models.values()) {
      for (const [id, { payload }] of entries) {
        if (payload.grantId === grantId) entries.delete(id);
      }
    }
    this.#options.changed();
  }

  /** All entries that have not expired. */
  snapshot(): StoreSnapshot {
    this.#prune(this.#options.now());
    return Object.fromEntries(
      [...this.#models].map(([model, entries]) => [model, Object.fromEntries(entries)]),
    );
  }

  #put(model: string, id: string, entry: StoredEntry): void {
    if (ISSUED_MODELS.has(model)) this.issued.add(id);
    this.#entries(model).set(id, entry);
  }

  #live(model: string, id: string): StoredEntry | undefined {
    const entry = this.#entries(model).get(id);
    return entry && !isExpired(entry, this.#options.now()) ? entry : undefined;
  }

  #isConsumed(entry: StoredEntry): boolean {
    return entry.consumedFrom !== undefined && entry.consumedFrom <= this.#options.now();
  }

  #entries(model: string): Map<string, StoredEntry> {
    let entries = this.#models.get(model);
    if (!entries) {
      entries = new Map();
      this.#models.set(model, entries);
    }
    return entries;
  }

  #prune(now: number): void {
    this.#prunedAt = now;
    for (const entries of this.#models.values()) {
      for (const [id, entry] of entries) if (isExpired(entry, now)) entries.delete(id);
    }
  }
}

function isExpired(entry: StoredEntry, now: number): boolean {
  return entry.expiresAt !== undefined && entry.expiresAt <= now;
}
