import { describe, expect, it } from 'vitest';
import { listedOf, recordOf } from '../../../lib/azure/readRecordBlob.ts';
import { metadataOf } from '../../../lib/azure/recordBlob.ts';
import { thrownBy } from '../../support/thrown.ts';
import { failing, recordNamed, tokenTimes } from '../rotation/world/record.ts';

const NOW = 1_767_225_600_000;
const RECORD = recordNamed('Dynamics', {
  generation: 4,
  nextAttemptAt: NOW + 123,
  rotatedAt: 0,
  accessToken: tokenTimes(0, 5),
});

describe('the summary in the metadata', () => {
  it('is read as it was written, including zero', () => {
    expect(listedOf('dynamics.json', metadataOf(RECORD), NOW)).toEqual({
      connection: 'Dynamics',
      summary: { phase: 'idle', generation: 4, nextAttemptAt: NOW + 123, rotatedAt: 0, expiresAt: 5 },
    });
  });

  it('has keys that every client can use, and ASCII values', () => {
    const metadata = metadataOf(failing({ ...RECORD, connection: 'größe' }, 0));
    for (const [key, value] of Object.entries(metadata)) {
      expect(key).toMatch(/^[a-z]+$/);
      expect(value).toMatch(/^[!-~]([ -~]*[!-~])?$/);
    }
    expect(listedOf('größe.json', metadata, NOW)?.summary).toMatchObject({
      failureCode: 'vault_unavailable',
      blocked: false,
      failureCount: 1,
      failingSince: 0,
    });
  });

  it('of another connection does not rename the blob', () => {
    const metadata = { ...metadataOf(RECORD), connection: 'other' };
    expect(listedOf('dynamics.json', metadata, NOW)?.connection).toBe('dynamics');
  });

  it.each(['phase', 'generation', 'nextattemptat', 'expiresat', 'failurecount', 'failingsince', 'blocked'])(
    'without a usable %s is due now',
    (key) => {
      for (const value of ['', 'NaN', 'x']) {
        const metadata = { ...metadataOf(failing(RECORD, 0)), [key]: value };
        expect(listedOf('dynamics.json', metadata, NOW)?.summary).toEqual({
          phase: 'idle',
          generation: 0,
          nextAttemptAt: 0,
        });
      }
    },
  );
});

it('a blob that is not a record has no summary', () => {
  expect(listedOf('dynamics.txt', metadataOf(RECORD), NOW)).toBeUndefined();
});

it('the error for an unreadable body names the wrong members without their values', () => {
  const body = JSON.stringify({ ...RECORD, epoch: 'canary', history: [{ code: 5 }] });
  const { code, message } = thrownBy(() => recordOf(body, 'Dynamics', { container: 'here', now: NOW }));
  expect(code).toBe('record_unreadable');
  expect(message).toMatch(/epoch, history\.0/);
  expect(message).not.toContain('canary');
});
