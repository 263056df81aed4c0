import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { statusWhere } from '../faults/process/stage.ts';
import { NO_CHROMIUM, signInAndConsent, startChromium } from './chromium.ts';
import { type Desk, documentOf, startDesk } from './support.ts';

const ADDRESS = /http:\S+\/auth\?\S+/;

test('a browser is installed if REQUIRE_CHROMIUM is set', () => {
  if (process.env.REQUIRE_CHROMIUM === '1') expect(NO_CHROMIUM).toBeUndefined();
});

describe.skipIf(NO_CHROMIUM)(`a user in a real browser ${NO_CHROMIUM ?? ''}`, { timeout: 90_000 }, () => {
  let desk: Desk;
  let browser: Browser;

  beforeAll(async () => {
    desk = await startDesk([], '* * * * * *');
    browser = await startChromium();
  });

  afterAll(async () => {
    await browser?.close();
    await desk?.close();
  });

  /** Waits until the running functions have rotated the connection, after the first rotation of the command. */
  async function rotatedByTheStack(name: string) {
    const { generation = 0 } = await statusWhere(desk.stack.host, name, ({ state }) => state === 'fresh');
    const later = await statusWhere(desk.stack.host, name, (status) => (status.generation ?? 0) > generation);
    return later.state;
  }

  test('connect goes through sign-in and consent, and the running stack rotates the new connection', async () => {
    const running = desk.start(['connect', 'demo', '--no-browser', '--json']);
    const page = await browser.newPage();
    await page.goto((await running.seen(ADDRESS))[0]);
    await signInAndConsent(page, 'allow');
    await page.waitForURL(/127\.0\.0\.1:\d+\/callback/);
    expect(await page.textContent('p')).toContain('Continue in the terminal');
    const ended = await running.ended;
    expect(ended, ended.stderr).toMatchObject({ code: 0 });
    expect(documentOf(ended)).toMatchObject({
      connection: 'demo',
      rotation: { result: 'rotated', generation: 1 },
    });
    expect(await rotatedByTheStack('demo')).toBe('fresh');
    await page.context().clearCookies();
    await page.close();
  });

  test('connect signs in on another device by device code', async () => {
    const running = desk.start(['connect', 'by-device', '--device']);
    const [, address = '', code = ''] = await running.seen(/Go to (\S+) .* enter the code (\S+)/);
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(address);
    await page.fill('input[name=user_code]', code);
    await page.click('button');
    await page.click('#continue');
    await signInAndConsent(page, 'allow');
    await page.waitForSelector('#done');
    const ended = await running.ended;
    expect(ended, ended.stderr).toMatchObject({ code: 0 });
    expect(ended.stdout).toContain('by-device is rotated: generation 1');
    expect(await rotatedByTheStack('by-device')).toBe('fresh');
    await context.close();
  });

  test('reports a denied consent, and writes nothing', async () => {
    const running = desk.start(['connect', 'denied', '--no-browser']);
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto((await running.seen(ADDRESS))[0]);
    await signInAndConsent(page, 'deny');
    const { code, stderr } = await running.ended;
    expect(code).toBe(6);
    expect(stderr).toContain('authorization_denied');
    expect(await desk.secret('credentialVault', 'denied-client-id')).toBeUndefined();
    await context.close();
  });

  test('opens the browser that BROWSER names', async () => {
    const seen = join(desk.stack.data.path, 'opened');
    const script = join(desk.stack.data.path, 'browser.sh');
    await writeFile(script, `#!/bin/sh\nprintf '%s' "$1" > '${seen}'\n`);
    await chmod(script, 0o700);
    const running = desk.start(['connect', 'opened', '--timeout', '3'], { env: { BROWSER: script } });
    const address = (await running.seen(ADDRESS))[0];
    const { code, stderr } = await running.ended;
    expect({ code, opened: await readFile(seen, 'utf8') }).toEqual({
      code: 6,
      opened: address,
    });
    expect(stderr).toContain('authorization_expired');
  });
});
