/** One request to the API with a client that takes a `TokenCredential`, such as a client of the Azure SDK. */
import { DefaultAzureCredential } from '@azure/identity';
import { getClient } from '@azure-rest/core-client';
import { createTokenReader, tokenCredential } from 'key-vault-token-reader';

const { TOKEN_VAULT_URL = '', CONNECTION = '', API_URL = '' } = process.env;

const reader = createTokenReader({
  vaultUrl: TOKEN_VAULT_URL,
  connection: CONNECTION,
  credential: new DefaultAzureCredential(),
});
const client = getClient(API_URL, tokenCredential(reader));

const response = await client.path('/').get();
console.log(response.status, JSON.stringify(response.body));
