/** Starts the upload of the connections file. Plain JavaScript, because azd runs it as a hook even if nothing is installed. */
import { existsSync } from 'node:fs';

const isInstalled = existsSync(new URL('../node_modules/@azure/storage-blob/package.json', import.meta.url));
if (isInstalled) await import('./uploadConnections.ts');
else if (process.env.CONNECTIONS_SOURCE === 'blob') {
  console.error(
    'The connections were not uploaded, because the packages are not installed. Run npm ci, then npm run connections:upload.',
  );
  process.exitCode = 1;
}
