import { describe, expect, it } from 'vitest';
import { metadataOf, recordOf, summaryOf } from '../../../lib/azure/recordBlob.ts';
import { type ConnectionRecord, newRecord } from '../../../lib/rotation/record.ts';

const RECORD: ConnectionRecord = {
  ...newRecord('Dynamics'),
  generation: 4,
  nextAttemptAt: 1_767_225_600_123,
  rotatedAt: 0,
  accessToken: { issuedAt: 0, expiresAt: 5, lifetimeAssumed: true },
};

describe('the summary in the metadata', () => {
  it('is what was written, zero included', () => {
    expect(summaryOf('dynamics.json', metadataOf(RECORD))).toEqual({
      connection: 'Dynamics',
      summary: { phase: 'idle', generation: 4, nextAttemptAt: 1_767_225_600_123, rotatedAt: 0, expiresAt: 5 },
    });
  });

  it('has keys that every client can use, and ASCII values', () => {
    const failure = {
      code: 'vault_unavailable' as const,
      message: '',
      fix: '',
      since: 0,
      at: 0,
      count: 1,
      blocked: false,
      watch: [],
      fingerprint: '',
    };
    const metadata = metadataOf({ ...RECORD, connection: 'größe', failure });
    for (const [key, value] of Object.entries(metadata)) {
      expect(key).toMatch(/^[a-z]+$/);
      expect(value).toMatch(/^[!-~]+$/);
    }
    expect(summaryOf('größe.json', metadata)?.summary.failure).toEqual({
      code: 'vault_unavailable',
      blocked: false,
      count: 1,
      since: 0,
    });
    const { since: _, ...older } = metadata;
    expect(summaryOf('größe.json', older)?.summary.failure).not.toHaveProperty('since');
  });

  it('of another connection does not rename the blob', () => {
    const metadata = { ...metadataOf(RECORD), connection: 'other' };
    expect(summaryOf('dynamics.json', metadata)?.connection).toBe('dynamics');
  });

  it.each(['phase', 'generation', 'next'])('without a usable %s is due now', (key) => {
    for (const value of ['', 'NaN', 'x']) {
      const metadata = { ...metadataOf(RECORD), [key]: value };
      expect(summaryOf('dynamics.json', metadata)?.summary).toEqual({
        phase: 'idle',
        generation: 0,
        nextAttemptAt: 0,
      });
    }
  });
});

it('a blob that is no record has no summary', () => {
  expect(summaryOf('dynamics.txt', metadataOf(RECORD))).toBeUndefined();
});

it('an unreadable body names what is wrong, and none of it', () => {
  const body = JSON.stringify({ ...RECORD, epoch: 'canary', history: [{ code: 5 }] });
  expect(() => recordOf(body, 'Dynamics', 'here')).toThrow(
    expect.objectContaining({
      code: 'record_unreadable',
      message: expect.stringMatching(/epoch, history\.0/),
    }),
  );
  expect(() => recordOf(body, 'Dynamics', 'here')).not.toThrow(/canary/);
});
