/** Writes connections.schema.json from the schema that the program itself uses, or checks it with --check. */
import { connectionsJsonSchema } from '../lib/config/jsonSchema.ts';
import { keepCurrent } from './keepCurrent.ts';

const wanted = `${JSON.stringify(connectionsJsonSchema(), null, 2)}\n`;
keepCurrent('connections.schema.json', () => wanted, 'npm run schema');
