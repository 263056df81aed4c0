export { TokenUnavailable, type TokenUnavailableCode } from './errors.ts';
export { fetchWithToken } from './fetch.ts';
export { tokenCredential } from './tokenCredential.ts';
export {
  type AccessToken,
  createTokenReader,
  type TokenReader,
  type TokenReaderOptions,
} from './tokenReader.ts';
