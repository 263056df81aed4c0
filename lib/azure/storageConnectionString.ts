import { RotatorError } from '../errors.ts';

/** An account of Azure Storage, as a connection string names it. */
export interface NamedAccount {
  /** The address of its blob service. */
  readonly url: string;
  /** Missing with a signature. */
  readonly key?: { readonly accountName: string; readonly accountKey: Buffer };
  /** A shared access signature: a query without its question mark. */
  readonly signature?: string;
}

/** The account of the emulator, which is the same everywhere (Microsoft Learn, "Use the Azurite emulator"). Its key is public. */
const EMULATOR: NamedAccount = {
  url: 'http://127.0.0.1:10000/devstoreaccount1',
  key: {
    accountName: 'devstoreaccount1',
    accountKey: Buffer.from(
      [
        'Eby8vdM02xNOcqFlqUwJPL',
        'lmEtlCDXJ1OUzFT50uSRZ6',
        'IFsuFq2UVErCz4I6tq/K1S',
        'ZFPTOtr/KBHBeksoGMGw==',
      ].join(''),
      'base64',
    ),
  },
};

/**
 * Reads a connection string (Microsoft Learn, "Configure Azure Storage connection strings").
 * @throws RotatorError `configuration_invalid`; nothing of the string is in it
 */
export function accountIn(connectionString: string): NamedAccount {
  const parts = partsOf(connectionString);
  const of = (name: string) => parts.get(name.toLowerCase()) || undefined;
  if (of('UseDevelopmentStorage')?.toLowerCase() === 'true') return EMULATOR;
  const accountName = of('AccountName');
  const suffix = of('EndpointSuffix') ?? 'core.windows.net';
  const scheme = of('DefaultEndpointsProtocol') ?? 'https';
  const url = of('BlobEndpoint') ?? (accountName && `${scheme}://${accountName}.blob.${suffix}`);
  const signature = of('SharedAccessSignature')?.replace(/^\?/, '');
  const encodedKey = of('AccountKey');
  if (url === undefined || !/^https?:$/.test(URL.parse(url)?.protocol ?? '')) throw invalid();
  if (signature !== undefined) return { url, signature };
  const accountKey = Buffer.from(encodedKey ?? '', 'base64');
  if (accountName === undefined || accountKey.length === 0) throw invalid();
  return { url, key: { accountName, accountKey } };
}

/** Names ignore case. A value may contain `=`. */
function partsOf(connectionString: string): Map<string, string> {
  return new Map(
    connectionString.split(';').map((part) => {
      const [name = '', ...value] = part.split('=');
      return [name.trim().toLowerCase(), value.join('=').trim()];
    }),
  );
}

function invalid(): RotatorError {
  return new RotatorError({
    code: 'configuration_invalid',
    message: 'The storage connection string cannot be read.',
    fix: 'Copy it again from the access keys of the storage account to AzureWebJobsStorage.',
  });
}
