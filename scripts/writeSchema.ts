/**
 * Writes the files that follow from the schema of the program: connections.schema.json for editors, and
 * infra/modules/connection.bicep, the type of the parameter `connections`. With --check, it writes nothing.
 */
import { connectionsJsonSchema } from '../lib/config/jsonSchema.ts';
import { keepCurrent } from './keepCurrent.ts';
import { bicepTypes, type JsonSchema } from './schema/bicepTypes.ts';

const schema = connectionsJsonSchema() as JsonSchema;
keepCurrent('connections.schema.json', () => `${JSON.stringify(schema, null, 2)}\n`, 'npm run schema');
keepCurrent(
  'infra/modules/connection.bicep',
  () => bicepTypes(schema.properties?.connections ?? {}),
  'npm run schema',
);
