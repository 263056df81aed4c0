import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { describe, expect, it } from 'vitest';
import { accountIn } from '../../../lib/azure/storageConnectionString.ts';
import { errorOf } from '../../support/thrown.ts';

const KEY = Buffer.from('an account key').toString('base64');

describe('a connection string of a storage account', () => {
  it.each([
    `DefaultEndpointsProtocol=https;AccountName=account;AccountKey=${KEY};EndpointSuffix=core.windows.net`,
    `DefaultEndpointsProtocol=https;AccountName=account;AccountKey=${KEY};EndpointSuffix=core.chinacloudapi.cn;`,
    `DefaultEndpointsProtocol=http;AccountName=account;AccountKey=${KEY};BlobEndpoint=http://127.0.0.1:10000/account/`,
    'UseDevelopmentStorage=true',
  ])('names the account that the storage library finds in it: %#', (connectionString) => {
    const { url, key } = accountIn(connectionString);
    const service = BlobServiceClient.fromConnectionString(connectionString);
    expect(url.replace(/\/$/, '')).toBe(service.url.replace(/\/$/, ''));
    const credential = service.credential as StorageSharedKeyCredential;
    expect(credential).toBeInstanceOf(StorageSharedKeyCredential);
    expect(credential.accountName).toBe(key?.accountName);
    const signed = new StorageSharedKeyCredential(
      credential.accountName,
      key?.accountKey.toString('base64') ?? '',
    );
    expect(signed.computeHMACSHA256('text')).toBe(credential.computeHMACSHA256('text'));
  });

  it('may leave out what is the same for most accounts', () => {
    expect(accountIn(`AccountName=account;AccountKey=${KEY}`).url).toBe(
      'https://account.blob.core.windows.net',
    );
  });

  it.each(['?sv=2024&sig=a%3D', 'sv=2024&sig=a%3D'])(
    'may hold a shared access signature: %s',
    (signature) => {
      const text = `BlobEndpoint=https://account.blob.core.windows.net;SharedAccessSignature=${signature}`;
      expect(accountIn(text)).toEqual({
        url: 'https://account.blob.core.windows.net',
        signature: 'sv=2024&sig=a%3D',
      });
    },
  );

  it('may have names in other letters, and blanks around its parts', () => {
    expect(accountIn(` accountname = account ; ACCOUNTKEY=${KEY} `)).toEqual({
      url: 'https://account.blob.core.windows.net',
      key: { accountName: 'account', accountKey: Buffer.from('an account key') },
    });
  });

  it.each([
    '',
    ';;=;',
    'AccountName=account',
    `AccountKey=${KEY}`,
    'AccountName=account;AccountKey=',
    'UseDevelopmentStorage=false',
    `AccountName=account;AccountKey=${KEY};DefaultEndpointsProtocol=ftp`,
    `AccountName=account;AccountKey=${KEY};BlobEndpoint=account.blob.core.windows.net`,
    'SharedAccessSignature=sv=2024',
  ])('is refused if it names no account, or no way to authenticate there: %#', async (text) => {
    const error = await errorOf((async () => accountIn(text))());
    expect(error.code).toBe('configuration_invalid');
    expect(error.message).not.toContain(KEY);
  });
});
