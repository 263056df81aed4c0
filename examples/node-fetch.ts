/** One request to the API with the connection's token, with `fetch`. */
import { DefaultAzureCredential } from '@azure/identity';
import { createTokenReader, fetchWithToken } from 'key-vault-token-reader';

const { TOKEN_VAULT_URL = '', CONNECTION = '', API_URL = '' } = process.env;

const reader = createTokenReader({
  vaultUrl: TOKEN_VAULT_URL,
  connection: CONNECTION,
  credential: new DefaultAzureCredential(),
});
const callApi = fetchWithToken(reader, API_URL);

const response = await callApi(API_URL);
console.log(response.status, await response.text());
