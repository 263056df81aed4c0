import * as z from 'zod';
import { errorCodes } from '../../errors.ts';
import { OUTCOMES } from './record.ts';

// Only what reads a stored record loads this file: the schemas take a tenth of a cold start.

const time = z.number();

const failureSchema = z.object({
  code: z.enum(errorCodes),
  message: z.string(),
  fix: z.string(),
  /** When this row of failures began, and when the last one happened. */
  since: time,
  at: time,
  /** Failures in a row, this one included. */
  count: z.number(),
  /** No token request is sent until one of the secrets in `clearedBy`, or the entry, has changed. */
  blocked: z.boolean(),
  /** What in the credential vault may clear the block if it changes, with the version that failed (null: there was none). */
  clearedBy: z.array(
    z.object({
      secret: z.string(),
      /** If it is not a secret. */
      kind: z.enum(['key', 'certificate']).optional(),
      version: z.string().nullable(),
      /** When that version of a client credential was set. */
      setAt: time.optional(),
    }),
  ),
  /** The fingerprint of the connection that failed. */
  fingerprint: z.string(),
  /**
   * With `blocked`, when the same request may be sent again although nothing was changed: once the published access token has
   * expired, or independently of it. Missing: not.
   */
  sentAgain: z.enum(['once_expired', 'anyway']).optional(),
});

const phaseSchema = z.discriminatedUnion('state', [
  z.object({ state: z.literal('idle') }),
  z.object({
    state: z.literal('requesting'),
    /** When the last token request was about to be sent. */
    startedAt: time,
    /** When the current refresh token was first about to be sent without a known outcome. */
    firstStartedAt: time,
    /** Until then, the process that announced the request may wait for its response, by whichever clock. */
    awaitedUntil: time,
    /** The same for requests with the same refresh token that this one repeats, if it began before their time was over. */
    earlierAwaitedUntil: time.optional(),
  }),
]);

const outcomeSchema = z.object({
  /** Missing in older records, which have only failures. */
  result: z.enum(OUTCOMES).default('retrying'),
  /** The error code; missing after a success. */
  code: z.string().optional(),
  at: time,
});

/** The record of a connection as it is stored: one JSON blob, no secrets. Times are the storage service's, in milliseconds. */
export const recordSchema = z.object({
  schema: z.literal(1),
  connection: z.string(),
  /** Hosts of the vaults of the deployment that wrote the record. Missing: not written since records name them. */
  vaults: z.object({ credential: z.string(), token: z.string() }).optional(),
  phase: phaseSchema,
  /** The Key Vault version of the current refresh token; undefined until one was seen. */
  version: z.string().optional(),
  /** The version before that one, if the vault lost it. What was obtained with it may still be saved, and names it as its parent. */
  lostVersion: z.string().optional(),
  /** A process may wait that long for the response to a request that no longer counts: it was repeated, or its refresh token replaced. */
  replacedAwaitedUntil: time.optional(),
  /** Raised by each intent: of two tokens obtained with the same parent, the higher epoch is the newer. */
  epoch: z.number(),
  /** Rotated refresh tokens saved so far. */
  generation: z.number(),
  nextAttemptAt: time,
  /** When the token family began: the rotator found a refresh token that an operator had set. Absolute deadlines count from here. */
  familyStartedAt: time.optional(),
  /** An operator removed the connection: only a refresh token that an operator sets later is used. */
  removedAt: time.optional(),
  /** With `removedAt`, when the provider confirmed that it revoked the refresh token. */
  revokedAt: time.optional(),
  /** With `removedAt`, until when access tokens that consumers had read may be used. */
  copiesExpireAt: time.optional(),
  rotatedAt: time.optional(),
  forcedAt: time.optional(),
  accessToken: z.object({ issuedAt: time, expiresAt: time, expiresInIsDefault: z.boolean() }).optional(),
  refreshTokenExpiresAt: time.optional(),
  /** Do rotations leave that time as it is? Missing: unknown, or there was only one rotation so far. */
  refreshTokenEndIsFixed: z.boolean().optional(),
  /** The published secrets that have accepted a write, as `vault/name` separated by spaces. */
  publishable: z.string().optional(),
  failure: failureSchema.optional(),
  /** The latest outcomes, oldest first. */
  history: z.array(outcomeSchema),
});

export type ConnectionRecord = Readonly<z.infer<typeof recordSchema>>;
export type RecordedFailure = Readonly<z.infer<typeof failureSchema>>;
export type Phase = Readonly<z.infer<typeof phaseSchema>>;
export type Outcome = Readonly<z.infer<typeof outcomeSchema>>;

const numberAsText = z.union([z.number(), z.string().trim().min(1).transform(Number)]).pipe(z.number());
const flagAsText = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]);

/**
 * What a list shows of each record without reading it. The values come from blob metadata, so each may also be a text. To add a
 * field, add its kind here and its source to `SUMMARY_OF`; how it is stored and read back follows.
 */
export const summarySchema = z.object({
  phase: z.enum(['idle', 'requesting']),
  generation: numberAsText,
  /** Until when the response to a token request may be awaited. */
  awaitedUntil: numberAsText.optional(),
  /** Hosts of the vaults of the deployment that wrote the record. */
  credentialVault: z.string().min(1).optional(),
  tokenVault: z.string().min(1).optional(),
  nextAttemptAt: numberAsText,
  expiresAt: numberAsText.optional(),
  /** Is that a default, because the token response named no expiry? Missing: no. */
  expiresInIsDefault: flagAsText.optional(),
  rotatedAt: numberAsText.optional(),
  familyStartedAt: numberAsText.optional(),
  refreshTokenExpiresAt: numberAsText.optional(),
  /** Code of the failure, and the rest of it; missing while all is well. */
  failureCode: z.string().min(1).optional(),
  failureMessage: z.string().min(1).optional(),
  failureFix: z.string().min(1).optional(),
  failureCount: numberAsText.optional(),
  failingSince: numberAsText.optional(),
  blocked: flagAsText.optional(),
  /** The latest outcomes as {@link outcomesIn} reads them. */
  history: z.string().min(1).optional(),
});

export type RecordSummary = Readonly<z.output<typeof summarySchema>>;
