import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { connectionEntry } from '../../../lib/config/connectionSchema.ts';
import { connectionsJsonSchema } from '../../../lib/config/jsonSchema.ts';

describe('the JSON Schema for editors', () => {
  it('is current in the repository, and so is the Bicep type generated from it', () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/writeSchema.ts', '--check'], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('describes each key, refuses others and requires none', () => {
    const schema = connectionsJsonSchema() as {
      properties: { connections: { additionalProperties: EntrySchema } };
    };
    const entry = schema.properties.connections.additionalProperties;
    expect(Object.keys(entry.properties)).toEqual(Object.keys(connectionEntry.shape));
    expect(entry.additionalProperties).toBe(false);
    expect(entry.required).toBeUndefined();
    for (const [key, { description }] of Object.entries(entry.properties))
      expect(description, key).toMatch(/\.$/);
  });
});

interface EntrySchema {
  readonly properties: Readonly<Record<string, { readonly description?: string }>>;
  readonly additionalProperties: boolean;
  readonly required?: readonly string[];
}
