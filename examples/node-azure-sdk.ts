/** The same where a client wants a `TokenCredential`, as those of the Azure SDK do. */
import { DefaultAzureCredential } from '@azure/identity';
import { getClient } from '@azure-rest/core-client';
import { createTokenReader, tokenCredential } from 'key-vault-token-rotator/consumer';

const { TOKEN_VAULT_URL = '', CONNECTION = '', API_URL = '' } = process.env;

const reader = createTokenReader({
  vaultUrl: TOKEN_VAULT_URL,
  connection: CONNECTION,
  credential: new DefaultAzureCredential(),
});
const client = getClient(API_URL, tokenCredential(reader));

const answer = await client.path('/').get();
console.log(answer.status, JSON.stringify(answer.body));
