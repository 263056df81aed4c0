import * as z from 'zod';
import { connectionsFile } from './connectionSchema.ts';

/** The JSON Schema of the connections file, as editors understand it (draft 7). Each call creates a new object. */
export function connectionsJsonSchema(): object {
  const schema = z.toJSONSchema(connectionsFile, { io: 'input', target: 'draft-7' });
  return { title: 'Connections of the Key Vault token rotator', ...schema };
}
