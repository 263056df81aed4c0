/** A service that calls the API ten times a second with undici, until SIGTERM. Then it prints how many requests failed. */
import { setInterval } from 'node:timers/promises';
import { DefaultAzureCredential } from '@azure/identity';
import { createTokenReader } from 'key-vault-token-reader';
import { tokenInterceptor } from 'key-vault-token-reader/undici';
import { Agent, request } from 'undici';

const { TOKEN_VAULT_URL = '', CONNECTION = '', API_URL = '' } = process.env;

const reader = createTokenReader({
  vaultUrl: TOKEN_VAULT_URL,
  connection: CONNECTION,
  credential: new DefaultAzureCredential(),
});
const dispatcher = new Agent().compose(tokenInterceptor(reader, API_URL));
const counts = { requests: 0, failed: 0 };

process.once('SIGTERM', () => {
  console.log(JSON.stringify(counts));
  process.exit();
});

for await (const _ of setInterval(100)) {
  counts.requests += 1;
  try {
    const { statusCode, body } = await request(API_URL, { dispatcher });
    await body.dump();
    if (statusCode !== 200) throw new Error(`The API returned ${statusCode}.`);
  } catch (error) {
    counts.failed += 1;
    console.error(new Date().toISOString(), (error as Error).message);
  }
}
