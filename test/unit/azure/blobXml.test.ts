import { describe, expect, it } from 'vitest';
import { errorDetails, type ListedBlob, readBlobList } from '../../../lib/azure/blobXml.ts';

/** As the service sends it (List Blobs, REST reference), without members that are not read. */
const PAGE = `\ufeff<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="https://a.example/" ContainerName="c"><MaxResults>2</MaxResults><Blobs>
<Blob><Name>é &amp; b.json</Name><Properties><Last-Modified>Thu, 26 Nov 2026 16:00:00 GMT</Last-Modified><Content-Encoding /><LeaseState>leased</LeaseState></Properties><Metadata><connection>%C3%A9</connection><empty /><note>1 &lt; 2</note></Metadata><OrMetadata /></Blob>
<Blob><Name>bare</Name><Properties><LeaseState>available</LeaseState></Properties></Blob></Blobs><NextMarker>2!60&amp;x</NextMarker></EnumerationResults>`;

async function* inPieces(text: string, length: number) {
  const bytes = Buffer.from(text);
  for (let from = 0; from < bytes.length; from += length) yield bytes.subarray(from, from + length);
}

/** @param known digests of what was read before */
async function read(text: string, length = 7, known: readonly (string | undefined)[] = []) {
  const blobs: ListedBlob[] = [];
  const digests: (string | undefined)[] = [];
  const passedOver: string[] = [];
  const next = await readBlobList(inPieces(text, length), {
    found: (blob, digest) => {
      blobs.push(blob);
      digests.push(digest);
    },
    isKnown: (digest) => known.includes(digest) && passedOver.push(digest) > 0,
  });
  return { blobs, digests, passedOver, next };
}

describe('a list of blobs', () => {
  it.each([1, 7, 10_000])('is read in pieces of %i bytes', async (length) => {
    expect(await read(PAGE, length)).toMatchObject({
      blobs: [
        {
          name: 'é & b.json',
          metadata: { connection: '%C3%A9', empty: '', note: '1 < 2' },
          leased: true,
          changedAt: Date.UTC(2026, 10, 26, 16),
        },
        { name: 'bare', metadata: {}, leased: false, changedAt: Number.NaN },
      ],
      next: '2!60&x',
    });
  });

  it('may be empty, and the last', async () => {
    const empty = '<EnumerationResults><Blobs /><NextMarker /></EnumerationResults>';
    expect(await read(empty)).toMatchObject({ blobs: [], next: undefined });
  });

  it.each(['', '{}', '<html><body>Sign in</html>', PAGE.slice(0, 500)])(
    'that is something else, or ends early, is an error: %#',
    async (text) => {
      await expect(read(text)).rejects.toThrow();
    },
  );

  it.each([1, 7, 10_000])(
    'passes over blobs that have not changed, in pieces of %i bytes',
    async (length) => {
      const { digests } = await read(PAGE);
      expect(await read(PAGE, length, digests)).toMatchObject({
        blobs: [],
        passedOver: digests,
        next: '2!60&x',
      });
    },
  );

  it('tells the metadata of each blob, whether or not the one before has the same', async () => {
    const values = ['one', 'one', 'two', '', 'one'];
    const blobs = values.map(
      (value, place) => `<Blob><Name>${place}</Name><Metadata><vault>${value}</vault></Metadata></Blob>`,
    );
    const page = `<EnumerationResults><Blobs>${blobs.join('')}</Blobs><NextMarker /></EnumerationResults>`;
    const found = (await read(page)).blobs.map(({ metadata }) => metadata.vault);
    expect(found).toEqual(values);
  });

  it('tells what has changed about a blob', async () => {
    const { digests } = await read(PAGE);
    const changed = PAGE.replace('<LeaseState>available', '<LeaseState>leased');
    const { blobs, passedOver } = await read(changed, 7, digests);
    expect(passedOver).toEqual(digests.slice(0, 1));
    expect(blobs).toMatchObject([{ name: 'bare', leased: true }]);
  });

  it('passes over no blob in which another one seems to begin', async () => {
    const odd = PAGE.replace('<empty />', '<Blob>b</Blob>');
    const { blobs, digests } = await read(odd);
    expect(blobs).toMatchObject([{ metadata: { Blob: 'b', note: '1 < 2' } }, { name: 'bare' }]);
    expect(digests).toEqual([undefined, expect.any(String)]);
    expect((await read(odd, 7, digests)).blobs).toEqual(blobs.slice(0, 1));
  });

  it.each([
    '<html><body>Sign in</body></html>',
    '<Error><Code>InternalError</Code></Error>',
    `<html>${PAGE.slice(PAGE.indexOf('<Enum'))}</html>`,
    'x'.repeat(300_000),
    PAGE.replace('<empty />', `<empty>${'x'.repeat(300_000)}</empty>`),
  ])('is not taken from anything else: %#', async (text) => {
    const { digests } = await read(PAGE);
    for (const known of [[], digests]) await expect(read(text, 60_000, known)).rejects.toThrow();
  });

  it('passes over known blobs in their place only', async () => {
    const { digests } = await read(PAGE);
    const [, second] = /(<Blob><Name>bare.*?<\/Blob>)/.exec(PAGE) ?? [];
    const odd = PAGE.replace(`${second}</Blobs>`, `</Blobs>${second}`);
    expect((await read(odd, 7, digests)).passedOver).toEqual(digests.slice(0, 1));
  });

  it('takes metadata for nothing else, and reads text as it is', async () => {
    const odd = PAGE.replace('<empty />', '<LeaseState>broken</LeaseState><a><![CDATA[<b>]]></a>');
    expect((await read(odd)).blobs[0]).toMatchObject({
      leased: true,
      metadata: { LeaseState: 'broken', a: '<b>' },
    });
  });
});

describe('a response with an error', () => {
  it('says what happened', () => {
    const body = `\ufeff<?xml version="1.0"?><Error><Code>AuthenticationFailed</Code><Message>Server failed.\nRequestId:1</Message><AuthenticationErrorDetail>Issuer did not match.</AuthenticationErrorDetail></Error>`;
    expect(errorDetails(body)).toEqual({
      code: 'AuthenticationFailed',
      message: 'Server failed.\nRequestId:1',
      authenticationErrorDetail: 'Issuer did not match.',
    });
  });

  it.each(['', 'Bad Gateway', '<html><body>no</body></html>', '{"error":{}}', '<Error'])(
    'says nothing if it is something else: %#',
    (body) => {
      expect(errorDetails(body)).toEqual({});
    },
  );
});
